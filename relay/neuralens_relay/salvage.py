"""Copies the readable part of a damaged SQLite outbox to a new file."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import apsw

from neuralens_relay.damage import DAMAGED_LETTER, copy_rows, count_held
from neuralens_relay.orphans import Hidden, find_set_aside, recover
from neuralens_relay.schema import count_again
from neuralens_relay.sqlite_files import take_lock
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import OutboxError

# The readable rows of tables that ``damage.rebuild`` has set aside were copied then.
COPIED = ("seen", "orders", "events", "dead", "journals", "tallies")


@dataclass(frozen=True)
class Salvaged:
    """The numbers of rows copied; ``lost``: events and dead letters that were unreadable.

    ``orphans``: those copied to which only damaged pages led.
    """

    events: int
    dead: int
    known: int
    lost: int
    orphans: int


def salvage(old: Path, new: Path) -> Salvaged:
    """Copy the readable part of the file ``old`` to ``new``, which must not exist.

    Raises OutboxError if ``old`` does not exist, is in use by a relay, or has a damaged header or
    schema, or if ``new`` exists.
    """
    if not old.is_file():
        raise OutboxError(f"there is no outbox {old}")
    if new.exists():
        raise OutboxError(f"{new} exists: choose a new file")
    lock = take_lock(old)
    if lock is None:
        raise OutboxError(f"a relay uses {old}: stop it first")
    with closing(lock):
        return copy(old, new)


def copy(old: Path, new: Path) -> Salvaged:
    """Copy tables row by row; on failure the new file is deleted."""
    store = SqliteStore(new)
    try:
        with closing(apsw.Connection(str(old))) as source, store.transaction():
            # Otherwise SQLite reads nothing of a file that is shorter than its header says.
            source.execute("PRAGMA writable_schema = ON").fetchall()
            held = count_held(source)
            target = store.database
            owner = source.execute("PRAGMA application_id").get
            target.execute(f"PRAGMA application_id = {owner}")
            hidden = find_set_aside(source)
            copied = dict.fromkeys(COPIED, 0)
            for name in COPIED:
                gaps: list[range] = []
                copied[name] = copy_rows(source, name, target, name, gaps)
                hidden.append(Hidden(name, name, gaps))
            found = recover(source, target, new, hidden)
            for each in hidden:
                if each.source == each.table:
                    copied[each.table] += found[each]
            set_aside(target)
            count_again(target)
            numbers = count_rows(target)
    except (apsw.Error, OutboxError, OSError) as error:
        store.close()
        new.unlink()
        # The store takes an error of the old file for one of its own.
        raise OutboxError(f"{old} cannot be copied to {new}: {error.__cause__ or error}") from error
    store.close()
    orphans = sum(count for each, count in found.items() if each.table in ("events", "dead"))
    lost = max(0, held - copied["events"] - copied["dead"])
    return Salvaged(*numbers, lost, orphans)


def set_aside(db: apsw.Connection) -> None:
    """Turn events that do not match their checksums into dead letters.

    Otherwise the relay would find the new file damaged, too.
    """
    rows = db.execute("SELECT id, body, checksum FROM events WHERE checksum IS NOT NULL")
    damaged = [(number,) for number, body, checksum in rows if crc32(body) != checksum]
    db.executemany(
        "INSERT INTO dead (eid, body, received, attempts, reason)"  # noqa: S608 - a constant
        f" SELECT eid, body, received, attempts, '{DAMAGED_LETTER}' FROM events WHERE id = ?",
        damaged,
    )
    db.executemany("DELETE FROM events WHERE id = ?", damaged)


def count_rows(db: apsw.Connection) -> tuple[int, int, int]:
    """Return the numbers of events, dead letters and ids."""
    known = "(SELECT count(*) FROM seen) + (SELECT count(*) FROM orders)"
    events, dead, ids = next(iter(db.execute(f"SELECT waiting, dead, {known} FROM totals")))  # noqa: S608 - constants
    return events, dead, ids
