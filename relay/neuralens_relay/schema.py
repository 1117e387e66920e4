"""The schema of a SQLite outbox, and its migrations."""

import apsw

# "seen" outlives "events", for deduplication. Its key is a digest, because ids may be long. Rows
# are inserted in order of time, so the oldest are found by row id, without an index.
SEEN = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    received REAL NOT NULL
);
"""
WAITING, SENDING = "waiting", "sending"
STATES = (WAITING, SENDING)
# "checksum" is the CRC-32 of the body; NULL in events from schema version 1.
EVENTS = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    eid TEXT NOT NULL,
    body BLOB NOT NULL,
    received REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending')),
    due REAL NOT NULL,
    checksum INTEGER
);
CREATE INDEX {name}_by_due ON {name} (state, due);
"""
DEAD_BY_RECEIVED = "CREATE INDEX {name}_by_received ON {name} (received);\n"
DEAD = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    eid TEXT NOT NULL,
    body BLOB NOT NULL,
    received REAL NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX {name}_by_eid ON {name} (eid);
"""
DEAD += DEAD_BY_RECEIVED
# A single row of counters.
TOTALS = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    waiting INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    unreadable INTEGER NOT NULL DEFAULT 0
);
INSERT INTO {name} (id) VALUES (1);
"""
# ``balance.Journal`` as JSON, by the digest of application and journal. Each batch replaces its
# journal's row, so the lowest row ids are the journals that are longest inactive.
JOURNALS = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    received REAL NOT NULL,
    state BLOB NOT NULL
);
"""
# ``balance.Tally``.
TALLIES = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    app TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    UNIQUE (day, app, state, reason)
);
"""
# The heartbeat, a single row: written to check that the file can be written.
BEAT = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at REAL NOT NULL
);
"""
TABLES = {
    "seen": SEEN,
    # The ids of orders, with their longer retention.
    "orders": SEEN,
    "events": EVENTS,
    "dead": DEAD,
    "totals": TOTALS,
    "beat": BEAT,
    "journals": JOURNALS,
    "tallies": TALLIES,
}
# Stored in the file's header (user_version).
SCHEMA_VERSION = 4


def create(*names: str) -> str:
    """Return the SQL that creates tables."""
    return "".join(TABLES[name].format(name=name) for name in names)


# SQL by the file's version, which is 0 if it is empty; relay 0.1.0 wrote version 1.
UPGRADES = {
    0: create(*TABLES),
    1: "ALTER TABLE events ADD COLUMN checksum INTEGER;"
    + create("orders", "totals", "beat", "journals", "tallies")
    + DEAD_BY_RECEIVED.format(name="dead"),
    2: create("journals", "tallies") + DEAD_BY_RECEIVED.format(name="dead"),
    3: DEAD_BY_RECEIVED.format(name="dead"),
}


def count_again(db: apsw.Connection) -> None:
    """Recompute the counters."""
    db.execute(
        "UPDATE totals SET waiting = (SELECT count(*) FROM events),"
        " dead = (SELECT count(*) FROM dead)"
    )
