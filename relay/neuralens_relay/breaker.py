"""Holding everything back while the API as a whole takes nothing."""

from collections.abc import Callable, Hashable
from enum import Enum
from math import inf

from neuralens_relay.backoff import Backoff

# Failures in a row after which it is said that sends fail.
SAY_AFTER = 3
# Different events that failed in a row, with none delivered between, after which all wait. A few
# events that always fail must not hold up the others.
HOLD_AFTER = 20


class State(Enum):
    """Whether events are sent.

    All that are due; the same, though none gets through; one at a time, to see; the same, for a
    refused key or a wrong address. None by this relay: another one does it; or none at all.
    """

    RUNNING = "running"
    FAILING = "failing"
    HOLDING = "holding"
    PAUSED = "paused"
    FOLLOWING = "following"
    STOPPED = "stopped"

    @property
    def open(self) -> bool:
        """Whether events are held back."""
        return self in (State.HOLDING, State.PAUSED)


class Breaker:
    """A circuit breaker: after failures, wait, then let single events try.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, backoff: Backoff, clock: Callable[[], float]) -> None:
        """``backoff``: waits between tries while events are held back."""
        self._backoff = backoff
        self._clock = clock
        self._failures = 0
        self._failed: set[Hashable] = set()
        # Since when events are held back, and how many that had never been tried failed since.
        self._opened = 0.0
        self._probes = 0
        self._until = 0.0
        # When the API last asked to wait.
        self._asked = -inf
        self._proven = False
        self.state = State.RUNNING
        self.reason = ""

    @property
    def trusted(self) -> bool:
        """Whether the last answer was good: what fails next may be the event's fault."""
        return self._proven and self._failures == 0

    def wait(self) -> float:
        """Return the seconds until something may be sent; 0 when it may now."""
        return max(0.0, self._until - self._clock())

    def succeed(self, sent: float) -> None:
        """Note that the API dealt with an event that was sent at ``sent``, by the clock.

        Where the API asked to wait, this counts only if it was sent after that.
        """
        if sent < self._asked:
            return
        self._failures = 0
        self._failed.clear()
        self._until = 0.0
        self._asked = -inf
        self._proven = True
        self.state = State.RUNNING
        self.reason = ""

    def fail(
        self, event: Hashable, sent: float, reason: str, asked: float = 0, first: bool = True
    ) -> None:
        """Note a failure that need not be the event's.

        ``sent``: as for ``succeed``; ``asked``: seconds the API asked to wait; ``first``: the
        event had never been tried.
        """
        trusted = self.trusted
        self._note(event, reason)
        if self.state.open:
            self._hold(sent, asked, first)
        elif len(self._failed) >= HOLD_AFTER or (asked > 0 and (first or not trusted)):
            self._open(State.HOLDING, asked)
        elif self._failures >= SAY_AFTER:
            self.state = State.FAILING

    def pause(self, event: Hashable, sent: float, reason: str, first: bool = True) -> None:
        """Note that the API refuses the key, or that there is no API at the address."""
        self._note(event, reason)
        if self.state is State.PAUSED:
            self._hold(sent, 0, first)
        else:
            self._open(State.PAUSED, 0)

    def _note(self, event: Hashable, reason: str) -> None:
        self._failures += 1
        self.reason = reason
        if len(self._failed) < HOLD_AFTER:
            self._failed.add(event)

    def _open(self, state: State, asked: float) -> None:
        self.state = state
        self._opened = self._clock()
        self._probes = 0
        self._hold(self._opened, asked, first=True)

    def _hold(self, sent: float, asked: float, first: bool) -> None:
        now = self._clock()
        if asked > 0:
            self._asked = now
        # What had been sent before says nothing new: waits grow with what is sent to see.
        if sent >= self._opened or asked > 0:
            self._probes += first and sent >= self._opened
            pause = self._backoff.delay(max(self._probes, 1), asked)
            self._until = max(self._until, now + pause)
