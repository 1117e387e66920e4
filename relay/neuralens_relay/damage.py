"""Detects damaged pages of a SQLite outbox, and copies the readable rows around them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import apsw

from neuralens_relay.schema import TABLES, count_again

# Time limit of the check on opening; damage beyond it is found when it is read.
CHECK_SECONDS = 0.1
# SQLite VM instructions between two checks of the clock.
STEPS = 10_000
# SQLite's largest row number.
LAST = 2**63 - 1


def quick_check(db: apsw.Connection) -> bool:
    """Return whether no damage is found within CHECK_SECONDS."""
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
        for name in aside:
            copy_rows(source, name, db, name)
        count_again(db)
        lost = max(0, held - count_held(db))
        db.execute("UPDATE totals SET unreadable = max(1, unreadable + ?)", (lost,))


def count_held(db: apsw.Connection) -> int:
    """Return how many events and dead letters the totals count; 0 if they are unreadable."""
    try:
        return int(db.execute("SELECT waiting + dead FROM totals").get or 0)
    except apsw.CorruptError:
        return 0


def is_whole(db: apsw.Connection, table: str) -> bool:
    """Return whether a table and its indexes are undamaged."""
    try:
        return bool(db.execute(f"PRAGMA integrity_check({table})").get == "ok")
    except apsw.CorruptError:
        return False


def free_name(db: apsw.Connection, table: str) -> str:
    """Return an unused name for a damaged table."""
    number = db.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB ?",
        (f"{table}_damaged_*",),
    ).get
    return f"{table}_damaged_{number + 1}"


def copy_rows(source: apsw.Connection, table: str, target: apsw.Connection, name: str) -> int:
    """Copy the readable rows; return how many."""
    columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    if not columns:
        # The file is of an earlier version without this table.
        return 0
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    copied = 0
    for row in read_rows(source, table, ", ".join(columns)):
        try:
            target.execute(insert, row)
        except (apsw.ConstraintError, apsw.MismatchError):
            # A damaged row may hold values that its columns do not allow.
            continue
        copied += target.changes()
    return copied


def read_rows(db: apsw.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
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
            at = step_over(db, table, at)


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
