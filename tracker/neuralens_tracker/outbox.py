"""The events that still have to reach the relay: a queue, and its journal in storage.

Each event has a storage key of its own, so that two tabs never overwrite each other's, and is
erased only when its fate is known. What another page left behind is adopted by the next one; the
relay drops an ``eid`` that it has seen, so sending twice is safe and forgetting is not.
"""

from typing import Any

from neuralens_tracker.events import find_fault

EVENT_KEY = "e:"
# Events kept at most: some hundred kilobytes of the five megabytes that a site may store.
MAX_EVENTS = 1000


class Outbox:
    """Events in order of arrival; ``parse`` and ``dump`` turn JSON text into values and back."""

    def __init__(self, storage: Any, parse: Any, dump: Any) -> None:
        self._storage = storage
        self._parse = parse
        self._dump = dump
        self._waiting: list[Any] = []
        self._adopted = False
        # Events that had to be dropped since a batch last said so to the relay.
        self._lost = 0

    def adopt(self) -> None:
        """Take in, once, the events that earlier pages left in the journal."""
        if self._adopted:
            return
        self._adopted = True
        for key in self._storage.names(EVENT_KEY):
            event = self._parse(self._storage.read(key))
            if find_fault(event) is None:
                self._waiting.append(event)
            else:
                self._storage.erase(key)
                self.count_lost(1)

    def add(self, event: dict[str, Any]) -> None:
        """Queue an event and write it into the journal; over the bound the oldest is lost."""
        self._waiting.append(event)
        self._storage.write(EVENT_KEY + event["eid"], self._dump(event))
        if len(self._waiting) > MAX_EVENTS:
            self.count_lost(1)
            self.erase([self._waiting.pop(0)])

    def count_lost(self, count: int) -> None:
        """Count events that had to be dropped."""
        self._lost += count

    def pop_lost(self) -> int:
        """Return how many events were dropped since this was last asked."""
        lost = self._lost
        self._lost = 0
        return lost

    def count(self) -> int:
        """Return how many events wait."""
        return len(self._waiting)

    def pop_batch(self, most: int) -> list[Any]:
        """Remove and return the first events, as many as fit in ``most`` characters of JSON."""
        taken: list[Any] = []
        size = 0
        while len(self._waiting) > 0:
            size += len(self._dump(self._waiting[0]))
            if size > most and len(taken) > 0:
                break
            taken.append(self._waiting.pop(0))
        return taken

    def requeue(self, events: list[Any]) -> None:
        """Put taken events back at the head of the queue."""
        events.extend(self._waiting)
        self._waiting = events

    def erase(self, events: list[Any]) -> None:
        """Erase events whose fate is known from the journal."""
        for event in events:
            self._storage.erase(EVENT_KEY + event["eid"])

    def clear(self) -> None:
        """Forget every event that waits; the journal is its owner's to clear."""
        self._waiting = []
