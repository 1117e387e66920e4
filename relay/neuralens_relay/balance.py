"""The balance: accounts for every event that browsers tracked, by application and day.

A browser numbers the events of its journal consecutively, and every batch reports the journal's
cumulative losses by reason. So each number is in exactly one state, and

    tracked = stored + duplicate + rejected (by reason) + lost (by reason) + out

holds for each day (UTC), which is the one on which the relay first knew of the number. A number
missing between others is outstanding (``out``) until it arrives or the browser reports a loss. The
browser does not report which numbers it has lost, so the lowest outstanding ones are assumed to be;
if one of them arrives after all, the next one takes its place. Tabs that track at the same
moment may give the same number: the second event to arrive with it counts by itself.

An event without a number, as a shop's server sends it, counts whenever it arrives.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

import msgspec

DAY = 86400
EPOCH = date(1970, 1, 1)
TRACKED = "tracked"
STORED = "stored"
DUPLICATE = "duplicate"
REJECTED = "rejected"
LOST = "lost"
OUT = "out"
# The states that are counted; OUT is the difference.
STATES = (TRACKED, STORED, DUPLICATE, REJECTED, LOST)
# Known reasons for losses; those of newer trackers are counted as OTHER.
REASONS = ("age", "overflow", "refused", "storage")
OTHER = "other"
# Numbers that may be missing in a row: more than any browser queues, so a larger gap is not real.
MAX_MISSING = 10_000
# Gaps remembered per journal, which covers a browser's queue arriving in any order. Numbers in
# older gaps stay outstanding.
MAX_GAPS = 1000
# Days for which tallies are kept.
KEPT_DAYS = 400


@dataclass(frozen=True)
class Report:
    """A batch's contribution to the balance.

    ``numbers`` are those of the valid events, ``rejected`` number and reason of the others; 0 means
    no number. ``losses`` are cumulative, by reason. ``journal`` is "" if there is none.
    """

    app: str
    journal: str = ""
    numbers: tuple[int, ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()
    losses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Tally:
    """The number of events of an application and day (since 1970) in a state for a reason."""

    day: int
    app: str
    state: str
    reason: str
    count: int


def name_journal(report: Report) -> str:
    """Return the key of a report's journal, which is separate for each application."""
    return f"{report.app} {report.journal}"


class Gap(msgspec.Struct, array_like=True):
    """Missing numbers, ``first`` to ``last``, known since ``day``.

    ``reason``: why they are assumed lost, "" if they are outstanding.
    """

    first: int
    last: int
    day: int
    reason: str = ""


class Journal(msgspec.Struct, array_like=True):
    """The state of one journal.

    ``last``: the highest number; ``gaps``, sorted; ``reported``: losses by reason as the browser
    reports them; ``marked``: how many of these are assigned to numbers.
    """

    last: int = 0
    gaps: list[Gap] = []
    reported: dict[str, int] = {}
    marked: dict[str, int] = {}


class Account(NamedTuple):
    """What is counted: the events of a day (since 1970) in a state, for a reason or ""."""

    day: int
    state: str
    reason: str = ""


Changes = Counter[Account]


@dataclass(frozen=True)
class Posting:
    """The effect of a report on the tallies.

    ``journal``: the new state of the journal, or None. ``days``: for each valid event, the day to
    which it counts, as stored or duplicate; None if its number was counted before: then it counts,
    ``today``, only if it is new. ``changes``: the rest.
    """

    journal: bytes | None
    days: tuple[int | None, ...]
    today: int
    changes: Changes

    def complete(self, fresh: Iterable[bool]) -> Changes:
        """Return all changes; ``fresh`` is whether each valid event was new."""
        changes = Counter(self.changes)
        for day, is_new in zip(self.days, fresh, strict=True):
            if day is not None:
                changes[Account(day, STORED if is_new else DUPLICATE)] += 1
            elif is_new:
                changes[Account(self.today, TRACKED)] += 1
                changes[Account(self.today, STORED)] += 1
        return changes


