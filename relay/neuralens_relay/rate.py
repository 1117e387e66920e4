"""How much one sender may send."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_network

from neuralens_relay.addresses import read_address

# Senders remembered; the one heard of longest ago is forgotten first.
MAX_SENDERS = 50_000
# Who has IPv6 has a network of this size, and may send from any address in it.
IPV6_PREFIX = 64
# Bytes that count as one event: events in a batch have a third of it.
BYTES_PER_EVENT = 1024
# Parts of an outbox, and what a share is at least, in events.
BACKLOG = 0.05
SHARE = 0.1
MIN_SHARE = 1000


def name_sender(host: str) -> str:
    """Return what a client's address counts as: itself, or its IPv6 network."""
    address = read_address(host)
    if address is None:
        return host[:64]
    if address.version == 4:
        return str(address)
    return str(ip_network((address, IPV6_PREFIX), strict=False))


def cost(events: int, size: int) -> float:
    """Return what a batch of so many events and bytes counts as, in events."""
    return max(1, events, size / BYTES_PER_EVENT)


class RateLimit:
    """A token bucket for each sender: ``rate`` events a second, ``burst`` at once.

    What is charged may be more than is there, so that a batch is never too large: the sender then
    waits for longer. ``clock`` gives seconds that never go back. A rate of 0 lets everything
    through.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, sender: str) -> float:
        """Return the seconds until the sender may send something; 0 when it may now."""
        if self._rate == 0 or sender not in self._buckets:
            return 0
        return max(0.0, (1 - self._tokens(sender)) / self._rate)

    def charge(self, sender: str, events: float) -> None:
        """Note that a sender sent what counts as so many events."""
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
    """How much of an outbox in which events pile up is each sender's.

    While more than BACKLOG of ``limit`` events wait, one sender may add at most SHARE of it: a
    flood that the rate lets through must leave room for the others, however long the API is down.
    Where that is less than one browser may have kept, it is as much.
    """

    def __init__(self, limit: float) -> None:
        self._backlog = limit * BACKLOG
        self._share = max(limit * SHARE, MIN_SHARE)
        self._piling = False
        self._added: OrderedDict[str, int] = OrderedDict()

    def note_waiting(self, waiting: int) -> None:
        """Note how many events wait; what was added before they piled up is long gone."""
        self._piling = waiting > self._backlog
        if not self._piling:
            self._added.clear()

    def allows(self, sender: str) -> bool:
        """Tell whether the sender may add to what waits."""
        return not self._piling or self._added.get(sender, 0) < self._share

    def note_added(self, sender: str, events: int) -> None:
        """Note that so many events of a sender wait now."""
        self._added[sender] = self._added.pop(sender, 0) + events
        if len(self._added) > MAX_SENDERS:
            self._added.popitem(last=False)
