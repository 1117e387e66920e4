"""The queue of events that still have to reach the relay, and its journal in storage.

Each event has its own storage key, so that tabs do not overwrite each other's events, and is erased
only when its outcome is known. The key names the tab that owns it; the events of a closed tab
(orphans) are adopted by another one. The relay deduplicates by ``eid``, so sending an event twice
is safe and losing it is not.
"""

from collections.abc import Callable

from neuralens_tracker.events import FIELDS, find_fault
from neuralens_tracker.identity import Identity
from neuralens_tracker.types import Clock, Event, Fields, Report, Store
from neuralens_tracker.value_types import COUNT, TEXT, read

# Prefix of an event's storage key, followed by the tab's name (TAB_LENGTH characters) and the eid.
# Version 0.1.0 wrote only the eid, whose beginning then reads as the name of a closed tab.
EVENT_KEY = "e:"
TAB_FORM = "xxxxxxxx"
TAB_LENGTH = len(TAB_FORM)
JOURNAL_FORM = TAB_FORM + "-xxxx"
# Prefix of a batch's storage key, followed by its id, until the relay has answered it. The value:
# ``at``, the Unix time when it was posted, and the ``eids`` of its events.
BATCH_KEY = "b:"
# Seconds within which most relays acknowledge a batch, and after which none does any more.
DUE_S = 9
FORGOTTEN_S = 60
# The journal, shared by all tabs: ``id``, which begins with its first day (since 1970); ``seq``,
# the last sequence number, so that the relay sees losses as gaps; ``cleared``, the last one before
# the page cleared the storage; and cumulative losses by reason, which may be reported repeatedly.
JOURNAL_KEY = "j"
DAY = 86400
# A few hundred kilobytes of the five megabytes that a site may store.
MAX_EVENTS = 1000
# The reasons for losing an event.
OVERFLOW = "overflow"
STORAGE = "storage"
REFUSED = "refused"
REASONS = (OVERFLOW, REFUSED, STORAGE)
NUMBERS = ("seq", "cleared", OVERFLOW, REFUSED, STORAGE)


class Entry:
    """A queued event: its storage key, whether it is stored, and its length as JSON in characters.

    ``refusals`` counts how often it was refused in a batch of its own.
    """

    def __init__(self, event: Event, key: str, size: int, refusals: int) -> None:
        self.event = event
        self.key = key
        self.stored = False
        self.size = size
        self.refusals = refusals


def count_of(value: object) -> int:
    """Return a count from storage; 0 if it is missing or invalid."""
    return read(COUNT, value) or 0


def tab_of(key: str) -> str:
    """Return the name of the tab that owns the event of a key."""
    return key[len(EVENT_KEY) : len(EVENT_KEY) + TAB_LENGTH]


