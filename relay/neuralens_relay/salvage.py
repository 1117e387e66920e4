"""Copies the readable part of a damaged SQLite outbox to a new file."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from neuralens_relay.damage import copy_rows, count_held
from neuralens_relay.schema import count_again
from neuralens_relay.sqlite_files import take_lock
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import OutboxError

# Without tables that ``damage.rebuild`` has set aside: their readable rows were copied then.
COPIED = ("seen", "orders", "events", "dead", "journals", "tallies")


@dataclass(frozen=True)
class Salvaged:
    """The numbers of rows copied; ``lost``: events and dead letters that were unreadable."""

    events: int
    dead: int
    known: int
    lost: int


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
            held = count_held(source)
            counts = {name: copy_rows(source, name, store.database, name) for name in COPIED}
            count_again(store.database)
    except (apsw.Error, OutboxError) as error:
        store.close()
        new.unlink()
        raise OutboxError(f"{old} cannot be read at all: {error}") from error
    store.close()
    lost = max(0, held - counts["events"] - counts["dead"])
    known = counts["seen"] + counts["orders"]
    return Salvaged(counts["events"], counts["dead"], known, lost)
