"""The balance: what became of each event that browsers tracked, by application and day.

A browser numbers the events of its journal, and every batch says the journal's losses by reason
since it was begun. So each number is in one state at a time, and

    tracked = stored + duplicate + rejected (by reason) + lost (by reason) + still out

holds for each day, which is the one (UTC) on which the relay first knew of the number: a number
between those that arrived is still out, until it arrives or the browser says that it has lost one.
Which ones it has lost it does not say, so the first that are out are taken for them; when one of
those arrives after all, another takes its place.

An event without a number, as a shop's server sends it, counts each time that it arrives.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec

DAY = 86400
EPOCH = date(1970, 1, 1)
TRACKED = "tracked"
STORED = "stored"
DUPLICATE = "duplicate"
REJECTED = "rejected"
LOST = "lost"
OUT = "out"
# The states that the books have; what is out is the rest.
STATES = (TRACKED, STORED, DUPLICATE, REJECTED, LOST)
# Reasons of losses that are known here; a newer browser's others are one.
REASONS = ("age", "overflow", "refused", "storage")
OTHER = "other"
# Numbers that may be missing at once: more than any browser keeps. A larger gap is no browser's.
MAX_MISSING = 10_000
# Gaps that are remembered of one journal: what a browser keeps, in any order. What is in older ones
# stays out for good.
MAX_GAPS = 1000
# Days for which the books are kept.
KEPT_DAYS = 400


@dataclass(frozen=True)
class Report:
    """What a batch says besides its events.

    ``numbers`` are those of the events to keep, ``rejected`` number and reason of the others; 0
    for none. ``losses``: events lost by reason since the journal was begun. ``journal`` is "" when
    there is none.
    """

    app: str
    journal: str = ""
    numbers: tuple[int, ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()
    losses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """How many events of an application and a day (since 1970) are in a state for a reason."""

    day: int
    app: str
    state: str
    reason: str
    count: int


def name_journal(report: Report) -> str:
    """Return what a report's journal is known by: applications are apart."""
    return f"{report.app} {report.journal}"


class Gap(msgspec.Struct, array_like=True):
    """Numbers that are missing, ``first`` to ``last``, known of since ``day``.

    ``reason``: why they are taken to be lost, "" when they are out.
    """

    first: int
    last: int
    day: int
    reason: str = ""


class Journal(msgspec.Struct, array_like=True):
    """What is known of one journal.

    ``last``: its highest number; ``gaps`` in order; ``told``: losses by reason as the browser has
    told; ``marked``: those among them for which numbers were found.
    """

    last: int = 0
    gaps: list[Gap] = []
    told: dict[str, int] = {}
    marked: dict[str, int] = {}


# By (day, state, reason).
Changes = Counter[tuple[int, str, str]]


@dataclass(frozen=True)
class Posting:
    """What a report changes in the books.

    ``journal``: the new state of the journal, None when there is none. ``days``: for each event to
    keep the day of which it counts, as stored or as a duplicate; None when it has counted before.
    ``changes``: all else.
    """

    journal: bytes | None
    days: tuple[int | None, ...]
    changes: Changes

    def complete(self, fresh: Iterable[bool]) -> Changes:
        """Return all changes; ``fresh`` tells of each event to keep whether it was new."""
        changes = Counter(self.changes)
        for day, is_new in zip(self.days, fresh, strict=True):
            if day is not None:
                changes[(day, STORED if is_new else DUPLICATE, "")] += 1
        return changes


