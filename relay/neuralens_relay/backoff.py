"""Computes the delay before a retry."""

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

# Unlike the module's functions, it draws alike in no two processes, and leaves the state of the
# application's generator alone.
RANDOM = SystemRandom()


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with full jitter.

    ``base`` and ``cap`` are in seconds; ``patience`` caps a Retry-After, in seconds;
    ``spread(low, high)`` draws a random number.
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    base: float
    cap: float
    patience: float
    spread: Callable[[float, float], float] = RANDOM.uniform

    @property
    def longest(self) -> float:
        """The upper bound of all delays, in seconds."""
        return self.cap + self.patience

    def delay(self, attempts: int, asked: float = 0) -> float:
        """Return the delay in seconds after a number of failed attempts (from 1).

        ``asked`` is a Retry-After in seconds: the minimum delay, up to ``patience``.
        """
        # The exponent is bounded because 2.0 ** 1024 overflows.
        bound = min(self.cap, self.base * 2.0 ** min(attempts - 1, 64))
        return min(asked, self.patience) + self.spread(0, bound)
