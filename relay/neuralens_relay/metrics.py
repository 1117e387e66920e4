"""What the relay counts, for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from neuralens_relay.answers import Fate
from neuralens_relay.balance import Balance
from neuralens_relay.breaker import State
from neuralens_relay.health import Health

# What a batch is answered with.
STATUSES = (202, 400, 403, 413, 415, 429, 503)


class Metrics:
    """The metrics of one relay, in a registry of its own: an application may hold several."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._outbox = CollectorRegistry()
        self.batches = Counter(
            "neuralens_batches",
            "Batches by HTTP status answered",
            ["status"],
            registry=self._registry,
        )
        self.malformed = self._counter("neuralens_requests_malformed", "Requests that are not HTTP")
        self.received = self._counter("neuralens_events_received", "Events in batches read")
        self.accepted = self._counter("neuralens_events_accepted", "Events written down")
        self.duplicates = self._counter("neuralens_events_duplicate", "Events seen before")
        self.rejected = self._counter("neuralens_events_rejected", "Events that are wrong")
        self.tokens = Counter(
            "neuralens_events_by_token",
            "Events by what the token of their page is, where NEURALENS_PAGE_SECRET is set",
            ["token"],
            registry=self._registry,
        )
        self.lost = self._counter("neuralens_events_lost", "Events that browsers say they dropped")
        self.forwarded = Counter(
            "neuralens_forwarded",
            "Answers of the API by what follows",
            ["fate"],
            registry=self._registry,
        )
        # A series that begins with its first count shows Prometheus no increase.
        for fate in Fate:
            self.forwarded.labels(fate.value)
        for status in STATUSES:
            self.batches.labels(str(status))
        self.ambiguous = self._counter(
            "neuralens_forwarded_ambiguous", "Sends of which the API's verdict is not known"
        )
        self.seconds = Histogram(
            "neuralens_forward_seconds", "Time the API took to answer", registry=self._registry
        )
        self._limit = self._gauge(
            "neuralens_forwarding_limit", "Requests to the API that there may be at once now"
        )
        self._in_flight = self._gauge(
            "neuralens_forwarding_in_flight", "Requests to the API that have no answer yet"
        )
        self._states = Gauge(
            "neuralens_forwarding_state",
            "1 for what forwarding is doing",
            ["state"],
            registry=self._registry,
        )
        self._paused = self._gauge("neuralens_forwarding_paused", "1: the API refuses the key")
        self._holding = self._gauge("neuralens_forwarding_holding", "1: the API takes nothing now")
        self._ready = self._gauge("neuralens_ready", "1: events are taken")
        self._last = Gauge(
            "neuralens_last_timestamp_seconds",
            "Unix time of the last write to the outbox, look for what is due, and delivery",
            ["what"],
            registry=self._registry,
        )
        # Those of the outbox, which are not shown while it cannot be read.
        self._waiting = self._held("neuralens_outbox_waiting", "Events that wait for the API")
        self._dead = self._held("neuralens_outbox_dead", "Dead letters: nothing more is tried")
        self._oldest = self._held("neuralens_outbox_oldest_seconds", "Age of the oldest waiting")
        self._unreadable = self._held("neuralens_outbox_unreadable", "Events lost to damage")
        self._dropped = self._held(
            "neuralens_outbox_dead_dropped", "Dead letters dropped for age or number, since start"
        )

        self._balance = Gauge(
            "neuralens_balance_events",
            "What became of events: tracked is the sum of all other states",
            ["app", "day", "state", "reason"],
            registry=self._outbox,
        )

    def render(self, health: Health, balances: Sequence[Balance]) -> bytes:
        """Return everything in Prometheus's text format; without a depth, nothing of the outbox."""
        self._limit.set(health.limit)
        self._in_flight.set(health.in_flight)
        for state in State:
            self._states.labels(state.value).set(state is health.state)
        self._paused.set(health.state is State.PAUSED)
        self._holding.set(health.state is State.HOLDING)
        self._ready.set(health.ready)
        for what, moment in health.last.items():
            self._last.labels(what).set(moment or 0)
        text = generate_latest(self._registry)
        depth = health.depth
        if depth is not None:
            self._waiting.set(depth.waiting)
            self._dead.set(depth.dead)
            age = 0.0 if depth.oldest is None else health.now - depth.oldest
            self._oldest.set(max(0.0, age))
            self._unreadable.set(depth.unreadable)
            self._dropped.set(depth.dropped)
            self._balance.clear()
            for balance in balances:
                for (kind, reason), count in balance.entries().items():
                    self._balance.labels(balance.app, balance.date, kind, reason).set(count)
            text += generate_latest(self._outbox)
        return text

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def _held(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._outbox)
