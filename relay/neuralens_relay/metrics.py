"""The relay's metrics, for Prometheus."""

from collections.abc import Sequence

from neuralens_tracker.vocabulary import ACCEPTED
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from neuralens_relay.answers import Fate
from neuralens_relay.balance import Balance
from neuralens_relay.breaker import State
from neuralens_relay.health import Health
from neuralens_relay.store import Depth

# The HTTP statuses of responses to batches.
STATUSES = (ACCEPTED, 400, 403, 413, 415, 429, 503)


class Metrics:
    """The metrics of one relay, in its own registry, since an application may have several."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._outbox = OutboxMetrics()
        self._define_intake()
        self._define_forwarding()
        self._ready = self._gauge("neuralens_ready", "1: events are accepted")
        self._last = self._gauge(
            "neuralens_last_timestamp_seconds",
            "Unix time of the last write to the outbox, read of due events, and delivery",
            "what",
        )

    def _define_intake(self) -> None:
        self.batches = self._counter(
            "neuralens_batches", "Batches by HTTP status of the response", "status"
        )
        # Initialized, because Prometheus sees no increase in a series that starts at 1.
        for status in STATUSES:
            self.batches.labels(str(status))
        self.malformed = self._counter("neuralens_requests_malformed", "Requests that are not HTTP")
        self.received = self._counter("neuralens_events_received", "Events in valid batches")
        self.accepted = self._counter("neuralens_events_accepted", "New events stored")
        self.duplicates = self._counter("neuralens_events_duplicate", "Duplicate events dropped")
        self.rejected = self._counter("neuralens_events_rejected", "Events rejected")
        self.tokens = self._counter(
            "neuralens_events_by_token",
            "Events by verdict on their page token, if NEURALENS_PAGE_SECRET is set",
            "token",
        )
        self.lost = self._counter("neuralens_events_lost", "Events lost, as browsers report")

    def _define_forwarding(self) -> None:
        self.forwarded = self._counter(
            "neuralens_forwarded", "Responses of the API by their consequence", "fate"
        )
        for fate in Fate:
            self.forwarded.labels(fate.value)
        self.ambiguous = self._counter(
            "neuralens_forwarded_ambiguous", "Requests with an unknown outcome at the API"
        )
        self.seconds = Histogram(
            "neuralens_forward_seconds", "Response time of the API", registry=self._registry
        )
        self._limit = self._gauge(
            "neuralens_forwarding_limit", "Current limit of requests in flight to the API"
        )
        self._in_flight = self._gauge(
            "neuralens_forwarding_in_flight", "Requests in flight to the API"
        )
        self._states = self._gauge(
            "neuralens_forwarding_state", "1 for the current state of forwarding", "state"
        )
        self._paused = self._gauge("neuralens_forwarding_paused", "1: the API refuses the key")
        self._holding = self._gauge("neuralens_forwarding_holding", "1: the API is unavailable")

    def render(self, health: Health, balances: Sequence[Balance]) -> bytes:
        """Return the metrics in Prometheus's text format."""
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
        if health.depth is not None:
            text += self._outbox.render(health.depth, health.now, balances)
        return text

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)


class OutboxMetrics:
    """The metrics of the outbox, omitted while it cannot be read."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._waiting = self._gauge("neuralens_outbox_waiting", "Queued events")
        self._dead = self._gauge("neuralens_outbox_dead", "Dead letters")
        self._oldest = self._gauge(
            "neuralens_outbox_oldest_seconds", "Age of the oldest queued event"
        )
        self._unreadable = self._gauge(
            "neuralens_outbox_unreadable", "Events lost to a damaged outbox"
        )
        self._dropped = self._gauge(
            "neuralens_outbox_dead_dropped",
            "Dead letters deleted for their age or number, since the start",
        )
        self._balance = self._gauge(
            "neuralens_balance_events",
            "Events by state; tracked is the sum of all other states",
            "app",
            "day",
            "state",
            "reason",
        )

    def render(self, depth: Depth, now: float, balances: Sequence[Balance]) -> bytes:
        """Return the metrics in Prometheus's text format; ``now`` is Unix time."""
        self._waiting.set(depth.waiting)
        self._dead.set(depth.dead)
        age = 0.0 if depth.oldest is None else now - depth.oldest
        self._oldest.set(max(0.0, age))
        self._unreadable.set(depth.unreadable)
        self._dropped.set(depth.dropped)
        self._balance.clear()
        for balance in balances:
            for tally in balance.entries():
                labels = (tally.app, balance.date, tally.state, tally.reason)
                self._balance.labels(*labels).set(tally.count)
        return generate_latest(self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)
