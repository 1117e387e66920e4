"""The tables of an outbox in SQLite, and how those of an earlier version become them."""

import apsw

# "seen" outlives "events": it is what duplicates are told by. Its key is a digest, because ids
# may be long. It is cut from its oldest end, which the row number gives without an index.
SEEN = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    received REAL NOT NULL
);
"""
# "checksum" is that of the body (CRC-32); an event of version 1 has none.
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
# How much there is, so that nobody has to count: one row.
TOTALS = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    waiting INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    unreadable INTEGER NOT NULL DEFAULT 0
);
INSERT INTO {name} (id) VALUES (1);
"""
# What is known of journals, by the digest of application and journal: ``balance.Journal`` as JSON.
# It is written anew with each batch, so that the oldest end is what was not heard of for longest.
JOURNALS = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    received REAL NOT NULL,
    state BLOB NOT NULL
);
"""
# The books: ``balance.Tally``.
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
# Written only to see whether it can be: one row.
BEAT = """CREATE TABLE {name} (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at REAL NOT NULL
);
"""
# The same for ids of orders, which are known for longer.
TABLES = {
    "seen": SEEN,
    "orders": SEEN,
    "events": EVENTS,
    "dead": DEAD,
    "totals": TOTALS,
    "beat": BEAT,
    "journals": JOURNALS,
    "tallies": TALLIES,
}
# Kept in the file's header, so that a later version knows what it opens.
SCHEMA_VERSION = 3


def create(*names: str) -> str:
    """Return what creates tables."""
    return "".join(TABLES[name].format(name=name) for name in names)


# By the version of the file, 0 for an empty one; relays of 0.1.0 wrote version 1.
UPGRADES = {
    0: create(*TABLES),
    1: "ALTER TABLE events ADD COLUMN checksum INTEGER;"
    + create("orders", "totals", "beat", "journals", "tallies"),
    2: create("journals", "tallies"),
}


def count_again(db: apsw.Connection) -> None:
    """Set the counters to what there is."""
    db.execute(
        "UPDATE totals SET waiting = (SELECT count(*) FROM events),"
        " dead = (SELECT count(*) FROM dead)"
    )