def post(known: bytes | None, report: Report, now: float, memory: float) -> Posting:
    """Return the effect of a report received at Unix time ``now``.

    ``known``: the journal's state from its last posting, None if there is none or it has expired,
    ``memory`` seconds after that posting.
    """
    today = int(now // DAY)
    changes: Changes = Counter()
    numbers = [*report.numbers, *(number for number, _ in report.rejected)]
    if not report.journal:
        journal = None
        days: list[int | None] = [today] * len(numbers)
        changes[Account(today, TRACKED)] += len(numbers)
    else:
        journal = decode_journal(known) or begin_journal(report, numbers, today, memory)
        extend(journal, numbers, today, changes)
        days = [fill_gap(journal, number, changes) for number in numbers]
        for index, number in enumerate(numbers):
            if number == 0:
                days[index] = today
                changes[Account(today, TRACKED)] += 1
        mark_lost(journal, report.losses, changes)
        del journal.gaps[:-MAX_GAPS]
    kept = len(report.numbers)
    for day, (_, reason) in zip(days[kept:], report.rejected, strict=True):
        if day is not None:
            changes[Account(day, REJECTED, reason)] += 1
    state = None if journal is None else msgspec.json.encode(journal)
    return Posting(state, tuple(days[:kept]), today, changes)


def decode_journal(known: bytes | None) -> Journal | None:
    """Decode a journal's state; None if there is none, or it is damaged."""
    try:
        return None if known is None else msgspec.json.decode(known, type=Journal)
    except msgspec.DecodeError:
        return None


def begin_journal(report: Report, numbers: list[int], today: int, memory: float) -> Journal:
    """Return the initial state of an unknown journal, before this report.

    Its id begins with its first day. If its state may have expired since, numbers and losses before
    this report are not counted.
    """
    begun = report.journal.partition("-")[0]
    first = min((number for number in numbers if number > 0), default=1)
    is_new = begun.isdecimal() and today - int(begun) < memory / DAY and first <= MAX_MISSING
    if is_new:
        return Journal()
    reported = group_losses(report.losses)
    return Journal(first - 1, [], reported, dict(reported))


def group_losses(losses: Mapping[str, int]) -> dict[str, int]:
    """Return losses by REASONS and OTHER."""
    grouped: Counter[str] = Counter()
    for reason, count in losses.items():
        grouped[reason if reason in REASONS else OTHER] += count
    return dict(grouped)


def extend(journal: Journal, numbers: list[int], today: int, changes: Changes) -> None:
    """Add gaps up to and including the highest number; ``fill_gap`` removes what has arrived."""
    for number in sorted(set(numbers)):
        if number <= journal.last:
            continue
        first = journal.last + 1
        if number - first > MAX_MISSING:
            # Implausible, so not counted as missing.
            first = number
        journal.gaps.append(Gap(first, number, today))
        changes[Account(today, TRACKED)] += number - first + 1
        journal.last = number


def fill_gap(journal: Journal, number: int, changes: Changes) -> int | None:
    """Remove a number that has arrived from its gap; return the gap's day, None without one."""
    index = bisect_right(journal.gaps, number, key=lambda gap: gap.first) - 1
    if index < 0 or journal.gaps[index].last < number:
        return None
    gap = journal.gaps[index]
    journal.gaps[index : index + 1] = split(gap, number, number)
    if gap.reason:
        # It was not lost, so ``mark_lost`` assigns the loss to another number.
        changes[Account(gap.day, LOST, gap.reason)] -= 1
        journal.marked[gap.reason] -= 1
    return gap.day


def split(gap: Gap, first: int, last: int) -> list[Gap]:
    """Return the parts of a gap before ``first`` and after ``last``."""
    before = Gap(gap.first, first - 1, gap.day, gap.reason)
    after = Gap(last + 1, gap.last, gap.day, gap.reason)
    return [part for part in (before, after) if part.first <= part.last]


def mark_lost(journal: Journal, losses: Mapping[str, int], changes: Changes) -> None:
    """Mark outstanding numbers as lost, as many as the browser reports losses."""
    for reason, count in group_losses(losses).items():
        journal.reported[reason] = max(count, journal.reported.get(reason, 0))
    for reason, count in journal.reported.items():
        remaining = count - journal.marked.get(reason, 0)
        index = 0
        while remaining > 0 and index < len(journal.gaps):
            gap = journal.gaps[index]
            if not gap.reason:
                last = min(gap.last, gap.first + remaining - 1)
                lost = Gap(gap.first, last, gap.day, reason)
                journal.gaps[index : index + 1] = [lost, *split(gap, gap.first, last)]
                size = last - gap.first + 1
                changes[Account(gap.day, LOST, reason)] += size
                journal.marked[reason] = journal.marked.get(reason, 0) + size
                remaining -= size
            index += 1


@dataclass(frozen=True)
class Balance:
    """The balance of one application and day (since 1970); ``tallies`` are sorted."""

    day: int
    app: str
    tallies: Sequence[Tally]

    @property
    def date(self) -> str:
        """The day in ISO 8601, such as 2026-11-25."""
        return (EPOCH + timedelta(self.day)).isoformat()

    def total(self, state: str) -> int:
        """Return how many events are in a state, for any reason."""
        if state == OUT:
            return self.total(TRACKED) - sum(self.total(each) for each in STATES[1:])
        return sum(tally.count for tally in self.tallies if tally.state == state)

    def entries(self) -> list[Tally]:
        """Return all tallies: totals, those with a reason unless they are 0, and OUT."""

        def total(state: str) -> Tally:
            return Tally(self.day, self.app, state, "", self.total(state))

        reasons = [each for each in self.tallies if each.reason and each.count]
        return [*map(total, (TRACKED, STORED, DUPLICATE)), *reasons, total(OUT)]

    def as_json(self) -> dict[str, object]:
        """Return all counts as a JSON object, with nested objects for counts by reason."""
        by_reason = {
            state: {
                each.reason: each.count
                for each in self.tallies
                if each.state == state and each.count
            }
            for state in (REJECTED, LOST)
        }
        totals = {state: self.total(state) for state in (TRACKED, STORED, DUPLICATE)}
        return {**totals, **by_reason, OUT: self.total(OUT)}


def balances(tallies: Iterable[Tally]) -> list[Balance]:
    """Return the balance of each day and application, sorted."""
    return [
        Balance(day, app, list(found))
        for (day, app), found in groupby(sorted(tallies), key=lambda each: (each.day, each.app))
    ]
