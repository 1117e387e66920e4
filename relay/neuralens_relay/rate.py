"""How much one client may send."""

from collections import OrderedDict
from collections.abc import Callable

# Clients remembered; the one heard of longest ago is forgotten first.
MAX_CLIENTS = 10_000


class RateLimit:
    """A token bucket for each client: ``rate`` a second, ``burst`` at once.

    ``clock`` gives seconds that never go back. A rate of 0 lets everything through.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        if self._rate == 0:
            return 0
        now = self._clock()
        tokens, since = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[client] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return wait
