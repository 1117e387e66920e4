"""How long to wait before the next try."""

from collections.abc import Callable
from dataclasses import dataclass
from random import uniform


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with full jitter.

    ``base`` and ``cap`` are seconds; ``patience``: the most seconds that anybody may ask to wait;
    ``spread`` draws a number from its first to its second argument.
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    base: float
    cap: float
    patience: float
    spread: Callable[[float, float], float] = uniform

    @property
    def longest(self) -> float:
        """The seconds that no wait is longer than."""
        return self.cap + self.patience

    def delay(self, attempts: int, asked: float = 0) -> float:
        """Return seconds to wait after so many failed attempts (from 1).

        ``asked``: seconds that were asked for; the wait is not shorter, up to ``patience``.
        """
        # The exponent is bounded because 2.0 ** 1024 is no float.
        bound = min(self.cap, self.base * 2.0 ** min(attempts - 1, 64))
        return min(asked, self.patience) + self.spread(0, bound)
