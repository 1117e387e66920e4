"""What to do about an outbox file with damaged pages: notice, step over them, copy the rest."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import apsw

from neuralens_relay.schema import TABLES, count_again

# Seconds that a look at the file may take when it is opened; damage further in shows later.
CHECK_SECONDS = 0.1
# Steps of SQLite's machine between two looks at the clock.
STEPS = 10_000
# SQLite's largest row number.
LAST = 2**63 - 1


def quick_check(db: apsw.Connection) -> bool:
    """Tell whether the file looks whole, as far as CHECK_SECONDS suffice to see."""
    deadline = monotonic() + CHECK_SECONDS
    db.set_progress_handler(lambda: monotonic() > deadline, STEPS)
    try:
        return bool(db.execute("PRAGMA quick_check(1)").get == "ok")
    except apsw.InterruptError:
        return True
    except apsw.CorruptError:
        return False
    finally:
        db.set_progress_handler(None)


def rebuild(db: apsw.Connection, path: Path) -> None:
    """Replace each damaged table of a file by one with the rows that can still be read.

    What is damaged stays in the file, under another name. The totals say how many events and dead
    letters could not be read, one at least. Called outside a transaction; raises apsw.Error.
    """
    # Read by a connection of its own: one that has met damage in a transaction writes no more.
    with closing(apsw.Connection(str(path))) as source, db:
        held = count_held(source)
        aside = {name: free_name(source, name) for name in TABLES if not is_whole(source, name)}
        for name, other in aside.items():
            db.execute(f"ALTER TABLE {name} RENAME TO {other}")
            # An index keeps its name when its table is renamed.
            schema = TABLES[name].replace("INDEX {name}", f"INDEX {other}_new")
            db.execute(schema.format(name=name))
        for name in aside:
            copy_rows(source, name, db, name)
        count_again(db)
        lost = max(0, held - count_held(db))
        db.execute("UPDATE totals SET unreadable = max(1, unreadable + ?)", (lost,))


def count_held(db: apsw.Connection) -> int:
    """Return how many events and dead letters the totals count; 0 when they cannot be read."""
    try:
        return int(db.execute("SELECT waiting + dead FROM totals").get or 0)
    except apsw.CorruptError:
        return 0


def is_whole(db: apsw.Connection, table: str) -> bool:
    """Tell whether a table and its indexes have no damage."""
    try:
        return bool(db.execute(f"PRAGMA integrity_check({table})").get == "ok")
    except apsw.CorruptError:
        return False


def free_name(db: apsw.Connection, table: str) -> str:
    """Return a name for a table that is set aside."""
    number = db.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB ?",
        (f"{table}_damaged_*",),
    ).get
    return f"{table}_damaged_{number + 1}"


def copy_rows(source: apsw.Connection, table: str, target: apsw.Connection, name: str) -> int:
    """Copy the rows that can be read; return how many that were."""
    columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    if not columns:
        # An earlier version has no such table.
        return 0
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    copied = 0
    for row in read_rows(source, table, ", ".join(columns)):
        try:
            target.execute(insert, row)
        except (apsw.ConstraintError, apsw.MismatchError):
            # What stands in a damaged row need not be of its column's type.
            continue
        copied += target.changes()
    return copied


def read_rows(db: apsw.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read, in the order of their numbers (``id``, the first column)."""
    query = f"SELECT {columns} FROM {table} NOT INDEXED WHERE id >= ? ORDER BY id"  # noqa: S608
    at: int | None = 0
    while at is not None:
        try:
            for row in db.execute(query, (at,)):
                # Of a damaged page, the numbers need not grow.
                at = max(at, min(row[0], LAST - 1) + 1)
                yield row
            return
        except apsw.CorruptError:
            at = step_over(db, table, at)


def step_over(db: apsw.Connection, table: str, at: int) -> int | None:
    """Return the first row number after ``at`` from which can be read, None if there is none."""
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
        # The row is there, and what it holds is not.
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
