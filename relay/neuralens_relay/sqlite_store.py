"""The outbox in a SQLite file.

apsw brings its own SQLite: versions 3.7.0 to 3.51.2, which many systems still have, can corrupt
a database with several connections (https://sqlite.org/wal.html#walresetbug).
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from neuralens_relay.outbox import Dead, Depth, Event, OutboxError, OutboxFullError, Taken, digest

# "seen" outlives "events": it is what duplicates are told by. Its key is a digest, because ids
# may be long. It is cut from its oldest end, which the row number gives without an index.
SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    received REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    eid TEXT NOT NULL,
    body BLOB NOT NULL,
    received REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending')),
    due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_due ON events (state, due);
CREATE TABLE IF NOT EXISTS dead (
    id INTEGER PRIMARY KEY,
    eid TEXT NOT NULL,
    body BLOB NOT NULL,
    received REAL NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_by_eid ON dead (eid);
"""
# Kept in the file's header, so that a later version knows what it opens.
SCHEMA_VERSION = 1
# Milliseconds to wait for another process that is writing.
BUSY_TIMEOUT = 5000
# Seconds for which a count is good enough.
COUNT_AGE = 1.0
# Ids forgotten for each one added: two, so that those past retention become fewer.
PURGE_FACTOR = 2


class SqliteStore:
    """Implements ``Store``: WAL, synchronous=FULL, one writer.

    Several processes may add to one file; one of them forwards, by a lock on a file beside it.
    """

    threads = 1
    group = 256

    def __init__(self, path: Path, limit: float = math.inf, retention: float = math.inf) -> None:
        """Open or create the file. ``limit``: events it may hold; ``retention``: seconds.

        Raises OutboxError when the file cannot be opened, or is not an outbox.
        """
        self._path = path
        self._limit = limit
        self._retention = retention
        self._lock: apsw.Connection | None = None
        self._recovered = False
        self._recent = 0
        self._counted = -COUNT_AGE
        with self._complaint():
            # Events name shoppers: nobody else on the machine is to read them.
            path.touch(0o600)
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(BUSY_TIMEOUT)
            self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            version = self._value("PRAGMA user_version")
            if version not in (0, SCHEMA_VERSION):
                raise OutboxError(f"{path} is an outbox of another version of the relay")
            self._db.execute(SCHEMA)
            if version == 0:
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store."""
        with self._complaint():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite itself has rolled back where the disk is full or gave an error.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def add(self, events: Sequence[Event], now: float) -> list[bool]:
        """See Store. Raises OutboxFullError when it holds as many events as it may."""
        if self._held() + len(events) > self._limit:
            raise OutboxFullError(f"the outbox holds {self._limit} events")
        fresh = []
        for event in events:
            self._db.execute(
                "INSERT OR IGNORE INTO seen (digest, received) VALUES (?, ?)",
                (digest(event.eid), now),
            )
            is_new = self._db.changes() == 1
            if is_new:
                self._db.execute(
                    "INSERT INTO events (eid, body, received, due) VALUES (?, ?, ?, ?)",
                    (event.eid, event.body, now, now),
                )
            fresh.append(is_new)
        self._recent += sum(fresh)
        self._db.execute(
            "DELETE FROM seen WHERE received < ?"
            " AND id IN (SELECT id FROM seen ORDER BY id LIMIT ?)",
            (now - self._retention, PURGE_FACTOR * len(events)),
        )
        return fresh

    def lead(self) -> bool:
        """See Store. The lock goes with the process, however it ends."""
        if self._lock is not None:
            return True
        with self._complaint():
            lock = apsw.Connection(f"{self._path}-forwarder")
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except apsw.BusyError:
                lock.close()
                return False
        self._lock = lock
        return True

    def recover(self) -> int:
        """See Store. There is one forwarder at a time, so only its predecessors' are looked for."""
        if self._recovered:
            return 0
        self._recovered = True
        self._db.execute("UPDATE events SET state = 'waiting' WHERE state = 'sending'")
        return self._db.changes()

    def take(self, limit: int, now: float) -> list[Taken]:
        """See Store."""
        rows = self._db.execute(
            "UPDATE events SET state = 'sending', attempts = attempts + 1 WHERE id IN"
            " (SELECT id FROM events WHERE state = 'waiting' AND due <= ? ORDER BY due LIMIT ?)"
            " RETURNING id, body, attempts, due",
            (now, limit),
        )
        ordered = sorted(rows, key=lambda row: (row[3], row[0]))
        return [Taken(key, body, attempts) for key, body, attempts, _ in ordered]

    def deliver(self, key: Any) -> None:
        """See Store."""
        self._db.execute("DELETE FROM events WHERE id = ?", (key,))

    def retry(self, key: Any, due: float, reason: str) -> None:
        """See Store."""
        self._db.execute(
            "UPDATE events SET state = 'waiting', due = ?, reason = ? WHERE id = ?",
            (due, reason, key),
        )

    def park(self, key: Any, reason: str) -> None:
        """See Store."""
        self._db.execute(
            "INSERT INTO dead (eid, body, received, attempts, reason)"
            " SELECT eid, body, received, attempts, ? FROM events WHERE id = ?",
            (reason, key),
        )
        self.deliver(key)

    def depth(self) -> Depth:
        """See Store."""
        # Events are added in the order of their row numbers, so the first has waited longest.
        oldest = self._value("SELECT received FROM events ORDER BY id LIMIT 1")
        return Depth(self._count("events"), self._count("dead"), oldest)

    def dead(self, limit: int) -> list[Dead]:
        """See Store."""
        rows = self._db.execute(
            "SELECT eid, body, attempts, received, reason FROM dead ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [Dead(*row) for row in rows]

    def replay(self, eids: Sequence[str], now: float) -> int:
        """See Store."""
        named = eids or [row[0] for row in self._db.execute("SELECT DISTINCT eid FROM dead")]
        revived = 0
        for eid in named:
            self._db.execute(
                "INSERT INTO events (eid, body, received, reason, due)"
                " SELECT eid, body, received, reason, ? FROM dead WHERE eid = ?",
                (now, eid),
            )
            self._db.execute("DELETE FROM dead WHERE eid = ?", (eid,))
            revived += self._db.changes()
        return revived

    def close(self) -> None:
        """See Store."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()

    def _held(self) -> int:
        """Return how many events are held, about: counting for each addition takes long."""
        now = time.monotonic()
        if now - self._counted >= COUNT_AGE:
            self._recent = self._count("events") + self._count("dead")
            self._counted = now
        return self._recent

    def _count(self, table: str) -> int:
        return int(self._value(f"SELECT count(*) FROM {table}"))  # noqa: S608 - constants

    def _value(self, query: str) -> Any:
        return self._db.execute(query).get

    @contextmanager
    def _complaint(self) -> Iterator[None]:
        try:
            yield
        except (apsw.Error, OSError) as error:
            raise OutboxError(f"the outbox {self._path} cannot be used: {error}") from error
