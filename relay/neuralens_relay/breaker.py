"""A circuit breaker for the API as a whole."""

from collections.abc import Callable, Hashable
from enum import Enum
from math import inf
from typing import NamedTuple

from neuralens_relay.backoff import Backoff

# Consecutive failures after which the state is FAILING.
FAILING_AFTER = 3
# Distinct events that failed, with none delivered in between, after which all are held. A few
# events that always fail must not hold up the others.
HOLD_AFTER = 20


class State(Enum):
    """Whether events are sent."""

    # All that are due.
    RUNNING = "running"
    # All that are due, although recent ones failed.
    FAILING = "failing"
    # One at a time, as a probe, because the API is down or has asked to wait.
    HOLDING = "holding"
    # One at a time, as a probe, because the API refuses the key or the URL is wrong.
    PAUSED = "paused"
    # None: another relay is the leader.
    FOLLOWING = "following"
    STOPPED = "stopped"

    @property
    def open(self) -> bool:
        """Whether events are held back."""
        return self in (State.HOLDING, State.PAUSED)


class Status(NamedTuple):
    """A state, and the reason of the last failure: one value, so that threads read both at once."""

    state: State
    reason: str


class Breaker:
    """A circuit breaker: after failures it waits, then lets single events probe the API.

    ``clock`` returns monotonic seconds.
    """

    def __init__(self, backoff: Backoff, clock: Callable[[], float]) -> None:
        """``backoff`` is for the time between probes."""
        self._backoff = backoff
        self._clock = clock
        self._failures = 0
        self._failed: set[Hashable] = set()
        # When the breaker opened; the failures that the wait grows with, which are the one that
        # opened it and those of probes since; the retried events that have failed as probes.
        self._opened = 0.0
        self._counted = 0
        self._retried: set[Hashable] = set()
        self._until = 0.0
        # When the API last asked to wait.
        self._asked = -inf
        self._proven = False
        # Changed last, because other threads read it for /health.
        self.status = Status(State.RUNNING, "")

    @property
    def state(self) -> State:
        """Whether events are sent."""
        return self.status.state

    @property
    def trusted(self) -> bool:
        """Whether the last event succeeded: the next failure may be the event's own."""
        return self._proven and self._failures == 0

    def wait(self) -> float:
        """Return the seconds until an event may be sent; 0 if it may now."""
        return max(0.0, self._until - self._clock())

    def succeed(self, sent: float) -> None:
        """Record that the API handled an event, sent at ``sent`` by the clock.

        Ignored if the event was sent before the API asked to wait.
        """
        if sent < self._asked:
            return
        self._failures = 0
        self._failed.clear()
        self._until = 0.0
        self._asked = -inf
        self._proven = True
        self.status = Status(State.RUNNING, "")

    def fail(
        self, event: Hashable, sent: float, reason: str, asked: float = 0, first: bool = True
    ) -> None:
        """Record a failure that need not be the event's own.

        ``sent``: as for ``succeed``; ``asked``: Retry-After in seconds, or 0; ``first``: it was the
        event's first attempt.
        """
        state, trusted = self.state, self.trusted
        self._record(event)
        if state.open:
            if self._concerns_api(event, first):
                self._count_probe(sent)
            self._hold(sent, asked)
        elif len(self._failed) >= HOLD_AFTER or (asked > 0 and (first or not trusted)):
            state = State.HOLDING
            self._open(asked)
        elif self._failures >= FAILING_AFTER:
            state = State.FAILING
        self.status = Status(state, reason)

    def pause(self, event: Hashable, sent: float, reason: str) -> None:
        """Record that the API refuses the key, or that there is no API at the URL.

        It concerns all events alike, so every probe counts.
        """
        self._record(event)
        if self.state is State.PAUSED:
            self._count_probe(sent)
            self._hold(sent, 0)
        else:
            self._open(0)
        self.status = Status(State.PAUSED, reason)

    def _record(self, event: Hashable) -> None:
        self._failures += 1
        if len(self._failed) < HOLD_AFTER:
            self._failed.add(event)

    def _open(self, asked: float) -> None:
        self._opened = self._clock()
        self._counted = 1
        self._retried.clear()
        self._hold(self._opened, asked)

    def _concerns_api(self, event: Hashable, first: bool) -> bool:
        """Return whether the failure of a probe is the API's, as far as one can tell.

        A retried event may fail for a reason of its own, again and again, and must not make the
        others wait longer for that. But if different ones fail, it is the API.
        """
        if first:
            return True
        is_another = bool(self._retried) and event not in self._retried
        if len(self._retried) < HOLD_AFTER:
            self._retried.add(event)
        return is_another

    def _count_probe(self, sent: float) -> None:
        """Count the failure of a probe, unless it is an older request that failed late."""
        if sent >= self._opened:
            self._counted += 1

    def _hold(self, sent: float, asked: float) -> None:
        """Hold events back for a while, which an older request extends only if the API asks."""
        now = self._clock()
        if asked > 0:
            self._asked = now
        if sent >= self._opened or asked > 0:
            self._until = max(self._until, now + self._backoff.delay(self._counted, asked))