def post(known: bytes | None, report: Report, now: float, memory: float) -> Posting:
    """Return what a report, received at Unix time, changes.

    ``known``: the state of the journal that the last posting returned, None when there is none or
    it was forgotten, ``memory`` seconds after the journal was last heard of.
    """
    today = int(now // DAY)
    changes: Changes = Counter()
    numbers = [*report.numbers, *(number for number, _ in report.rejected)]
    if not report.journal:
        journal = None
        days: list[int | None] = [today] * len(numbers)
        changes[(today, TRACKED, "")] += len(numbers)
    else:
        journal = recall(known) or begin(report, numbers, today, memory)
        extend(journal, numbers, today, changes)
        days = [find(journal, number, changes) for number in numbers]
        for place, number in enumerate(numbers):
            if number == 0:
                days[place] = today
                changes[(today, TRACKED, "")] += 1
        mark(journal, report.losses, changes)
        del journal.gaps[:-MAX_GAPS]
    kept = len(report.numbers)
    for day, (_, reason) in zip(days[kept:], report.rejected, strict=True):
        if day is not None:
            changes[(day, REJECTED, reason)] += 1
    state = None if journal is None else msgspec.json.encode(journal)
    return Posting(state, tuple(days[:kept]), changes)


def recall(known: bytes | None) -> Journal | None:
    """Return a journal's state; None when there is none, or it is damaged."""
    try:
        return None if known is None else msgspec.json.decode(known, type=Journal)
    except msgspec.DecodeError:
        return None


def begin(report: Report, numbers: list[int], today: int, memory: float) -> Journal:
    """Return the state of a journal that is not known, before this report.

    Its id begins with the day on which it was begun. If that is so long ago that it may have been
    forgotten, nothing can be said of numbers and losses before this report.
    """
    begun = report.journal.partition("-")[0]
    first = min((number for number in numbers if number > 0), default=1)
    is_new = begun.isdecimal() and today - int(begun) < memory / DAY and first <= MAX_MISSING
    if is_new:
        return Journal()
    told = told_losses(report.losses)
    return Journal(first - 1, [], told, dict(told))


def told_losses(losses: Mapping[str, int]) -> dict[str, int]:
    """Return losses by the reasons that are known here."""
    told: Counter[str] = Counter()
    for reason, count in losses.items():
        told[reason if reason in REASONS else OTHER] += count
    return dict(told)


def extend(journal: Journal, numbers: list[int], today: int, changes: Changes) -> None:
    """Make gaps up to the highest number, which last until ``find``."""
    for number in sorted(set(numbers)):
        if number <= journal.last:
            continue
        first = journal.last + 1
        if number - first > MAX_MISSING:
            # Nobody loses so many: that is not counted as missing.
            first = number
        journal.gaps.append(Gap(first, number, today))
        changes[(today, TRACKED, "")] += number - first + 1
        journal.last = number


def find(journal: Journal, number: int, changes: Changes) -> int | None:
    """Take a number that has arrived out of its gap; return the gap's day, None without a gap."""
    place = bisect_right(journal.gaps, number, key=lambda gap: gap.first) - 1
    if place < 0 or journal.gaps[place].last < number:
        return None
    gap = journal.gaps[place]
    journal.gaps[place : place + 1] = split(gap, number, number)
    if gap.reason:
        # Another one was lost.
        changes[(gap.day, LOST, gap.reason)] -= 1
        journal.marked[gap.reason] -= 1
    return gap.day


def split(gap: Gap, first: int, last: int) -> list[Gap]:
    """Return what a gap is without the numbers from first to last."""
    before = Gap(gap.first, first - 1, gap.day, gap.reason)
    after = Gap(last + 1, gap.last, gap.day, gap.reason)
    return [part for part in (before, after) if part.first <= part.last]


def mark(journal: Journal, losses: Mapping[str, int], changes: Changes) -> None:
    """Take as many numbers that are out for lost as the browser says that it lost."""
    for reason, count in told_losses(losses).items():
        journal.told[reason] = max(count, journal.told.get(reason, 0))
    for reason, count in journal.told.items():
        wanted = count - journal.marked.get(reason, 0)
        place = 0
        while wanted > 0 and place < len(journal.gaps):
            gap = journal.gaps[place]
            if not gap.reason:
                last = min(gap.last, gap.first + wanted - 1)
                lost = Gap(gap.first, last, gap.day, reason)
                journal.gaps[place : place + 1] = [lost, *split(gap, gap.first, last)]
                size = last - gap.first + 1
                changes[(gap.day, LOST, reason)] += size
                journal.marked[reason] = journal.marked.get(reason, 0) + size
                wanted -= size
            place += 1


@dataclass(frozen=True)
class Balance:
    """The balance of one application and day (since 1970)."""

    day: int
    app: str
    counts: Mapping[tuple[str, str], int]

    @property
    def date(self) -> str:
        """The day as text, such as 2026-11-25."""
        return (EPOCH + timedelta(self.day)).isoformat()

    def total(self, state: str) -> int:
        """Return how many events are in a state, for whatever reason."""
        if state == OUT:
            return self.total(TRACKED) - sum(self.total(each) for each in STATES[1:])
        return sum(count for (other, _), count in self.counts.items() if other == state)

    def entries(self) -> dict[tuple[str, str], int]:
        """Return all counts by (state, reason), those that are out among them."""
        plain = {(state, ""): self.total(state) for state in (TRACKED, STORED, DUPLICATE)}
        reasons = {key: count for key, count in sorted(self.counts.items()) if key[1] and count}
        return {**plain, **reasons, (OUT, ""): self.total(OUT)}

    def as_json(self) -> dict[str, Any]:
        """Return all counts as an object; those by reason are objects themselves."""
        shown: dict[str, Any] = {state: self.total(state) for state in (TRACKED, STORED, DUPLICATE)}
        for state in (REJECTED, LOST):
            shown[state] = {
                reason: count
                for (other, reason), count in sorted(self.counts.items())
                if other == state and count
            }
        return {**shown, OUT: self.total(OUT)}


def balances(tallies: Iterable[Tally]) -> list[Balance]:
    """Return the balance of each day and application, in order."""
    counts: dict[tuple[int, str], dict[tuple[str, str], int]] = {}
    for tally in tallies:
        of_day = counts.setdefault((tally.day, tally.app), {})
        of_day[(tally.state, tally.reason)] = tally.count
    return [Balance(day, app, counts[(day, app)]) for day, app in sorted(counts)]
