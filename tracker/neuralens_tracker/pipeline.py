"""From something that happened to an event in the outbox: one path for captures and calls."""

from typing import Any

from neuralens_tracker.delivery import FLUSH_MS
from neuralens_tracker.events import REQUIRED, explain
from neuralens_tracker.value_types import TEXT, read
from neuralens_tracker.vocabulary import DENIED, GRANTED, PURCHASE

# The orders whose purchase was tracked.
ORDER_KEY = "o:"


class Pipeline:
    """Makes events, holds them until there is consent, and hands them to the outbox."""

    def __init__(
        self,
        settings: dict[str, Any],
        storage: Any,
        identity: Any,
        outbox: Any,
        delivery: Any,
        clock: Any,
        hooks: Any,
        say: Any,
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._identity = identity
        self._outbox = outbox
        self._delivery = delivery
        self._clock = clock
        self._hooks = hooks
        self._say = say
        self._held: list[Any] = []
        self._geo: Any = None

    def track(self, name: Any, ids: Any, fields: dict[str, Any], once: Any) -> None:
        """Track an event on an item's id, or a list of them.

        ``fields`` may hold query, page and index. A purchase with the same text for ``once`` as
        an earlier one is suppressed, for good. A field that is wrong is left out and said; an
        event that lacks a required one is suppressed and said.
        """
        if not isinstance(ids, list):
            ids = [ids]
        event = {
            "eid": self._identity.make_uuid(),
            "items": [{"id": read(TEXT, item)} for item in ids],
            "event": name,
            "timestamp": int(self._clock.now()),
            "query": fields.get("query") or None,
            "page": fields.get("page"),
            "index": fields.get("index"),
            "geo": self._geo,
        }
        if self._repair(event):
            self._receive(event, once)

    def restore(self, event: dict[str, Any], once: Any) -> None:
        """Track an event of earlier, which has its own id and time, as from here."""
        event["geo"] = self._geo
        if self._repair(event):
            self._receive(event, once)

    def _receive(self, event: dict[str, Any], once: Any) -> None:
        """Take in an event that is right, as far as the shopper's consent goes."""
        if self._settings["consent"] == GRANTED:
            self._accept(event, once)
        elif self._settings["consent"] == DENIED:
            self._suppress(event, "consent")
        else:
            self._held.append([event, once])

    def set_geo(self, geo: Any) -> None:
        """Give the events from now on a location; None takes it back."""
        self._geo = geo

    def set_consent(self, state: str) -> None:
        """Follow the shopper's decision: send what was held, or forget everything."""
        self._settings["consent"] = state
        if state == GRANTED:
            self._outbox.adopt()
            self._delivery.schedule(FLUSH_MS)
        elif state == DENIED:
            self._outbox.clear()
            for key in self._storage.names(""):
                self._storage.erase(key)
        held = self._held
        self._held = []
        for entry in held:
            self._receive(entry[0], entry[1])

    def _repair(self, event: dict[str, Any]) -> bool:
        """Take out the fields that are wrong; false when what is left is no event."""
        while True:
            reason = explain(event)
            if reason == "":
                return True
            field = reason.split(" ")[0]
            self._say(reason)
            if field in REQUIRED or field not in list(event.keys()):
                self._suppress(event, reason)
                return False
            del event[field]

    def _suppress(self, event: dict[str, Any], reason: str) -> None:
        self._hooks.emit("suppressed", {"event": event, "reason": reason})

    def _accept(self, event: dict[str, Any], once: Any) -> None:
        if once and event["event"] == PURCHASE:
            if self._storage.read(ORDER_KEY + once):
                self._suppress(event, "repeated")
                return
            self._storage.write(ORDER_KEY + once, "1")
        event["uid"] = self._identity.find(self._settings["uid"])
        changed = self._hooks.change(event)
        if not changed:
            self._suppress(event, "before")
        elif self._repair(changed):
            self._outbox.add(changed)
            self._hooks.emit("event", changed)
            self._delivery.schedule(FLUSH_MS)
