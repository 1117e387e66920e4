"""Reads rows of damaged SQLite tables from intact pages that only damaged pages lead to.

The file has the parent of every page in a pointer map: so the leaves of a table are known without
the pages between them and its root, and free pages are told apart. Each leaf has the format of a
table of one page: in a copy of the file, the schema names it as the table's root, so that SQLite
itself reads it. Source: https://sqlite.org/fileformat2.html, "Pointer Map or Ptrmap Pages".
"""

import mmap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from zlib import crc32

import apsw

from neuralens_relay.damage import DAMAGED_LETTER, insert, read_records
from neuralens_relay.schema import SENDING

# The type of a leaf, and the types of pages in the pointer map: a root, any other page of a tree.
LEAF = 0x0D
ROOT, BRANCH = 1, 5
# Bytes of an entry in the pointer map.
ENTRY = 5
# More levels than a tree has.
LEVELS = 20
# Pages that are copied at a time.
PORTION = 1000
RECOVERED = ("seen", "orders", "events", "dead")
KNOWN = (
    "SELECT ?1 IN (SELECT eid FROM events WHERE eid = ?1 UNION SELECT eid FROM dead WHERE eid = ?1)"
)
LETTER = ("eid", "body", "received", "attempts", "reason")
UNSETTLED = "it was being sent when the outbox was damaged"


@dataclass(frozen=True, eq=False)
class Hidden:
    """Ranges of ids of ``table`` that could not be read from the table ``source``."""

    table: str
    source: str
    gaps: list[range]

    def has(self, number: int) -> bool:
        """Return whether an id was unreadable."""
        return any(number in gap for gap in self.gaps)


def find_set_aside(source: apsw.Connection) -> list[Hidden]:
    """Return what was unreadable of the tables that ``damage.rebuild`` has set aside."""
    found: dict[tuple[str, str], list[range]] = {}
    try:
        for name, aside, start, stop in source.execute("SELECT * FROM gaps"):
            found.setdefault((name, aside), []).append(range(start, stop))
    except (apsw.SQLError, apsw.CorruptError):
        # There are none, or those of an earlier version, whose rows may have been copied.
        return []
    return [Hidden(name, aside, gaps) for (name, aside), gaps in found.items()]


def recover(
    source: apsw.Connection, target: apsw.Connection, path: Path, hidden: Sequence[Hidden]
) -> Counter[Hidden]:
    """Copy hidden rows to the tables of a new file, at ``path``, under new ids; count them.

    What was readable then is not copied: it may have been delivered since.
    """
    copied: Counter[Hidden] = Counter()
    hidden = [each for each in hidden if each.gaps and each.table in RECOVERED]
    if not hidden:
        return copied
    target.execute("CREATE INDEX events_by_eid ON events (eid)")
    with Copy(source, path) as copy:
        for each in hidden:
            for _ in copy.visit_leaves(each.source):
                for values in read_records(copy.database, each.source, []):
                    if each.has(values.pop("id")):
                        copied[each] += keep(target, each.table, values)
    target.execute("DROP INDEX events_by_eid")
    return copied


def keep(target: apsw.Connection, table: str, values: dict[str, Any]) -> bool:
    """Insert a row unless its event is known; return whether it was inserted.

    An event that was being sent may have been delivered: it becomes a dead letter.
    """
    if "eid" in values and target.execute(KNOWN, (values["eid"],)).get:
        return False
    if values.get("state") == SENDING:
        intact = values["checksum"] in (None, crc32(values["body"]))
        values["reason"] = UNSETTLED if intact else DAMAGED_LETTER
        table, values = "dead", {name: values[name] for name in LETTER}
    return insert(target, table, values)


class Copy:
    """A copy of a database with its write-ahead log, in a temporary folder next to ``path``."""

    def __init__(self, database: apsw.Connection, path: Path) -> None:
        self._stack = ExitStack()
        folder = self._stack.enter_context(TemporaryDirectory(dir=path.parent))
        self._path = Path(folder) / "copy.db"
        with (
            closing(apsw.Connection(str(self._path))) as copy,
            copy.backup("main", database, "main") as backup,
        ):
            while not backup.done:
                backup.step(PORTION)

    def __enter__(self) -> Self:
        """Open the copy."""
        file = self._stack.enter_context(self._path.open("r+b"))
        self._pages = self._stack.enter_context(mmap.mmap(file.fileno(), 0))
        # Without a write-ahead log, SQLite changes the file itself.
        self._pages[18:20] = b"\1\1"
        self._size = int.from_bytes(self._pages[16:18]) or 1 << 16
        # Every page of the pointer map is followed by the pages that it describes.
        self._span = (self._size - self._pages[20]) // ENTRY + 1
        self.database = self._stack.enter_context(closing(apsw.Connection(str(self._path))))
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "writable_schema = ON"):
            self.database.execute(f"PRAGMA {pragma}").fetchall()
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the copy."""
        self._stack.close()

    def visit_leaves(self, table: str) -> Iterator[None]:
        """Yield once for each leaf of a table, while it is all that the table has."""
        query = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?"
        root = self.database.execute(query, (table,)).get
        # Without auto_vacuum, as in large files of 0.1.0, there is no pointer map.
        last = len(self._pages) // self._size if any(self._pages[52:56]) else 0
        for number in range(2, last + 1):
            if self._pages[(number - 1) * self._size] == LEAF and self._root(number) == root:
                change = "UPDATE sqlite_schema SET rootpage = ? WHERE type = 'table' AND name = ?"
                self.database.execute(change, (number, table))
                self.database.execute("PRAGMA writable_schema = RESET").fetchall()
                self.database.execute("PRAGMA writable_schema = ON").fetchall()
                yield

    def _root(self, number: int) -> int | None:
        """Return the root of a page's tree; None if it is in none."""
        for _ in range(LEVELS):
            before = (number - 2) // self._span * self._span + 2
            at = (before - 1) * self._size + ENTRY * (number - before - 1)
            if not 2 <= before < number <= len(self._pages) // self._size:
                return None
            if self._pages[at] != BRANCH:
                return number if self._pages[at] == ROOT else None
            number = int.from_bytes(self._pages[at + 1 : at + ENTRY])
        return None
