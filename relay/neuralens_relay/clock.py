"""The wall clock, and whether it has jumped recently."""

from collections.abc import Callable

# Seconds of an adjustment that is not yet a jump.
CORRECTION = 2.0
# Seconds without a jump after which the wall clock is trusted.
SETTLED = 600.0


class Clock:
    """A wall clock that detects its own jumps.

    ``wall`` returns Unix time, which may be wrong and be corrected; ``ticks`` returns monotonic
    seconds.
    """

    def __init__(self, wall: Callable[[], float], ticks: Callable[[], float]) -> None:
        self._wall = wall
        self.ticks = ticks
        self._offset = wall() - ticks()
        self._since = ticks()

    def now(self) -> float:
        """Return Unix time."""
        return self._wall()

    def check(self) -> bool:
        """Check for a jump since the last check; return whether the wall clock went backwards."""
        ticks = self.ticks()
        offset = self._wall() - ticks
        jump, self._offset = offset - self._offset, offset
        if abs(jump) > CORRECTION:
            self._since = ticks
        return jump < -CORRECTION

    @property
    def steady(self) -> bool:
        """Whether there was no recent jump, so that ages can be trusted."""
        return self.ticks() - self._since >= SETTLED
