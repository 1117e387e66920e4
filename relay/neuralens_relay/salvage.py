"""Writes what can be read of a damaged outbox file to a new one."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from neuralens_relay.damage import copy_rows, count_held
from neuralens_relay.outbox import OutboxError
from neuralens_relay.schema import count_again
from neuralens_relay.sqlite_store import SqliteStore, take_lock

# Tables that were set aside hold only what could not be read then.
COPIED = ("seen", "orders", "events", "dead", "journals", "tallies")


@dataclass(frozen=True)
class Salvaged:
    """What was copied, and the events and dead letters that the old file counts and has not."""

    events: int
    dead: int
    known: int
    lost: int


def salvage(old: Path, new: Path) -> Salvaged:
    """Copy what can be read of the file ``old`` to ``new``, which must not exist yet.

    Raises OutboxError when there is no ``old`` or a ``new``, when a relay uses ``old``, or when it
    is damaged where it says what it is.
    """
    if not old.is_file():
        raise OutboxError(f"there is no outbox {old}")
    if new.exists():
        raise OutboxError(f"{new} is there: name a file that is not")
    lock = take_lock(old)
    if lock is None:
        raise OutboxError(f"a relay uses {old}: stop it first")
    with closing(lock):
        return copy(old, new)


def copy(old: Path, new: Path) -> Salvaged:
    """Copy tables row by row. A new file that is not whole is removed."""
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
