"""Stores the outbox in a SQLite file.

Values are read with CAST: those of a damaged row may have any type.

apsw bundles its own SQLite: versions 3.7.0 to 3.51.2, which many systems still have, can corrupt
a database with several connections (https://sqlite.org/wal.html#walresetbug).
"""

import errno
import logging
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import apsw

from neuralens_relay.balance import DAY, KEPT_DAYS, Report, Tally, name_journal, post
from neuralens_relay.damage import DAMAGED_LETTER, decode, names_set_aside, quick_check, rebuild
from neuralens_relay.disk import Reserve, measure
from neuralens_relay.schema import SCHEMA_VERSION, UPGRADES, count_again
from neuralens_relay.sqlite_files import (
    Lock,
    check_path,
    identify,
    restrict_permissions,
    take_lock,
    touch,
)
from neuralens_relay.store import (
    FORMER,
    UNBOUNDED,
    Bounds,
    Dead,
    Depth,
    Event,
    Lease,
    OutboxError,
    OutboxRefusalError,
    Outcome,
    Settlement,
    belongs_to,
    digest,
)

log = logging.getLogger(__name__)

# Milliseconds to wait for the lock of another process that is writing.
BUSY_TIMEOUT = 5000
MEBI = 1 << 20
# Bytes to which the write-ahead log is truncated after a checkpoint.
LOG_BYTES = 16 << 20
# Due events among which a probe prefers one never attempted.
PROBED = 256
# The mode of auto_vacuum in which the relay releases pages itself.
INCREMENTAL = 2
# Free pages that the file may keep, and the most returned at a time while space is scarce.
SPARE = 250
FEW = 50
# The most pages of a file of version 1 that is vacuumed as a whole.
COMPACTED = 16_000
# Only a damaged row violates a constraint.
DAMAGE = (apsw.CorruptError, apsw.ConstraintError)
SALVAGE = "stop the relay, and copy the readable part to a new file with relay --salvage"
# The oldest events that are searched for overlooked ones.
SEARCHED = 256
REMEMBER = "INSERT OR IGNORE INTO seen (digest, received) VALUES (?, ?)"
REMEMBER_ORDER = REMEMBER.replace("seen", "orders")


@dataclass(frozen=True)
class Totals:
    """The numbers of queued events, of dead letters, and of events lost to damage."""

    waiting: int
    dead: int
    unreadable: int


