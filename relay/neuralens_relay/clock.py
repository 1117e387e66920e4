"""The time of day, and whether it can be believed."""

from collections.abc import Callable

# Seconds by which the time of day may be corrected without being called a jump.
CORRECTION = 2.0
# Seconds without a jump after which the time of day is believed.
SETTLED = 600.0


class Clock:
    """Unix time, and its jumps.

    ``wall`` gives Unix time, which may be wrong and be put right; ``ticks`` gives seconds that
    never go back.
    """

    def __init__(self, wall: Callable[[], float], ticks: Callable[[], float]) -> None:
        self._wall = wall
        self.ticks = ticks
        self._offset = wall() - ticks()
        self._since = ticks()

    def now(self) -> float:
        """Return Unix time."""
        return self._wall()

    def look(self) -> bool:
        """Look for a jump since the last look; tell whether the time of day went back."""
        ticks = self.ticks()
        offset = self._wall() - ticks
        jump, self._offset = offset - self._offset, offset
        if abs(jump) > CORRECTION:
            self._since = ticks
        return jump < -CORRECTION

    @property
    def steady(self) -> bool:
        """Whether there was no jump for a while: what is old by this time is old."""
        return self.ticks() - self._since >= SETTLED
