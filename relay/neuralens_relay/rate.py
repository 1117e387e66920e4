"""Limits what one sender may send: a rate, and a share of the outbox."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_network

from neuralens_relay.addresses import read_address

# Senders remembered; the least recently seen is evicted.
MAX_SENDERS = 50_000
# An IPv6 client usually has a whole network of this size.
IPV6_PREFIX = 64
# Bytes that count as one event; a typical event has a third of it.
BYTES_PER_EVENT = 1024
# Fractions of the outbox's limit, and the minimum of a share, in events.
BACKLOG = 0.05
SHARE = 0.1
MIN_SHARE = 1000


def name_sender(host: str) -> str:
    """Return the key of a client: its address, or its IPv6 network."""
    address = read_address(host)
    if address is None:
        return host[:64]
    if address.version == 4:
        return str(address)
    return str(ip_network((address, IPV6_PREFIX), strict=False))


def cost(events: int, size: int) -> float:
    """Return what a batch with a number of events and bytes counts as, in events."""
    return max(1, events, size / BYTES_PER_EVENT)


class RateLimit:
    """A token bucket per sender: ``rate`` events per second, with bursts of ``burst``.

    A bucket may go negative, so that no batch is too large: the sender then waits longer.
    ``clock`` returns monotonic seconds. A rate of 0 means unlimited.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, sender: str) -> float:
        """Return the seconds until the sender may send; 0 if it may now."""
        if self._rate == 0 or sender not in self._buckets:
            return 0
        return max(0.0, (1 - self._tokens(sender)) / self._rate)

    def charge(self, sender: str, events: float) -> None:
        """Take tokens for a number of events from a sender's bucket."""
        if self._rate == 0:
            return
        self._buckets[sender] = (self._tokens(sender) - events, self._clock())
        self._buckets.move_to_end(sender)
        if len(self._buckets) > MAX_SENDERS:
            self._buckets.popitem(last=False)

    def _tokens(self, sender: str) -> float:
        now = self._clock()
        tokens, since = self._buckets.get(sender, (self._burst, now))
        return min(self._burst, tokens + (now - since) * self._rate)


class Shares:
    """Limits each sender's share of an outbox with a backlog.

    While more than BACKLOG of ``limit`` events are queued, one sender may add at most SHARE of it:
    a flood within the rate limit must leave space for others, however long the API is down. A share
    is at least MIN_SHARE, as many events as one browser may have queued.
    """

    def __init__(self, limit: float) -> None:
        self._backlog = limit * BACKLOG
        self._share = max(limit * SHARE, MIN_SHARE)
        self._has_backlog = False
        self._added: OrderedDict[str, int] = OrderedDict()

    def note_waiting(self, waiting: int) -> None:
        """Update the number of queued events; without a backlog, shares start from zero."""
        self._has_backlog = waiting > self._backlog
        if not self._has_backlog:
            self._added.clear()

    def allows(self, sender: str) -> bool:
        """Return whether the sender may add events."""
        return not self._has_backlog or self._added.get(sender, 0) < self._share

    def note_added(self, sender: str, events: int) -> None:
        """Record a number of events that a sender has added."""
        self._added[sender] = self._added.pop(sender, 0) + events
        if len(self._added) > MAX_SENDERS:
            self._added.popitem(last=False)
