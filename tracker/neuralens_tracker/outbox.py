"""The events that still have to reach the relay: a queue, and its journal in storage.

Each event has a storage key of its own, so that two tabs never overwrite each other's, and is
erased only when its fate is known. The key names the tab that answers for it; what a tab that is
gone has left is adopted by another. The relay drops an ``eid`` that it has seen, so sending twice
is safe and forgetting is not.
"""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.events import FIELDS, find_fault
from neuralens_tracker.identity import Identity
from neuralens_tracker.types import Clock, Event, Say, Store
from neuralens_tracker.value_types import COUNT, TEXT, read

# Before the name of the tab, which has TAB_LENGTH letters, and the eid. Version 0.1.0 wrote the eid
# alone: its beginning stands for a tab that is gone.
EVENT_KEY = "e:"
TAB_LENGTH = 8
# A batch whose fate is not known, before its id: the keys of its events.
BATCH_KEY = "b:"
# What all tabs share: the journal's ``id``, which begins with the day (since 1970) on which it was
# begun; ``seq``, its last sequence number, for a gap at the relay shows a loss; and, by reason, the
# losses since then: telling of them twice does no harm.
JOURNAL_KEY = "j"
DAY = 86400
# Events kept at most: some hundred kilobytes of the five megabytes that a site may store.
MAX_EVENTS = 1000
# Why an event was lost.
OVERFLOW = "overflow"
STORAGE = "storage"
REFUSED = "refused"
REASONS = (OVERFLOW, REFUSED, STORAGE)
NUMBERS = ("seq", OVERFLOW, REFUSED, STORAGE)


class Entry:
    """An event that waits: its key, whether storage has it, its length as JSON, and its refusals.

    The refusals are those when it was alone.
    """

    def __init__(self, event: Event, key: str, kept: bool, size: int) -> None:
        self.event = event
        self.key = key
        self.kept = kept
        self.size = size
        self.refusals = 0


def tab_of(key: str) -> str:
    """Return the tab that an event's key names."""
    return key[len(EVENT_KEY) :][:TAB_LENGTH]


