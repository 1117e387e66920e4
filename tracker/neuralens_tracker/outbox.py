"""The events that still have to reach the relay: a queue, and its journal in storage.

Each event has a storage key of its own, so that two tabs never overwrite each other's, and is
erased only when its fate is known. The key names the tab that answers for it; what a tab that is
gone has left is adopted by another. The relay drops an ``eid`` that it has seen, so sending twice
is safe and forgetting is not.
"""

from typing import Any

from neuralens_tracker.events import find_fault
from neuralens_tracker.value_types import is_digits, is_number
from neuralens_tracker.vocabulary import MAX_COUNT

EVENT_KEY = "e:"
# A batch whose fate is not known: the keys of its events, as JSON.
BATCH_KEY = "b:"
# The journal's id and its last sequence number: a gap at the relay shows a loss. The id begins with
# the day (since 1970) on which the journal was begun.
JOURNAL_KEY = "j"
DAY = 86400
# Losses since the journal was begun, by reason, as JSON: telling of them twice does no harm.
LOSSES_KEY = "l"
# Parts an entry's key: eid, tab, sequence number. Version 0.1.0 wrote the eid alone.
SEPARATOR = "~"
# Parts a batch's id: tab and number.
BATCH_SEPARATOR = "-"
# Events kept at most: some hundred kilobytes of the five megabytes that a site may store.
MAX_EVENTS = 1000
# Why an event was lost.
OVERFLOW = "overflow"
STORAGE = "storage"
REFUSED = "refused"


def no_losses() -> dict[str, Any]:
    """Return the count of losses by reason, none so far."""
    return {OVERFLOW: 0, REFUSED: 0, STORAGE: 0}


class Entry:
    """An event that waits: its key, whether storage has it, its length as JSON, and its refusals.

    The refusals are those when it was alone.
    """

    def __init__(self, event: dict[str, Any], key: str, kept: bool, size: int) -> None:
        self.event = event
        self.key = key
        self.kept = kept
        self.size = size
        self.refusals = 0