class SqliteStore:
    """Implements ``Store``: WAL, synchronous=FULL, one writer.

    Several processes may add to one file. The leader, which forwards, holds a lock on a file next
    to it.
    """

    threads = 1
    group = 256
    idle = 10.0

    def __init__(self, path: Path, bounds: Bounds = UNBOUNDED, application: str = "") -> None:
        """Open or create the file; ``application``: that of a relay or client, "" if unknown.

        Raises OutboxError if it cannot be opened or written, or is not an outbox.
        """
        # The owner's is in the header of the file, where there is room for a number only: negative
        # from its first delivery on.
        self._application = crc32(application.encode()) & 0x7FFFFFFF
        # Why this relay does not forward: the outbox is another application's, see Store.
        self._conflict = ""
        # All processes must use the same files next to it, even those that know it by a symlink.
        # Unlike Path.resolve this raises nothing for a loop of symlinks.
        is_absolute = path.is_absolute()
        self._path = path = Path(os.path.realpath(path))
        self._bounds = bounds
        self._lock: Lock | None = None
        # Whether damage was found, and why it could not be repaired.
        self._damaged = False
        self._repair_error = ""
        self._dropped = 0
        # Whether the quota was used up, and there has not been space for the reserve since.
        self._over_quota = False
        # Changes of the tallies in the current transaction.
        self._changes: Counter[tuple[int, str, str, str]] = Counter()
        self._reserve = Reserve(Path(f"{path}-reserve"))
        with self._translated_errors():
            check_path(path, is_absolute)
            # Events are personal data, so no other user may read the files.
            touch(path)
            restrict_permissions(path)
            space = measure(path)
            if space.free < space.floor:
                self._reserve.release()
            self.database = apsw.Connection(str(path))
            self._opened = identify(path)
            self.database.set_busy_timeout(BUSY_TIMEOUT)
        try:
            # The connection knows the system's error until it is closed.
            with self._translated_errors():
                self._open(space.log_pages(4096))
        except BaseException:
            self.database.close()
            raise

    def _open(self, log_pages: int) -> None:
        if self._value("PRAGMA auto_vacuum") != INCREMENTAL:
            # Only has an effect while the file is empty. It waits for other programs that write.
            self.database.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        self._use_log()
        for pragma in (
            "synchronous = FULL",
            "cell_size_check = ON",
            # Events are personal data: deleted ones are overwritten.
            "secure_delete = ON",
            f"wal_autocheckpoint = {log_pages}",
            f"journal_size_limit = {LOG_BYTES}",
        ):
            self.database.execute(f"PRAGMA {pragma}").fetchall()
        version = self._value("PRAGMA user_version")
        if version > SCHEMA_VERSION:
            raise OutboxError(f"{self._path} is an outbox of a later version of the relay")
        if version < SCHEMA_VERSION:
            with self.transaction():
                # Another process may have migrated it in the meantime.
                version = self._value("PRAGMA user_version")
                self.database.execute(UPGRADES.get(version, ""))
                if version == 1:
                    count_again(self.database)
                self.database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            if version == 1 and self._value("PRAGMA page_count") <= COMPACTED:
                # auto_vacuum takes effect only after a full VACUUM.
                self.database.execute("VACUUM")
        self._damaged = not quick_check(self.database)
        try:
            with self.transaction():
                self.check(0)
        except OutboxError as error:
            # A full disk may have space later, another program will have written what it writes,
            # and a damaged file still has events to forward.
            if not isinstance(error.__cause__, (apsw.FullError, apsw.BusyError, *DAMAGE)):
                raise

    def _use_log(self) -> None:
        """Enable write-ahead logging; raise OutboxError if that is not possible."""
        try:
            mode = self._value("PRAGMA journal_mode = WAL")
        except (apsw.IOError, apsw.CantOpenError) as error:
            mode = str(error)
        if mode != "wal":
            raise OutboxError(
                f"{self._path} is on a file system where SQLite has no write-ahead log (WAL), such"
                f" as a network file system: put the outbox on a local disk ({mode})"
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store. Damage that was found before is repaired first."""
        with self._translated_errors():
            if self._damaged:
                self._repair()
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._write_tallies()
                self.database.execute("COMMIT")
            except BaseException:
                self._changes.clear()
                # SQLite itself rolls back on a full disk or an I/O error.
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")
                raise

    def _repair(self) -> None:
        """Rebuild damaged tables. A failure is remembered, because another attempt is slow."""
        if self._repair_error:
            raise OutboxError(self._repair_error)
        try:
            rebuild(self.database, self._path)
        except DAMAGE as error:
            self._repair_error = f"the outbox {self._path} is damaged: {SALVAGE} ({error})"
            raise OutboxError(self._repair_error) from error
        self._damaged = False
        log.error("%s", self._refusal(0))

    def add(self, events: Sequence[Event], now: float, report: Report | None = None) -> list[bool]:
        """See Store."""
        refusal = self._refusal(len(events))
        if refusal:
            raise OutboxRefusalError(refusal)
        fresh = []
        for event in events:
            self.database.execute(
                REMEMBER_ORDER if event.lasting else REMEMBER, (digest(event.eid), now)
            )
            is_new = self.database.changes() == 1
            if is_new:
                self.database.execute(
                    "INSERT INTO events (eid, body, received, due, checksum)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (event.eid, event.body, now, now, crc32(event.body)),
                )
            fresh.append(is_new)
        self._count(waiting=fresh.count(True))
        if report is not None:
            self._post(report, fresh, now)
        return fresh

    def _post(self, report: Report, fresh: list[bool], now: float) -> None:
        """Add a batch's contribution to the balance."""
        key = digest(name_journal(report))
        known = self._value("SELECT CAST(state AS BLOB) FROM journals WHERE digest = ?", (key,))
        posting = post(known, report, now, self._bounds.known)
        if posting.journal is not None:
            self.database.execute(
                "INSERT OR REPLACE INTO journals (digest, received, state) VALUES (?, ?, ?)",
                (key, now, posting.journal),
            )
        for (day, state, reason), count in posting.complete(fresh).items():
            self._changes[(day, report.app, state, reason)] += count

    def _write_tallies(self) -> None:
        """Write the transaction's changes of the tallies."""
        changes = [(*key, count) for key, count in self._changes.items() if count]
        self._changes.clear()
        self.database.executemany(
            "INSERT INTO tallies (day, app, state, reason, count) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            changes,
        )

    def tallies(self, first: int) -> list[Tally]:
        """See Store."""
        rows = self.database.execute(
            "SELECT CAST(day AS INTEGER), CAST(app AS BLOB), CAST(state AS BLOB),"
            " CAST(reason AS BLOB), CAST(count AS INTEGER) FROM tallies WHERE day >= ?",
            (first,),
        )
        return [
            Tally(day, decode(app), decode(state), decode(reason), count)
            for day, app, state, reason, count in rows
        ]

    def lead(self) -> bool:
        """See Store. The lock ends with the process, however it ends.

        Without its file, another process can acquire it, too: then the leader is the one that has
        the file that is there now. A moved outbox keeps its leader, who alone still has it open.
        """
        former = self._lock
        with self._translated_errors():
            if former is not None:
                if former.is_current() or identify(self._path) != self._opened:
                    return True
                log.warning("%s was deleted or replaced while the relay was running", former.file)
                former.close()
            self._lock = take_lock(self._path)
        if self._lock is None:
            self._conflict = self._find_conflict()
            if self._conflict:
                raise OutboxError(self._conflict)
            return False
        if former is None:
            count_again(self.database)
        self._claim()
        return True

    def _claim(self) -> None:
        """Make this relay's application the owner, see Store; called by the leader.

        While it is refused, the lock is left to relays of the owner.
        """
        owner = self._value("PRAGMA application_id")
        if self._application and abs(owner) != self._application:
            waiting = self._totals().waiting
            if owner < 0 and (waiting or self._conflict):
                self._conflict = self._conflict or (
                    f"the outbox {self._path} has queued events of another application"
                    f" ({waiting}): start a relay of that application until they are sent, or give"
                    " this one an outbox of its own (NEURALENS_OUTBOX)"
                )
                self._unlock()
                raise OutboxError(self._conflict)
            if owner < 0:
                self.database.execute("UPDATE dead SET reason = ? || reason", (FORMER,))
            self._name_owner(self._application)
        self._conflict = ""

    def _name_owner(self, number: int) -> None:
        if number != self._value("PRAGMA application_id"):
            self.database.execute(f"PRAGMA application_id = {number}")

    def _find_conflict(self) -> str:
        """Return that the outbox is another application's, or ""."""
        owner = abs(self._value("PRAGMA application_id"))
        # 0: there is no owner, or it is a relay of an earlier version.
        if not self._application or owner in (0, self._application):
            return ""
        return (
            f"a relay of another application uses the outbox {self._path}: give each an outbox of"
            " its own (NEURALENS_OUTBOX), or correct NEURALENS_APPLICATION_ID"
        )

    def recover(self, sending: Collection[Any]) -> int:
        """See Store. There is one leader at a time, so all other leases are abandoned."""
        leased = self.database.execute("SELECT id FROM events WHERE state = 'sending'")
        abandoned = [(key,) for (key,) in leased if key not in sending]
        self.database.executemany("UPDATE events SET state = 'waiting' WHERE id = ?", abandoned)
        return len(abandoned)

    def lease(self, limit: int, now: float) -> list[Lease]:
        """See Store."""
        query = "SELECT id FROM events WHERE state = 'waiting' AND due <= ? ORDER BY due LIMIT ?"
        return self._lease(query, now, candidates=limit, limit=limit)

    def probe(self, now: float) -> list[Lease]:
        """See Store."""
        query = (
            "SELECT id FROM (SELECT id, attempts, due FROM events"
            " WHERE state = 'waiting' AND due <= ? ORDER BY due LIMIT ?)"
            " ORDER BY min(attempts, 1), due LIMIT 1"
        )
        return self._lease(query, now, candidates=PROBED, limit=1)

    def _lease(self, query: str, now: float, *, candidates: int, limit: int) -> list[Lease]:
        """Lease the events of a query, which chooses ``limit`` of the first due ``candidates``."""
        rows: list[tuple[Any, ...]] = self.database.execute(
            "UPDATE events SET state = 'sending', attempts = attempts + 1"  # noqa: S608 - constants
            f" WHERE id IN ({query}) RETURNING CAST(due AS REAL), id, CAST(body AS BLOB),"
            " CAST(attempts AS INTEGER), checksum",
            (now, candidates),
        ).fetchall()
        if len(rows) < limit:
            self._search(now)
        leases = []
        damaged = []
        # By due time, then by id.
        for _, key, body, attempts, checksum in sorted(rows, key=lambda row: row[:2]):
            # Events of version 1 have no checksum.
            if body and checksum in (None, crc32(body)):
                leases.append(Lease(key, body, attempts))
            else:
                damaged.append(Settlement(key, Outcome.DEAD, DAMAGED_LETTER))
        if damaged:
            self.settle(damaged)
            self._count(unreadable=len(damaged))
        return leases

    def _search(self, now: float) -> None:
        """Raise CorruptError if there are due events that a damaged index does not find."""
        overlooked = self._value(
            "SELECT count(*) FROM (SELECT state, due FROM events NOT INDEXED ORDER BY id LIMIT ?)"
            " WHERE NOT (state = 'sending' OR state = 'waiting' AND ifnull(due, 0) > ?)",
            (SEARCHED, now),
        )
        if overlooked:
            raise apsw.CorruptError("its index does not find all events")

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """See Store."""
        gone = 0
        dead = 0
        for each in settlements:
            if each.outcome in (Outcome.AGAIN, Outcome.UNSENT):
                self.database.execute(
                    "UPDATE events SET state = 'waiting', due = ?, reason = ?,"
                    " attempts = attempts - ? WHERE id = ?",
                    (each.due, each.reason, each.outcome is Outcome.UNSENT, each.key),
                )
                continue
            if each.outcome is Outcome.DEAD:
                self.database.execute(
                    "INSERT INTO dead (eid, body, received, attempts, reason)"
                    " SELECT eid, body, received, attempts, ? FROM events WHERE id = ?",
                    (each.reason, each.key),
                )
                dead += self.database.changes()
            self.database.execute("DELETE FROM events WHERE id = ?", (each.key,))
            gone += self.database.changes()
        self._count(waiting=-gone, dead=dead)
        if any(each.outcome is Outcome.DELIVERED for each in settlements) and self._application:
            self._name_owner(-self._application)

    def tidy(self, now: float, longest: float, steady: bool, limit: int) -> bool:
        """See Store."""
        self.database.execute(
            "UPDATE events SET due = ? WHERE id IN"
            " (SELECT id FROM events WHERE state = 'waiting' AND due > ? LIMIT ?)",
            (now, now + longest, limit),
        )
        changed = [self.database.changes()]
        if steady:
            for table, age in (
                ("seen", self._bounds.known),
                ("orders", self._bounds.orders),
                ("journals", self._bounds.known),
            ):
                changed.append(self._expire(table, age, limit, now, longest))
            self.database.execute(
                "DELETE FROM tallies WHERE day < ?", (int(now // DAY) - KEPT_DAYS,)
            )
            changed.append(
                self._drop(
                    "SELECT id FROM dead WHERE received < ? ORDER BY received LIMIT ?",
                    (now - self._bounds.dead_age, limit),
                )
            )
        excess = self._totals().dead - self._bounds.dead
        if excess > 0:
            oldest = "SELECT id FROM dead ORDER BY id LIMIT ?"
            changed.append(self._drop(oldest, (min(excess, limit),)))
        space = measure(self._path)
        changed.append(self._vacuum(limit, space.free < space.floor))
        self._reserve.allocate(space)
        if self._reserve.exists:
            self._over_quota = False
        return max(changed) >= limit

    def _vacuum(self, limit: int, scarce: bool) -> int:
        """Return free pages to the file system, all of them if space is scarce; return how many."""
        free: int = self._value("PRAGMA freelist_count")
        excess = free if scarce else free - SPARE
        if excess <= 0:
            return 0
        # Moving pages itself needs space.
        pages = min(excess, limit, FEW if scarce else limit)
        self.database.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
        return pages

    def _expire(self, table: str, age: float, limit: int, now: float, longest: float) -> int:
        """Delete expired rows, which are the oldest by id; return how many were changed."""
        oldest = self._value(
            f"SELECT CAST(received AS REAL) FROM {table} ORDER BY id LIMIT 1"  # noqa: S608 - a constant
        )
        horizon = now - age
        if oldest is None or horizon <= oldest <= now + longest:
            return 0
        first = f"id IN (SELECT id FROM {table} ORDER BY id LIMIT ?)"  # noqa: S608 - a constant
        self.database.execute(
            f"DELETE FROM {table} WHERE received < ? AND {first}",  # noqa: S608 - a constant
            (horizon, limit),
        )
        changed = self.database.changes()
        # Rows from when the clock was ahead would not expire, nor would any row after them.
        self.database.execute(
            f"UPDATE {table} SET received = ? WHERE received > ? AND {first}",  # noqa: S608 - a constant
            (now, now + longest, limit),
        )
        return changed + self.database.changes()

    def _drop(self, chosen: str, values: tuple[Any, ...]) -> int:
        """Delete dead letters that are too old, or too many; return how many."""
        self.database.execute(f"DELETE FROM dead WHERE id IN ({chosen})", values)  # noqa: S608 - constants
        dropped = self.database.changes()
        self._dropped += dropped
        self._count(dead=-dropped)
        return dropped

    def check(self, now: float) -> None:
        """See Store."""
        self.database.execute("INSERT OR REPLACE INTO beat (id, at) VALUES (1, ?)", (now,))

    def depth(self) -> Depth:
        """See Store."""
        totals = self._totals()
        # Ids are ascending by time, so the first is the oldest.
        oldest = self._value("SELECT CAST(received AS REAL) FROM events ORDER BY id LIMIT 1")
        refusal = self._refusal(1)
        return Depth(totals.waiting, totals.dead, oldest, refusal, totals.unreadable, self._dropped)

    def dead(self, limit: int) -> list[Dead]:
        """See Store."""
        rows = self.database.execute(
            "SELECT CAST(eid AS BLOB), CAST(body AS BLOB), CAST(attempts AS INTEGER),"
            " CAST(received AS REAL), CAST(reason AS BLOB) FROM dead ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [
            Dead(decode(eid), body, attempts, received, decode(reason))
            for eid, body, attempts, received, reason in rows
        ]

    def replay(self, eids: Sequence[str], limit: int, now: float) -> int:
        """See Store. Damaged ones are never sent."""
        condition = f"reason <> '{DAMAGED_LETTER}'"
        if not eids:
            condition += f" AND reason NOT LIKE '{FORMER}%'"
        chosen = self._choose(eids, limit, condition)
        self.database.executemany(
            "INSERT INTO events (eid, body, received, reason, due, checksum)"
            " SELECT eid, body, received, reason, ?, ? FROM dead WHERE id = ?",
            [(now, crc32(body), key) for key, body in chosen],
        )
        self._remove(chosen)
        self._count(waiting=len(chosen))
        return len(chosen)

    def forget(self, eids: Sequence[str], limit: int) -> int:
        """See Store."""
        chosen = self._choose(eids, limit)
        self._remove(chosen)
        return len(chosen)

    def erase(self, uid: str, cursor: Any, limit: int) -> tuple[int, Any]:
        """See Store. The cursor is (table, id)."""
        table, after = cursor or ("events", 0)
        rows: list[tuple[Any, ...]] = self.database.execute(
            f"SELECT id, CAST(body AS BLOB) FROM {table} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - a constant
            (after, limit),
        ).fetchall()
        found = [(key,) for key, body in rows if belongs_to(body, uid)]
        self.database.executemany(f"DELETE FROM {table} WHERE id = ?", found)  # noqa: S608 - a constant
        if table == "events":
            self._count(waiting=-len(found))
        else:
            self._count(dead=-len(found))
        if len(rows) == limit:
            return len(found), (table, rows[-1][0])
        return len(found), ("dead", 0) if table == "events" else None

    def shred(self) -> str:
        """See Store. Releases free pages, and truncates the log of earlier writes.

        Damaged tables that were set aside stay: changing them could damage others.
        """
        with self._translated_errors():
            self.database.execute("PRAGMA incremental_vacuum").fetchall()
            self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if not any(names_set_aside(self.database, table) for table in ("events", "dead")):
                return ""
        return (
            f"unreadable parts of {self._path}, which was damaged, may have more: {SALVAGE}; delete"
            " the old file, and erase the uid from the new one"
        )

    def close(self) -> None:
        """See Store."""
        self.database.close()
        self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _choose(
        self, eids: Sequence[str], limit: int, condition: str = "true"
    ) -> list[tuple[int, bytes]]:
        """Return the key and body of dead letters with these ids, or of any without ids.

        ``condition`` is SQL.
        """
        query = f"SELECT id, CAST(body AS BLOB) FROM dead WHERE {condition}"  # noqa: S608 - constants
        if not eids:
            return list(self.database.execute(f"{query} ORDER BY id LIMIT ?", (limit,)))
        chosen: list[tuple[int, bytes]] = []
        for eid in eids:
            chosen += self.database.execute(f"{query} AND eid = ?", (eid,))
        return list(dict.fromkeys(chosen))[:limit]

    def _remove(self, chosen: Sequence[tuple[int, bytes]]) -> None:
        self.database.executemany("DELETE FROM dead WHERE id = ?", [(key,) for key, _ in chosen])
        self._count(dead=-len(chosen))

    def _refusal(self, more: int) -> str:
        """Return why a number of events is not accepted, or ""."""
        conflict = self._conflict or self._find_conflict()
        if conflict:
            return conflict
        totals = self._totals()
        waiting = totals.waiting
        if self._damaged or totals.unreadable:
            return (
                f"the outbox {self._path} is damaged ({totals.unreadable} events could not be"
                f" read): {SALVAGE}"
            )
        if waiting + more > self._bounds.waiting:
            return f"the outbox is full: {waiting} events, limit {self._bounds.waiting}"
        if identify(self._path) != self._opened:
            # What it held is still forwarded from the open file, which nobody finds afterwards.
            return (
                f"{self._path} was deleted or replaced while the relay was running: restart the"
                f" relay, at best once the {waiting} events of the former file are forwarded"
            )
        if self._over_quota:
            return f"this user's quota on the disk of {self._path} is used up"
        space = measure(self._path)
        if space.free < space.floor and space.free + self._unused() < space.floor:
            free, floor = space.free / MEBI, space.floor / MEBI
            return f"the disk of {self._path} has {free:.1f} MiB left; {floor:.1f} are kept free"
        return ""

    def _unused(self) -> int:
        """Return the unused bytes within the file."""
        pages, size = self._value("PRAGMA freelist_count"), self._value("PRAGMA page_size")
        return int(pages) * int(size)

    def _totals(self) -> Totals:
        query = (
            "SELECT CAST(waiting AS INTEGER), CAST(dead AS INTEGER), CAST(unreadable AS INTEGER)"
            " FROM totals"
        )
        rows: list[tuple[Any, ...]] = self.database.execute(query).fetchall()
        if len(rows) != 1 or None in rows[0]:
            raise apsw.CorruptError("its totals are missing")
        return Totals(*rows[0])

    def _count(self, waiting: int = 0, dead: int = 0, unreadable: int = 0) -> None:
        if waiting or dead or unreadable:
            self.database.execute(
                "UPDATE totals SET waiting = waiting + ?, dead = dead + ?,"
                " unreadable = unreadable + ?",
                (waiting, dead, unreadable),
            )

    def _value(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        return self.database.execute(query, values).get

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except DAMAGE as error:
            self._damaged = True
            raise OutboxError(f"the outbox {self._path} is damaged: {SALVAGE} ({error})") from error
        except apsw.FullError as error:
            self._reserve.release()
            raise OutboxError(f"the disk of the outbox {self._path} is full") from error
        except (apsw.ReadOnlyError, apsw.CantOpenError, PermissionError) as error:
            # The second if only the file's companions are missing, and cannot be created.
            raise OutboxError(
                f"the outbox {self._path} cannot be written: make it and its folder writable for"
                f" this user ({error})"
            ) from error
        except apsw.NotADBError as error:
            raise OutboxError(
                f"the outbox {self._path} is not a SQLite file: choose another, or a new one"
            ) from error
        except (apsw.Error, OSError) as error:
            reason = str(error)
            cause = self._system_error(error)
            if cause == errno.EDQUOT:
                self._over_quota = True
                self._reserve.release()
                reason = os.strerror(cause)
            elif cause == errno.EFBIG:
                reason = "files of this process have a limit of size: remove it (ulimit -f)"
            raise OutboxError(f"the outbox {self._path} cannot be used: {reason}") from error

    def _system_error(self, error: Exception) -> int | None:
        """Return the number of the system's error, which SQLite's own does not tell; or None."""
        if isinstance(error, OSError):
            return error.errno
        return self.database.system_errno if isinstance(error, apsw.IOError) else None