class Outbox:
    """Entries in order of arrival; ``dump`` returns the JSON text of a value."""

    def __init__(
        self,
        storage: Store,
        identity: Identity,
        clock: Clock,
        dump: Callable[[Any], str],
        say: Say,
    ) -> None:
        self._storage = storage
        self._identity = identity
        self._clock = clock
        self._dump = dump
        self._say = say
        self._waiting: list[Entry] = []
        self._tab = identity.make_uuid()[:TAB_LENGTH]
        self._batches = 0
        # The batches of this page that storage has a record of.
        self._recorded: list[str] = []
        self._begin_journal()

    def _begin_journal(self) -> None:
        day = str(int(self._clock.now() / DAY))
        self._journal: dict[str, Any] = {"id": day + "-" + self._identity.make_uuid()[:13]}

    def tab(self) -> str:
        """Return the name of this page among the tabs that share the journal."""
        return self._tab

    def other_tabs(self) -> list[str]:
        """Return the tabs whose events are in the journal."""
        tabs: list[str] = []
        for key in self._storage.names(EVENT_KEY):
            tab = tab_of(key)
            if tab != self._tab and tab not in tabs:
                tabs.append(tab)
        return tabs

    def adopt(self, tab: str) -> bool:
        """Take in what a tab that is gone has left; true if it never learnt a batch's fate."""
        for key in self._storage.names(EVENT_KEY + tab):
            event = self._storage.load(key)
            self._storage.erase(key)
            fields: dict[str, Any] = event if isinstance(event, dict) else {}
            # What another version has added is left behind.
            kept: Event = {}
            for name in list(FIELDS.keys()):
                kept[name] = fields.get(name)
            if find_fault(kept) is None:
                self._append(kept, read(COUNT, fields.get("seq")))
            else:
                self.count_lost(STORAGE, 1)
        records = self._storage.names(BATCH_KEY + tab)
        for record in records:
            self._storage.erase(record)
        return len(records) > 0

    def add(self, event: Event) -> None:
        """Queue an event and write it into the journal; over the bound the oldest is lost."""
        self._append(event, None)

    def _append(self, event: Event, number: int | None) -> None:
        """Add an event under its number in the journal; None gives it the next one."""
        numbered: Event = {}
        numbered.update(event)
        numbered["seq"] = number or self._count("seq", 1)
        key = EVENT_KEY + self._tab + event["eid"]
        kept = self._storage.save(key, numbered)
        if not kept:
            self._say("storage is full or blocked: events may be lost")
        self._waiting.append(Entry(numbered, key, kept, len(self._dump(numbered))))
        if len(self._waiting) > MAX_EVENTS:
            self.count_lost(OVERFLOW, 1)
            self.erase([self._waiting.pop(0)])

    def _read_journal(self) -> dict[str, Any]:
        """Return the journal with its numbers: that of storage, if there is one."""
        kept: Any = self._storage.load(JOURNAL_KEY)
        stored: dict[str, Any] = kept if isinstance(kept, dict) else {}
        journal: dict[str, Any] = {"id": read(TEXT, stored.get("id")) or self._journal["id"]}
        # Storage that is full keeps old numbers.
        is_same = journal["id"] == self._journal["id"]
        for name in NUMBERS:
            own = self._journal.get(name) if is_same else 0
            journal[name] = max(read(COUNT, stored.get(name)) or 0, own or 0)
        self._journal = journal
        return journal

    def _count(self, name: str, count: int) -> int:
        """Add to a number of the journal, and return it."""
        journal = self._read_journal()
        total = count
        if name in list(journal.keys()):
            total += journal[name]
            journal[name] = total
        self._storage.save(JOURNAL_KEY, journal)
        return total

    def journal(self) -> str:
        """Return the id of the journal."""
        return str(self._read_journal()["id"])

    def count_lost(self, reason: str, count: int) -> None:
        """Count events that had to be dropped."""
        self._count(reason, count)

    def losses(self) -> dict[str, int]:
        """Return the losses by reason since the journal was begun."""
        journal = self._read_journal()
        losses: dict[str, int] = {}
        for reason in REASONS:
            losses[reason] = journal[reason]
        return losses

    def count(self) -> int:
        """Return how many events wait."""
        return len(self._waiting)

    def pop_batch(self, most: int) -> list[Entry]:
        """Remove and return the first entries, as many as fit in ``most`` characters of JSON.

        One that was refused when it was alone is alone again.
        """
        taken: list[Entry] = []
        size = 0
        while len(self._waiting) > 0:
            entry = self._waiting[0]
            size += entry.size
            if len(taken) > 0 and (size > most or entry.refusals > 0 or taken[0].refusals > 0):
                break
            taken.append(self._waiting.pop(0))
        return taken

    def requeue(self, entries: list[Entry]) -> None:
        """Put entries back at the head of the queue."""
        waiting = list(entries)
        waiting.extend(self._waiting)
        self._waiting = waiting

    def postpone(self, entry: Entry) -> None:
        """Put an entry at the end of the queue, where it holds up no other."""
        self._waiting.append(entry)

    def erase(self, entries: list[Entry]) -> None:
        """Erase events whose fate is known from the journal."""
        for entry in entries:
            self._storage.erase(entry.key)

    def open_batch(self, entries: list[Entry]) -> str:
        """Return a new batch's id, under which storage knows its events until its fate is known."""
        self._batches += 1
        batch_id = self._tab + "-" + str(self._batches)
        if self._storage.save(BATCH_KEY + batch_id, [entry.key for entry in entries]):
            self._recorded.append(batch_id)
        return batch_id

    def close_batch(self, batch_id: str) -> None:
        """Forget a batch whose fate is known."""
        self._storage.erase(BATCH_KEY + batch_id)
        self._recorded = [other for other in self._recorded if other != batch_id]

    def has_open_batches(self) -> bool:
        """Tell whether the fate of a batch, of whatever page, is not known yet."""
        return len(self._storage.names(BATCH_KEY)) > 0

    def confirm(self, batch_id: str) -> None:
        """Erase the events of a batch that the relay took, whichever page has sent it."""
        keys = self._storage.load(BATCH_KEY + batch_id)
        if isinstance(keys, list):
            for key in keys:
                self._storage.erase(key)
        self._storage.erase(BATCH_KEY + batch_id)

    def confirmed(self) -> list[str]:
        """Return the batches of this page that were confirmed, maybe by another page."""
        return [
            batch_id
            for batch_id in self._recorded
            if self._storage.read(BATCH_KEY + batch_id) is None
        ]

    def refresh(self) -> None:
        """Let go of what another tab has adopted while this page was in the back/forward cache."""
        there = self._storage.names(EVENT_KEY)
        self._waiting = [entry for entry in self._waiting if not entry.kept or entry.key in there]

    def clear(self) -> None:
        """Forget what waits, and begin a new journal; storage is its owner's to clear."""
        self._waiting = []
        self._recorded = []
        self._begin_journal()