class Outbox:
    """The queue, in order of arrival; ``dump(value)`` serializes to JSON."""

    def __init__(
        self,
        storage: Store,
        identity: Identity,
        clock: Clock,
        dump: Callable[[object], str],
        report: Report,
    ) -> None:
        self._storage = storage
        self._identity = identity
        self._clock = clock
        self._dump = dump
        self._report = report
        self._queue: list[Entry] = []
        self._tab = identity.fill_in(TAB_FORM)
        self._batches = 0
        self._begin_journal()

    def _begin_journal(self) -> None:
        day = str(int(self._clock.now() / DAY))
        self._journal: Fields = {"id": day + "-" + self._identity.fill_in(JOURNAL_FORM)}

    def tab(self) -> str:
        """Return the name of this tab in the journal."""
        return self._tab

    def other_tabs(self) -> list[str]:
        """Return the other tabs that own events in the journal."""
        tabs: list[str] = []
        for key in self._storage.names(EVENT_KEY):
            tab = tab_of(key)
            if tab != self._tab and tab not in tabs:
                tabs.append(tab)
        return tabs

    def adopt(self, tab: str) -> bool:
        """Adopt the events of a closed tab; return whether one of its batches has no outcome."""
        for key in self._storage.names(EVENT_KEY + tab):
            fields = self._storage.load(key)
            self._storage.erase(key)
            # Fields added by another version are dropped.
            known: Event = {}
            for name in list(FIELDS.keys()):
                known[name] = fields.get(name)
            if find_fault(known) is None:
                self._append(known, count_of(fields.get("seq")), count_of(fields.get("refusals")))
            else:
                self.count_lost(STORAGE, 1)
        return len(self._storage.names(BATCH_KEY + tab)) > 0

    def add(self, event: Event) -> None:
        """Queue an event and write it to the journal; above MAX_EVENTS the oldest is lost."""
        self._append(event, 0, 0)

    def _append(self, event: Event, number: int, refusals: int) -> None:
        """Append an event with a sequence number; 0 assigns the next one."""
        event["seq"] = number or self._count("seq", 1)
        key = EVENT_KEY + self._tab + event["eid"]
        entry = Entry(event, key, len(self._dump(event)), refusals)
        self._save(entry)
        if not entry.stored:
            self._report("storage is full or blocked: events may be lost")
        self._queue.append(entry)
        if len(self._queue) > MAX_EVENTS:
            self.count_lost(OVERFLOW, 1)
            self._storage.erase(self._queue.pop(0).key)

    def _save(self, entry: Entry) -> None:
        """Write an entry to the journal."""
        record: Event = {}
        record.update(entry.event)
        record["refusals"] = entry.refusals
        entry.stored = self._storage.save(entry.key, record)

    def _read_journal(self) -> Fields:
        """Return the journal: the stored one, if there is one."""
        stored = self._storage.load(JOURNAL_KEY)
        journal: Fields = {"id": read(TEXT, stored.get("id")) or self._journal["id"]}
        # If storage is full, the numbers in it are outdated.
        is_same = journal["id"] == self._journal["id"]
        for name in NUMBERS:
            own = count_of(self._journal.get(name)) if is_same else 0
            journal[name] = max(count_of(stored.get(name)), own)
        if not stored.get("id"):
            journal["cleared"] = journal["seq"]
        self._journal = journal
        return journal

    def _count(self, name: str, count: int) -> int:
        """Increment a number of the journal, and return it."""
        journal = self._read_journal()
        if name in list(journal.keys()):
            count += journal[name]
            journal[name] = count
        self._storage.save(JOURNAL_KEY, journal)
        return count

    def journal(self) -> str:
        """Return the id of the journal."""
        return str(self._read_journal()["id"])

    def count_lost(self, reason: str, count: int) -> None:
        """Count events that had to be dropped."""
        self._count(reason, count)

    def losses(self) -> dict[str, int]:
        """Return the losses by reason since the journal began."""
        journal = self._read_journal()
        losses: dict[str, int] = {}
        for reason in REASONS:
            losses[reason] = journal[reason]
        return losses

    def count(self) -> int:
        """Return how many events are queued."""
        return len(self._queue)

    def pop_batch(self, max_characters: int) -> list[Entry]:
        """Remove and return the first entries: at least one, up to ``max_characters`` of JSON.

        An entry that was refused in a batch of its own stays in one.
        """
        batch: list[Entry] = []
        size = 0
        while len(self._queue) > 0:
            entry = self._queue[0]
            size += entry.size
            is_alone = entry.refusals > 0 or (len(batch) > 0 and batch[0].refusals > 0)
            if len(batch) > 0 and (size > max_characters or is_alone):
                break
            batch.append(self._queue.pop(0))
        return batch

    def requeue(self, entries: list[Entry]) -> None:
        """Put entries back at the front of the queue."""
        waiting = list(entries)
        waiting.extend(self._queue)
        self._queue = waiting

    def postpone(self, entry: Entry) -> None:
        """Put a refused entry at the end of the queue, where it does not block others."""
        # For the pages that adopt it: few are open for as long as MAX_REFUSALS take.
        self._save(entry)
        self._queue.append(entry)

    def erase(self, entries: list[Entry]) -> None:
        """Erase events from the journal, because their outcome is known."""
        for entry in entries:
            self._storage.erase(entry.key)

    def open_batch(self, entries: list[Entry]) -> str:
        """Store what is in a new batch until its outcome is known; return the batch's id."""
        self._batches += 1
        batch_id = self._tab + "-" + str(self._batches)
        record = {
            "at": int(self._clock.now()),
            "eids": [entry.event["eid"] for entry in entries],
        }
        self._storage.save(BATCH_KEY + batch_id, record)
        return batch_id

    def close_batch(self, batch_id: str) -> None:
        """Forget a batch, because its outcome is known."""
        self._storage.erase(BATCH_KEY + batch_id)

    def is_due(self, tab: str) -> bool:
        """Return whether a response to a batch of a tab ("": any) is due; forget old batches."""
        due = False
        for key in self._storage.names(BATCH_KEY + tab):
            at = count_of(self._storage.load(key).get("at"))
            # Absolute, because the clock may have been set back.
            age = abs(self._clock.now() - at)
            if age < DUE_S:
                due = True
            elif age > FORGOTTEN_S:
                self._storage.erase(key)
        return due

    def acknowledge(self, batch_id: str) -> None:
        """Erase a batch that the relay has acknowledged, and its events, whoever has them now."""
        eids: object = self._storage.load(BATCH_KEY + batch_id).get("eids")
        if isinstance(eids, list):
            for key in self._storage.names(EVENT_KEY):
                if key[len(EVENT_KEY) + TAB_LENGTH :] in eids:
                    self._storage.erase(key)
            self._queue = [entry for entry in self._queue if entry.event["eid"] not in eids]
        self.close_batch(batch_id)

    def remaining(self, entries: list[Entry]) -> list[Entry]:
        """Return those entries that no other page has erased or adopted.

        Nobody has those that were stored before the page cleared the storage.
        """
        cleared = self._read_journal()["cleared"]
        return [
            entry
            for entry in entries
            if not entry.stored or entry.event["seq"] <= cleared or self._storage.read(entry.key)
        ]

    def refresh(self) -> None:
        """Drop events that another tab adopted while this page was in the back/forward cache."""
        self._queue = self.remaining(self._queue)

    def clear(self) -> None:
        """Empty the queue and begin a new journal; the caller erases storage."""
        self._queue = []
        self._begin_journal()