class Outbox:
    """Entries in order of arrival; ``parse`` and ``dump`` turn JSON text into values and back."""

    def __init__(
        self, storage: Any, identity: Any, clock: Any, parse: Any, dump: Any, say: Any
    ) -> None:
        self._storage = storage
        self._identity = identity
        self._clock = clock
        self._parse = parse
        self._dump = dump
        self._say = say
        self._waiting: list[Any] = []
        self._tab = identity.make_uuid()[:8]
        self._batches = 0
        # The batches of this page that storage has a record of.
        self._recorded: list[str] = []
        self._begin_journal()

    def _begin_journal(self) -> None:
        day = str(int(self._clock.now() / DAY))
        self._journal = day + "-" + self._identity.make_uuid()[:13]
        self._number = 0
        self._losses = no_losses()

    def tab(self) -> str:
        """Return the name of this page among the tabs that share the journal."""
        return self._tab

    def other_tabs(self) -> list[str]:
        """Return the tabs, "" for one of version 0.1.0, whose events are in the journal."""
        tabs: list[str] = []
        for key in self._storage.names(EVENT_KEY):
            tab = self._read_key(key)[1]
            if tab != self._tab and tab not in tabs:
                tabs.append(tab)
        return tabs

    def _read_key(self, key: str) -> list[str]:
        """Return the eid, tab and sequence number in an entry's key; "" for what is not there."""
        parts = key[len(EVENT_KEY) :].split(SEPARATOR)
        if len(parts) < 3:
            return [key[len(EVENT_KEY) :], "", ""]
        number = parts.pop()
        tab = parts.pop()
        return [SEPARATOR.join(parts), tab, number]

    def adopt(self, tab: str) -> bool:
        """Take in what a tab that is gone has left; true if it never learnt a batch's fate."""
        for key in self._storage.names(EVENT_KEY):
            parts = self._read_key(key)
            if parts[1] == tab:
                event = self._parse(self._storage.read(key))
                self._storage.erase(key)
                if find_fault(event) is None:
                    self._append(event, parts[2] or self._count())
                else:
                    self.count_lost(STORAGE, 1)
        records = self._storage.names(BATCH_KEY + tab + BATCH_SEPARATOR)
        for record in records:
            self._storage.erase(record)
        return len(records) > 0

    def add(self, event: dict[str, Any]) -> None:
        """Queue an event and write it into the journal; over the bound the oldest is lost."""
        self._append(event, self._count())

    def _append(self, event: dict[str, Any], number: str) -> None:
        key = EVENT_KEY + event["eid"] + SEPARATOR + self._tab + SEPARATOR + number
        text = self._dump(event)
        kept = self._storage.write(key, text)
        if not kept:
            self._say("storage is full or blocked: events may be lost")
        numbered: dict[str, Any] = {"seq": int(number) if is_digits(number) else 0}
        numbered.update(event)
        self._waiting.append(Entry(numbered, key, kept, len(text)))
        if len(self._waiting) > MAX_EVENTS:
            self.count_lost(OVERFLOW, 1)
            self.erase([self._waiting.pop(0)])

    def _count(self) -> str:
        """Return the next sequence number of the journal, which all tabs count on."""
        self._number = self._read_number() + 1
        self._storage.write(JOURNAL_KEY, self._journal + SEPARATOR + str(self._number))
        return str(self._number)

    def _read_number(self) -> int:
        """Return the last sequence number of the journal, which is that in storage if one is."""
        parts = (self._storage.read(JOURNAL_KEY) or "").split(SEPARATOR)
        number = int(parts[1]) if len(parts) == 2 and is_digits(parts[1]) else 0
        if number == 0 or parts[0] == self._journal:
            # Storage that is full keeps an old one.
            return max(number, self._number)
        self._journal = parts[0]
        self._losses = no_losses()
        return number

    def journal(self) -> str:
        """Return the id of the journal."""
        self._read_number()
        return self._journal

    def count_lost(self, reason: str, count: int) -> None:
        """Count events that had to be dropped."""
        self.losses()
        if reason in list(self._losses.keys()):
            self._losses[reason] += count
        self._storage.write(LOSSES_KEY, self._dump(self._losses))

    def losses(self) -> dict[str, Any]:
        """Return the losses by reason since the journal was begun."""
        kept = self._parse(self._storage.read(LOSSES_KEY) or "null")
        for reason in list(self._losses.keys()):
            count = kept.get(reason) if isinstance(kept, dict) else 0
            if is_number(count, self._losses[reason], MAX_COUNT):
                self._losses[reason] = count
        losses: dict[str, Any] = {}
        losses.update(self._losses)
        return losses

    def count(self) -> int:
        """Return how many events wait."""
        return len(self._waiting)

    def pop_batch(self, most: int) -> list[Any]:
        """Remove and return the first entries, as many as fit in ``most`` characters of JSON.

        One that was refused when it was alone is alone again.
        """
        taken: list[Any] = []
        size = 0
        while len(self._waiting) > 0:
            entry = self._waiting[0]
            size += entry.size
            if len(taken) > 0 and (size > most or entry.refusals > 0 or taken[0].refusals > 0):
                break
            taken.append(self._waiting.pop(0))
        return taken

    def requeue(self, entries: list[Any]) -> None:
        """Put entries back at the head of the queue."""
        waiting = entries.copy()
        waiting.extend(self._waiting)
        self._waiting = waiting

    def postpone(self, entry: Any) -> None:
        """Put an entry at the end of the queue, where it holds up no other."""
        self._waiting.append(entry)

    def erase(self, entries: list[Any]) -> None:
        """Erase events whose fate is known from the journal."""
        for entry in entries:
            self._storage.erase(entry.key)

    def open_batch(self, entries: list[Any]) -> str:
        """Return a new batch's id, under which storage knows its events until its fate is known."""
        self._batches += 1
        batch_id = self._tab + BATCH_SEPARATOR + str(self._batches)
        keys = [entry.key for entry in entries]
        if self._storage.write(BATCH_KEY + batch_id, self._dump(keys)):
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
        keys = self._parse(self._storage.read(BATCH_KEY + batch_id) or "null")
        if isinstance(keys, list):
            for key in keys:
                self._storage.erase(key)
        self._storage.erase(BATCH_KEY + batch_id)

    def confirmed(self) -> list[str]:
        """Return the batches of this page that were confirmed, maybe by another page."""
        kept = self._storage.names(BATCH_KEY)
        return [batch_id for batch_id in self._recorded if BATCH_KEY + batch_id not in kept]

    def refresh(self) -> None:
        """Let go of what another tab has adopted while this page was in the back/forward cache."""
        there = self._storage.names(EVENT_KEY)
        self._waiting = [entry for entry in self._waiting if not entry.kept or entry.key in there]

    def clear(self) -> None:
        """Forget what waits, and begin a new journal; storage is its owner's to clear."""
        self._waiting = []
        self._recorded = []
        self._begin_journal()
