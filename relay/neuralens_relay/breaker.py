"""Holding everything back while the API as a whole takes nothing."""

from collections.abc import Callable
from enum import Enum

from neuralens_relay.backoff import Backoff


class State(Enum):
    """Whether events are sent: all; one at a time, to see; the same, for a refused key."""

    RUNNING = "running"
    HOLDING = "holding"
    PAUSED = "paused"


class Breaker:
    """A circuit breaker: after failures, wait, then let single events try.

    ``threshold``: failures in a row that open it. ``clock`` gives seconds that never go back.
    """

    def __init__(self, threshold: int, backoff: Backoff, clock: Callable[[], float]) -> None:
        """``backoff`` bounds the waits between tries; a refused key waits its cap each time."""
        self._threshold = threshold
        self._backoff = backoff
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self.state = State.RUNNING
        self.reason = ""

    def wait(self) -> float:
        """Return the seconds until something may be sent; 0 when it may now."""
        return max(0.0, self._until - self._clock())

    def succeed(self) -> None:
        """Note that the API took an event, or refused one for what was in it."""
        self._failures = 0
        self._until = 0.0
        self.state = State.RUNNING
        self.reason = ""

    def fail(self, reason: str, wait: float = 0, first: bool = True) -> None:
        """Note a failure that is not the event's; ``wait``: seconds the API asked for.

        While events are sent, only those on their ``first`` try count: a single event that fails
        again and again must not hold up the others.
        """
        if first or self.state is not State.RUNNING:
            self._failures += 1
        excess = self._failures - self._threshold
        if self.state is State.RUNNING and (excess >= 0 or wait > 0):
            self.state = State.HOLDING
        if self.state is not State.RUNNING:
            self.reason = reason
            pause = self._backoff.delay(max(excess, 0) + 1, wait)
            self._until = max(self._until, self._clock() + pause)

    def pause(self, reason: str) -> None:
        """Note that the API refuses the key."""
        self.state = State.PAUSED
        self.reason = reason
        self._until = max(self._until, self._clock() + self._backoff.cap)
