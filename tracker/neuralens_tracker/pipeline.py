"""Takes every event, captured or called, through validation, consent and hooks to the outbox."""

from neuralens_tracker.acts import Acts
from neuralens_tracker.attribution import Attribution
from neuralens_tracker.delivery import FLUSH_MS, Delivery
from neuralens_tracker.events import REQUIRED, find_fault, make_event
from neuralens_tracker.hooks import HELD, Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.orders import name_purchase
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.personal_data import scrub_query
from neuralens_tracker.types import Clock, Event, Fields, Store
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import DENIED, GRANTED, PURCHASE

# Prefix of the storage key that marks an order as tracked.
ORDER_KEY = "o:"


class Held:
    """An event held until consent, with its item's key and the sources of its fields."""

    def __init__(self, event: Event, key: str | None, sources: Fields) -> None:
        self.event = event
        self.key = key
        self.sources = sources


class Pipeline:
    """Validates events, deduplicates them, holds them until consent, and queues them."""

    def __init__(
        self,
        visit: Visit,
        acts: Acts,
        attribution: Attribution,
        storage: Store,
        identity: Identity,
        outbox: Outbox,
        delivery: Delivery,
        clock: Clock,
        hooks: Hooks,
    ) -> None:
        self._visit = visit
        self._acts = acts
        self._attribution = attribution
        self._storage = storage
        self._identity = identity
        self._outbox = outbox
        self._delivery = delivery
        self._clock = clock
        self._hooks = hooks
        self._held: list[Held] = []

    def track(self, name: str, ids: object, fields: Fields, key: str | None, source: str) -> None:
        """Track an event that happens now, on one item id or a list of them.

        ``fields`` may hold query, page and index and their sources; ``key`` is as in ``receive``;
        ``source`` is one of those in ``acts``. A duplicate report of an act is suppressed.
        """
        eid = self._identity.make_uuid()
        now = self._clock.now()
        event = make_event(name, ids, fields, eid, int(now))
        event["geo"] = self._visit.geo()
        if not self._repair(event):
            return
        if not self._acts.admit(name, [item["id"] for item in event["items"]], source, now):
            self._suppress(event, "repeated")
            return
        sources: Fields = {"source": source}
        for source_name in ("rankSource", "querySource"):
            if fields.get(source_name):
                sources[source_name] = fields[source_name]
        if self._visit.consent() != DENIED and self._attribution.apply(
            event, now, fields.get("query") == ""
        ):
            sources["querySource"] = "attribution"
        self._await_consent(event, key, sources)

    def receive(self, event: Event, key: str | None) -> None:
        """Track an event as ``make_event`` returns it, without deduplicating acts.

        The ``key`` of a purchase is its order: it determines the ``eid``, and an order is tracked
        once per browser. Invalid optional fields are removed and reported; an event with an invalid
        required field is suppressed and reported.
        """
        event["geo"] = self._visit.geo()
        if self._repair(event):
            if self._visit.consent() != DENIED:
                self._attribution.apply(event, self._clock.now(), False)
            self._await_consent(event, key, {})

    def _await_consent(self, event: Event, key: str | None, sources: Fields) -> None:
        """Queue, hold or suppress a valid event, depending on consent."""
        if key and event["event"] == PURCHASE:
            event["eid"] = name_purchase(key, [item["id"] for item in event["items"]])
        if self._visit.consent() == GRANTED:
            self._accept(event, key, sources)
        elif self._visit.consent() == DENIED:
            self._suppress(event, "consent")
        else:
            self._held.append(Held(event, key, sources))
            self._hooks.emit(HELD, event)

    def set_consent(self, state: object) -> None:
        """Apply the shopper's decision: queue held events, or erase all data."""
        self._visit.set_consent(state)
        if self._visit.consent() == GRANTED:
            self._attribution.store()
            self._delivery.schedule(FLUSH_MS)
        else:
            # In memory only, as before consent.
            self._attribution.clear()
        if self._visit.consent() == DENIED:
            self._outbox.clear()
            for name in self._storage.names(""):
                self._storage.erase(name)
        held = self._held
        self._held = []
        for entry in held:
            self._await_consent(entry.event, entry.key, entry.sources)

    def _repair(self, event: dict[str, object]) -> bool:
        """Remove and report invalid fields in place; return False if a required one is invalid."""
        scrub_query(event)
        while True:
            fault = find_fault(event)
            if fault is None:
                return True
            self._hooks.report(fault.sentence)
            if fault.field in REQUIRED or fault.field not in list(event.keys()):
                self._suppress(event, fault.sentence)
                return False
            del event[fault.field]

    def _suppress(self, event: Event, reason: str) -> None:
        self._hooks.emit("suppressed", {"event": event, "reason": reason})

    def _accept(self, event: Event, key: str | None, sources: Fields) -> None:
        if key and event["event"] == PURCHASE:
            if self._storage.read(ORDER_KEY + key):
                self._suppress(event, "repeated")
                return
            self._storage.write(ORDER_KEY + key, "1")
        event["uid"] = self._visit.uid()
        changed = self._hooks.change(event)
        if not isinstance(changed, dict):
            self._suppress(event, "before")
        elif self._repair(changed):
            # Only listeners get the sources: the API has no such fields.
            sources.update(changed)
            self._outbox.add(changed)
            self._hooks.emit("event", sources)
            self._delivery.schedule(FLUSH_MS)
