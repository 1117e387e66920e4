"""What the relay counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from neuralens_relay.breaker import State
from neuralens_relay.outbox import Depth


class Metrics:
    """The metrics of one relay, in a registry of its own: an application may hold several."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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
        self.lost = self._counter("neuralens_events_lost", "Events that browsers had to drop")
        self.forwarded = Counter(
            "neuralens_forwarded",
            "Answers of the API by what follows",
            ["fate"],
            registry=self._registry,
        )
        self.ambiguous = self._counter(
            "neuralens_forwarded_ambiguous", "Sends of which the API's verdict is not known"
        )
        self.seconds = Histogram(
            "neuralens_forward_seconds", "Time the API took to answer", registry=self._registry
        )
        self._waiting = self._gauge("neuralens_outbox_waiting", "Events that wait for the API")
        self._dead = self._gauge("neuralens_outbox_dead", "Events for which nothing more is tried")
        self._oldest = self._gauge("neuralens_outbox_oldest_seconds", "Age of the oldest waiting")
        self._paused = self._gauge("neuralens_forwarding_paused", "1: the API refuses the key")
        self._holding = self._gauge("neuralens_forwarding_holding", "1: the API takes nothing now")

    def show_depth(self, depth: Depth, now: float) -> None:
        """Set what is known of the outbox at Unix time ``now``."""
        self._waiting.set(depth.waiting)
        self._dead.set(depth.dead)
        self._oldest.set(max(0.0, now - depth.oldest) if depth.oldest is not None else 0)

    def show_state(self, state: State) -> None:
        """Set what is known of the forwarder."""
        self._paused.set(state is State.PAUSED)
        self._holding.set(state is State.HOLDING)

    def render(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)
