"""Detects damaged pages of a SQLite outbox, and copies the readable rows around them.

Damage within a row leaves it readable, with values of any type, and text that is not UTF-8.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import apsw

from neuralens_relay.schema import STATES, TABLES, WAITING, count_again

# Time limit of the check on opening; damage beyond it is found when it is read.
CHECK_SECONDS = 0.1
# SQLite VM instructions between two checks of the clock.
STEPS = 10_000
# SQLite's largest row number.
LAST = 2**63 - 1
DAMAGED_LETTER = "damaged in the outbox"
# The ids that could not be read when a damaged table was set aside: only these were not copied.
GAPS = (
    "CREATE TABLE IF NOT EXISTS gaps"
    " (name TEXT NOT NULL, aside TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL)"
)
# What an unreadable value becomes, by the type of its column.
EMPTY = {"INTEGER": 0, "REAL": 0.0, "TEXT": "", "BLOB": b""}


@dataclass(frozen=True)
class Column:
    """A column of a table; its type is a key of EMPTY, unless the schema is damaged."""

    name: str
    type: str
    nullable: bool

    @property
    def source(self) -> str:
        """The SQL that reads a value, for ``clean``."""
        # As bytes, because text that is not UTF-8 cannot be read.
        return f"CAST({self.name} AS {'BLOB' if self.type == 'TEXT' else self.type})"

    def clean(self, value: Any) -> Any:
        """Return a value read by ``source`` that the column allows."""
        if value is None:
            return None if self.nullable else EMPTY.get(self.type)
        return decode(value) if self.type == "TEXT" else value


def quick_check(db: apsw.Connection) -> bool:
    """Return whether no damage is found within CHECK_SECONDS."""
    deadline = monotonic() + CHECK_SECONDS
    db.set_progress_handler(lambda: monotonic() > deadline, STEPS)
    try:
        return passes(db, "quick_check(1)")
    except apsw.InterruptError:
        return True
    finally:
        db.set_progress_handler(None)


def passes(db: apsw.Connection, check: str) -> bool:
    """Return whether one of SQLite's checks finds no damage."""
    try:
        return bool(db.execute(f"PRAGMA {check}").get == "ok")
    except (apsw.CorruptError, UnicodeDecodeError):
        # What it found may be quoted.
        return False


def decode(value: bytes) -> str:
    """Return text that may be damaged."""
    return value.decode(errors="replace")


def rebuild(db: apsw.Connection, path: Path) -> None:
    """Replace each damaged table of a file by one with its readable rows.

    The damaged tables stay in the file under other names. The totals record how many events and
    dead letters were unreadable, at least one. Call outside a transaction; raises apsw.Error.
    """
    # A separate connection: after damage in a transaction, a connection can no longer write.
    with closing(apsw.Connection(str(path))) as source, db:
        held = count_held(source)
        aside = {name: free_name(source, name) for name in TABLES if not is_whole(source, name)}
        for name, other in aside.items():
            db.execute(f"ALTER TABLE {name} RENAME TO {other}")
            # Renaming a table does not rename its index.
            schema = TABLES[name].replace("INDEX {name}", f"INDEX {other}_new")
            db.execute(schema.format(name=name))
        db.execute(GAPS)
        for name, other in aside.items():
            gaps: list[range] = []
            copy_rows(source, name, db, name, gaps)
            rows = [(name, other, gap.start, gap.stop) for gap in gaps]
            db.executemany("INSERT INTO gaps VALUES (?, ?, ?, ?)", rows)
        count_again(db)
        lost = max(0, held - count_held(db))
        db.execute("UPDATE totals SET unreadable = max(1, unreadable + ?)", (lost,))


def count_held(db: apsw.Connection) -> int:
    """Return how many events and dead letters the totals count; 0 if they are unreadable."""
    try:
        count = "SELECT CAST(waiting AS INTEGER) + CAST(dead AS INTEGER) FROM totals LIMIT 1"
        return int(db.execute(count).get or 0)
    except apsw.CorruptError:
        return 0


def is_whole(db: apsw.Connection, table: str) -> bool:
    """Return whether a table and its indexes are undamaged."""
    return passes(db, f"integrity_check({table})")


def names_set_aside(db: apsw.Connection, table: str) -> list[str]:
    """Return the names under which a damaged table was set aside."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB ?"
    return [name for (name,) in db.execute(query, (f"{table}_damaged_*",))]


def free_name(db: apsw.Connection, table: str) -> str:
    """Return an unused name for a damaged table."""
    return f"{table}_damaged_{len(names_set_aside(db, table)) + 1}"


def copy_rows(
    source: apsw.Connection, table: str, target: apsw.Connection, name: str, gaps: list[range]
) -> int:
    """Copy the readable rows; return how many. ``gaps`` gets the ids that could not be read."""
    return sum(insert(target, name, values) for values in read_records(source, table, gaps))


def read_records(
    source: apsw.Connection, table: str, gaps: list[range]
) -> Iterator[dict[str, Any]]:
    """Yield the readable rows, with values that their columns allow; see ``copy_rows``."""
    columns = [
        Column(column, kind, not required)
        for _, column, kind, required, *_ in source.execute(f"PRAGMA table_info({table})")
    ]
    if not columns:
        # The file is of an earlier version without this table.
        return
    for row in read_rows(source, table, ", ".join(column.source for column in columns), gaps):
        values = {
            column.name: column.clean(value) for column, value in zip(columns, row, strict=True)
        }
        if values.get("body") == b"":
            continue
        if "state" in values and "due" in values and values["state"] not in STATES:
            values["state"] = WAITING
        yield values


def insert(target: apsw.Connection, table: str, values: dict[str, Any]) -> bool:
    """Insert a row unless it violates a constraint; return whether it was inserted."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    statement = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
    try:
        target.execute(statement, tuple(values.values()))
    except apsw.ConstraintError:
        # For example, a second row of a table that may have only one.
        return False
    return target.changes() == 1


def read_rows(
    db: apsw.Connection, table: str, columns: str, gaps: list[range]
) -> Iterator[tuple[Any, ...]]:
    """Yield the readable rows in the order of ``id``, which must be the first column."""
    query = f"SELECT {columns} FROM {table} NOT INDEXED WHERE id >= ? ORDER BY id"  # noqa: S608
    at: int | None = 0
    while at is not None:
        try:
            for row in db.execute(query, (at,)):
                # On a damaged page the ids may not be ascending.
                at = max(at, min(row[0], LAST - 1) + 1)
                yield row
            return
        except apsw.CorruptError:
            first, at = at, step_over(db, table, at)
            gaps.append(range(first, LAST if at is None else at))


def step_over(db: apsw.Connection, table: str, at: int) -> int | None:
    """Return the first id after ``at`` from which rows are readable, or None."""
    query = f"SELECT id FROM {table} NOT INDEXED WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608

    def readable(number: int) -> bool:
        try:
            db.execute(query, (number,)).fetchall()
        except apsw.CorruptError:
            return False
        return True

    try:
        first = db.execute(query, (at,)).get
    except apsw.CorruptError:
        pass
    else:
        # The row's id is readable, but its content is not.
        return None if first is None or first == LAST else int(first) + 1
    low, step = at, 1
    while not readable(at + step):
        low = at + step
        step *= 2
        if at + step >= LAST:
            return None
    high = at + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if readable(middle) else (middle, high)
    return high
