"""Outboxes that are damaged, full, read-only, of an earlier version, or with a wrong clock."""

import ctypes
import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner
from neuralens_relay.administration import as_record, describe_dead
from neuralens_relay.cli import relay as command
from neuralens_relay.clock import CORRECTION, SETTLED, Clock
from neuralens_relay.salvage import salvage
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import (
    Bounds,
    Event,
    OutboxError,
    OutboxRefusalError,
    Outcome,
    Settlement,
)

from tests.polling import eventually
from tests.processes import fork, join
from tests.relay.conftest import locked, make_batch, make_event

OLD = Path(__file__).with_name("outbox_0_1_0.sql")
COUNT = 2000
PAGE = 4096


def event(number):
    return Event(f"eid-{number}", b'{"number":%d,"padding":"%s"}' % (number, b"x" * 150))


def read_number(body):
    return int(body.split(b":")[1].split(b",")[0])


def fill(path, count=COUNT):
    with closing(SqliteStore(path)) as store, store.transaction():
        for start in range(0, count, 100):
            store.add([event(number) for number in range(start, start + 100)], 10.0 + start)
    with closing(apsw.Connection(str(path))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def drain(store, limit=1000):
    """Lease and settle events as a forwarder does; return their numbers."""
    came = []
    for _ in range(40):
        try:
            with store.transaction():
                store.recover([])
            with store.transaction():
                taken = store.lease(limit, 1e9)
                store.settle([Settlement(each.key, Outcome.DELIVERED) for each in taken])
        except OutboxError:
            continue
        came += [read_number(each.body) for each in taken]
    return came


def pages_of(path, table):
    with closing(apsw.Connection(str(path))) as db:
        return [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,))]


def damage(path, page, size=PAGE):
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(random.Random(page).randbytes(size))


@pytest.mark.parametrize("table", ["events", "events_by_due", "seen", "totals", "beat"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_damaged_page_is_skipped_counted_and_reported(tmp_path, table, place):
    path = tmp_path / "outbox.db"
    fill(path)
    pages = pages_of(path, table)
    # The first page of a larger tree is its root, which refers to all others.
    chosen = {"first": pages[0], "middle": pages[len(pages) // 2], "last": pages[-1]}[place]
    damage(path, chosen)
    with closing(SqliteStore(path)) as store:
        if (table, place) == ("events", "first"):
            # The others are unreachable.
            assert drain(store) == []
            with pytest.raises(OutboxError, match="--salvage"), store.transaction():
                store.depth()
            return
        came = drain(store)
        assert len(set(came)) == len(came)
        if table != "events":
            assert len(came) == COUNT
        else:
            assert COUNT - 60 <= len(came) < COUNT
        if table in ("events", "events_by_due", "totals"):
            with store.transaction():
                depth = store.depth()
            assert depth.waiting == 0
            assert depth.unreadable >= max(1, COUNT - len(came))
            assert "--salvage" in depth.refusal
            with pytest.raises(OutboxRefusalError, match="damaged"), store.transaction():
                store.add([event(COUNT)], 1e6)


def overwrite(whole, chance, size):
    """Overwrite a part of a file after its first page; without a size, flip one bit."""
    place = chance.randrange(PAGE, len(whole) - size)
    part = chance.randbytes(size) or bytes([whole[place] ^ 1 << chance.randrange(8)])
    return whole[:place] + part + whole[place + len(part) :]


@pytest.mark.parametrize("size", [0, 4, 64, 512])
@pytest.mark.parametrize("seed", range(6))
def test_damage_anywhere_is_reported_or_harmless(tmp_path, seed, size):
    count = 300
    path = tmp_path / "outbox.db"
    fill(path, count)
    path.write_bytes(overwrite(path.read_bytes(), random.Random(f"{seed} {size}"), size))
    with closing(SqliteStore(path)) as store:
        with suppress(OutboxError), store.transaction():
            store.lead()
        came = drain(store)
        assert len(set(came)) == len(came)
        try:
            with store.transaction():
                depth = store.depth()
                letters = store.dead(count)
        except OutboxError:
            # The root of a table: see ``test_a_damaged_page_is_skipped_counted_and_reported``.
            return
        assert depth.waiting == 0
        assert len(came) == count or "--salvage" in depth.refusal
        # They are listed, but not sent.
        assert all(describe_dead(letter) and as_record(letter) for letter in letters)
        with store.transaction():
            assert store.replay([], count, 10.0) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("eid", b"\xff\xfe"),
        ("state", "waitinf"),
        ("due", "text"),
        ("received", "text"),
        ("attempts", "many"),
        ("reason", b"\xff"),
    ],
)
def test_a_damaged_value_does_not_strand_its_event(tmp_path, column, value):
    path = tmp_path / "outbox.db"
    fill(path, 100)
    with closing(apsw.Connection(str(path))) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        text = "CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
        db.execute(f"UPDATE events SET {column} = {text} WHERE id = 42", (value,))
    with closing(SqliteStore(path)) as store:
        with store.transaction():
            store.depth()
            store.tidy(1e6, 600, steady=True, limit=1000)
        assert sorted(drain(store)) == list(range(100))


def test_a_corrupt_body_is_a_dead_letter(tmp_path):
    path = tmp_path / "outbox.db"
    fill(path, 100)
    whole = path.read_bytes()
    assert whole.count(b'{"number":42,') == 1
    path.write_bytes(whole.replace(b'{"number":42,', b'{"number":41,'))
    with closing(SqliteStore(path)) as store:
        assert sorted(drain(store)) == [number for number in range(100) if number != 42]
        with store.transaction():
            assert [letter.reason for letter in store.dead(9)] == ["damaged in the outbox"]
            assert store.depth().unreadable == 1
            # It might be sent with another product's id.
            assert store.replay([], 9, 10.0) == store.replay(["eid-42"], 9, 10.0) == 0


def test_a_salvaged_file_with_a_corrupt_body_is_not_damaged(tmp_path):
    old, new = tmp_path / "outbox.db", tmp_path / "new.db"
    fill(old, 100)
    old.write_bytes(old.read_bytes().replace(b'{"number":42,', b'{"number":41,'))
    found = salvage(old, new)
    assert (found.events, found.dead) == (99, 1)
    with closing(SqliteStore(new)) as store:
        assert sorted(drain(store)) == [number for number in range(100) if number != 42]
        with store.transaction():
            assert [letter.reason for letter in store.dead(9)] == ["damaged in the outbox"]
            assert store.depth().refusal == ""


def test_readable_events_are_salvaged_to_a_new_file(tmp_path):
    old, new = tmp_path / "outbox.db", tmp_path / "new.db"
    fill(old)
    damage(old, pages_of(old, "events")[-3])
    found = CliRunner().invoke(command, ["--salvage", str(old), str(new)])
    assert found.exit_code == 0, found.output
    with closing(SqliteStore(new)) as store:
        came = drain(store)
        assert COUNT - 60 <= len(came) < COUNT
        assert f"{len(came)} events, 0 dead letters and {COUNT} ids" in found.output
        assert f"{COUNT - len(came)} events could not be read" in found.output
        with store.transaction():
            assert store.depth().refusal == ""
            assert store.add([event(1), event(COUNT)], 20) == [False, True]
    again = CliRunner().invoke(command, ["--salvage", str(old), str(new)])
    assert "choose a new file" in again.output
    assert again.exit_code == 1


def interior_pages(path, table):
    """Return the root of a table, and the interior pages below it."""
    query = "SELECT pageno, path FROM dbstat WHERE name = ? AND pagetype = 'internal'"
    with closing(apsw.Connection(str(path))) as db:
        return [number for number, _ in sorted(db.execute(query, (table,)), key=lambda row: row[1])]


def settle(path, count):
    """Deliver events, and lease as many again; return the numbers of both."""
    with closing(SqliteStore(path)) as store:
        numbers = []
        for outcome in (Outcome.DELIVERED, None):
            with store.transaction():
                taken = store.lease(count, 1e9)
                store.settle([Settlement(each.key, outcome) for each in taken if outcome])
            numbers.append({read_number(each.body) for each in taken})
    return numbers


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_events_that_only_damaged_pages_lead_to_are_salvaged(tmp_path, place, opened):
    count = 20_000
    old, new = tmp_path / "outbox.db", tmp_path / "new.db"
    fill(old, count)
    delivered, leased = settle(old, 200)
    damage(old, interior_pages(old, "events")[place])
    if opened:
        # Some damage prevents the relay itself from reading on.
        with closing(SqliteStore(old)) as store:
            delivered |= set(drain(store))
    found = salvage(old, new)
    assert found.lost == 0
    assert found.orphans > (count - 400 if place == 0 else 5000)
    with closing(SqliteStore(new)) as store:
        came = drain(store)
        assert len(came) == found.events
        # The leased ones may have been delivered, too.
        with store.transaction():
            letters = {read_number(letter.body) for letter in store.dead(count)}
    assert letters == (leased if place < 2 else set())
    assert sorted([*came, *letters, *delivered]) == list(range(count))


def test_the_log_of_a_damaged_file_is_salvaged_too(tmp_path):
    count = 20_000
    old, crashed = tmp_path / "outbox.db", tmp_path / "crashed.db"
    fill(old, count)
    page = interior_pages(old, "events")[1]
    with closing(SqliteStore(old)) as store:
        with store.transaction():
            store.add([event(count)], 20.0)
            assert len(store.lease(1, 10.0)) == 1
        with store.transaction():
            store.settle([Settlement(1, Outcome.DELIVERED)])
        for suffix in ("", "-wal"):
            shutil.copy(f"{old}{suffix}", f"{crashed}{suffix}")
    damage(crashed, page)
    assert salvage(crashed, tmp_path / "new.db").orphans > 5000
    with closing(SqliteStore(tmp_path / "new.db")) as store:
        assert sorted(drain(store)) == list(range(1, count + 1))


def test_a_salvaged_file_is_that_of_its_application(tmp_path):
    old, new = tmp_path / "outbox.db", tmp_path / "new.db"
    with closing(SqliteStore(old, application="a")) as store, store.transaction():
        store.lead()
        store.add([event(1), event(2)], 10)
        store.settle([Settlement(store.lease(1, 10)[0].key, Outcome.DELIVERED)])
    assert salvage(old, new).events == 1
    with (
        closing(SqliteStore(new, application="b")) as other,
        pytest.raises(OutboxError, match="another application"),
    ):
        other.lead()


def test_a_file_in_use_is_not_salvaged(tmp_path):
    path = tmp_path / "outbox.db"
    with closing(SqliteStore(path)) as store:
        with store.transaction():
            assert store.lead()
        with pytest.raises(OutboxError, match="stop it first"):
            salvage(path, tmp_path / "new.db")


def test_a_relay_with_a_damaged_outbox_sends_the_rest_and_is_not_ready(
    spawn, environment, api_down, sandbox, tmp_path
):
    client, process = spawn(api_down)
    names = [f"p{number}" for number in range(400)]
    for start in range(0, 400, 100):
        client.send(*[make_event(items=[{"id": name}]) for name in names[start : start + 100]])
    process.end()
    path = tmp_path / "outbox.db"
    pages = pages_of(path, "events")
    damage(path, pages[len(pages) // 2])
    client, process = spawn(environment)
    eventually(lambda: len(sandbox.ids()) > 350)
    eventually(lambda: client.http.get("health").status_code == 503)
    health = client.health()
    assert not health["ready"]
    assert "--salvage" in health["reasons"][0]
    assert client.metric("neuralens_ready") == 0
    assert client.metric("neuralens_outbox_unreadable") >= 1
    assert client.post(make_batch(make_event())).status_code == 503
    assert "damaged" in process.errors()
    eventually(lambda: client.queued() == 0)
    assert set(sandbox.ids()) <= set(names)


def test_a_truncated_file_is_one_sentence(tmp_path):
    path = tmp_path / "outbox.db"
    fill(path)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(OutboxError, match=r"outbox\.db (is damaged|cannot be used)"):
        SqliteStore(path)


@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_what_is_left_of_a_truncated_file_is_salvaged(tmp_path, kept):
    old, new = tmp_path / "outbox.db", tmp_path / "new.db"
    fill(old)
    os.truncate(old, int(old.stat().st_size * kept))
    found = salvage(old, new)
    assert found.events > COUNT * kept / 3
    assert found.events + found.dead + found.lost == COUNT
    with closing(SqliteStore(new)) as store:
        assert len(set(drain(store))) == found.events
        with store.transaction():
            assert store.depth().refusal == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no such table: totals"), (b"x" * PAGE, "file is not a database")],
)
def test_a_file_without_a_header_cannot_be_salvaged(tmp_path, content, reason):
    old, new = tmp_path / "outbox.db", tmp_path / "new.db"
    old.write_bytes(content)
    with pytest.raises(OutboxError) as caught:
        salvage(old, new)
    assert str(caught.value) == f"{old} cannot be copied to {new}: {reason}"
    assert not new.exists()


def test_an_outbox_of_0_1_0_is_migrated(spawn, environment, sandbox, tmp_path):
    path = tmp_path / "outbox.db"
    with closing(apsw.Connection(str(path))) as db:
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute(OLD.read_text())
    path.chmod(0o644)
    client, process = spawn(environment)
    eventually(lambda: sorted(sandbox.ids()) == ["later", "sent", "waiting"])
    eventually(lambda: client.queued() == 0)
    assert client.metric("neuralens_outbox_dead") == 1
    assert client.metric("neuralens_forwarded_ambiguous_total") == 1
    assert client.send(make_event(eid="eid-delivered"))["duplicates"] == 1
    process.end()
    for file in tmp_path.glob("outbox.db*"):
        assert file.stat().st_mode & 0o077 == 0, file
    with closing(apsw.Connection(str(path))) as db:
        # Rewritten, so that it can shrink.
        assert db.execute("PRAGMA auto_vacuum").get == 2


def test_the_file_shrinks(tmp_path):
    path = tmp_path / "outbox.db"
    with closing(SqliteStore(path, Bounds(known=60))) as store:
        with store.transaction():
            for start in range(0, 20_000, 100):
                store.add([event(number) for number in range(start, start + 100)], 10)
        store.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        full = path.stat().st_size
        for _ in range(120):
            with store.transaction():
                taken = store.lease(200, 1e9)
                store.settle([Settlement(each.key, Outcome.DELIVERED) for each in taken])
            with store.transaction():
                store.tidy(1000, 60, steady=True, limit=1000)
        store.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert path.stat().st_size < full / 2


def test_delivered_events_are_removed_from_the_file(spawn, environment, sandbox, tmp_path):
    client, process = spawn(environment)
    uid = "shopper-4711-of-whom-nothing-stays"
    client.send(*[make_event(uid=uid) for _ in range(50)])
    eventually(lambda: client.queued() == 0)
    assert process.end() == 0
    for path in tmp_path.glob("outbox.db*"):
        assert uid.encode() not in path.read_bytes(), path


def test_a_file_system_without_shared_memory_is_one_sentence(tmp_path):
    program = f"""
import apsw
from pathlib import Path
# A VFS without shared memory, like a network file system.
apsw.set_default_vfs("unix-dotfile")
from neuralens_relay.sqlite_store import SqliteStore
SqliteStore(Path({str(tmp_path / "outbox.db")!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "network file system: put the outbox on a local disk" in done.stderr.splitlines()[-1]


@contextmanager
def small_disk(tmp_path, mebibytes):
    """Mount a small disk; skip the test if that is impossible."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={mebibytes}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a disk can only be mounted by root, where that is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill_disk(path, size):
    """Fill a disk completely with a file."""
    with path.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def final_response(client, body):
    """Return the response to a batch once it is accepted, or refused because the outbox is full."""
    answer = client.post(body)
    full = answer.status_code == 503 and "accepts no events" in answer.json()["error"]
    return answer if answer.status_code == 202 or full else None


@contextmanager
def quota_used_up():
    """Refuse all writes of SQLite, as a quota does, of which ``statvfs`` knows nothing."""
    kind = ctypes.CFUNCTYPE(
        ctypes.c_ssize_t,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int64,
        use_errno=True,
    )

    @kind
    def refuse(*_):
        ctypes.set_errno(errno.EDQUOT)
        return -1

    system = apsw.VFS("quota", "unix")
    name = "pwrite64"
    before = system.xGetSystemCall(name)
    system.xSetSystemCall(name, ctypes.cast(refuse, ctypes.c_void_p).value)
    try:
        yield
    finally:
        system.xSetSystemCall(name, before)


def test_a_quota_that_is_used_up_leaves_room_for_sending(store, tmp_path):
    reserve = tmp_path / "outbox.db-reserve"
    with store.transaction():
        store.add([event(1)], 1)
        store.tidy(2, 600, steady=True, limit=1000)
    assert reserve.exists()
    with quota_used_up(), pytest.raises(OutboxError, match="quota"), store.transaction():
        store.add([event(2)], 2)
    assert not reserve.exists()
    with store.transaction():
        # Not for new events.
        with pytest.raises(OutboxRefusalError, match="quota"):
            store.add([event(2)], 2)
        assert "quota" in store.depth().refusal
        leases = store.lease(9, 3)
        store.settle([Settlement(lease.key, Outcome.DELIVERED) for lease in leases])
        assert len(leases) == 1
    with store.transaction():
        store.tidy(3, 600, steady=True, limit=1000)
        assert store.add([event(2)], 3) == [True]


def test_a_limit_of_the_size_of_files_is_named(tmp_path):
    def add_many(store):
        for number in range(1000):
            with store.transaction():
                store.add([event(number)], 1)

    def fill_up():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10, 300 << 10))
        store = SqliteStore(tmp_path / "outbox.db")
        with closing(store), pytest.raises(OutboxError, match="limit of size: remove it"):
            add_many(store)

    assert join(fork(fill_up)) == 0


@pytest.mark.parametrize("mebibytes", [4, pytest.param(24, marks=pytest.mark.nightly)])
def test_a_full_disk_answers_503_and_drains(spawn, environment, sandbox, tmp_path, mebibytes):
    with small_disk(tmp_path, mebibytes) as disk:
        environment["NEURALENS_OUTBOX"] = f"sqlite:///{disk}/outbox.db"
        sandbox.fail(status=503, times=1_000_000)
        client, process = spawn(environment | {"NEURALENS_RATE_LIMIT": "0"})
        names = []
        while True:
            batch = [f"{len(names)}-{place}" for place in range(20)]
            # Large events, so that few fill the disk.
            more = [{"id": f"{place}" * 400} for place in range(5)]
            events = [make_event(items=[{"id": n}, *more], event="PURCHASE") for n in batch]
            # A busy relay may answer 503 before the disk is full.
            answer = eventually(partial(final_response, client, make_batch(*events)))
            if answer.status_code == 503:
                break
            names += batch
        eventually(lambda: "MiB left" in " ".join(client.health()["reasons"]))
        assert not client.health()["ready"]
        # Another file fills the rest.
        fill_disk(disk / "other", 1 << 20)
        sandbox.clear_faults()
        eventually(lambda: client.queued() == 0, 60)
        assert client.metric('neuralens_forwarded_total{fate="delivered"}') == len(names)
        assert len(process.errors().splitlines()) < 40
        (disk / "other").unlink()
        eventually(lambda: client.health()["ready"])
        client.send(make_event())
        process.end()


def test_a_disk_that_is_full_at_the_start_still_drains(spawn, environment, sandbox, tmp_path):
    with small_disk(tmp_path, 8) as disk:
        environment["NEURALENS_OUTBOX"] = f"sqlite:///{disk}/outbox.db"
        client, process = spawn(environment)
        sandbox.fail(hang=True, times=20)
        names = [f"p{number}" for number in range(20)]
        client.send(*[make_event(items=[{"id": name}]) for name in names])
        eventually(lambda: not sandbox.pending())
        process.end(9)
        fill_disk(disk / "other", 1 << 20)
        client, process = spawn(environment)
        eventually(lambda: not client.health()["ready"])
        (disk / "other").unlink()
        eventually(lambda: sorted(sandbox.ids()) == sorted(names))
        eventually(lambda: client.health()["ready"])
        process.end()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_an_outbox_whose_file_is_deleted_or_replaced(
    spawn, environment, sandbox, tmp_path, is_replaced
):
    """It accepts no more, because a restarted relay would not find it; what it holds is sent."""
    path = tmp_path / "replaced.db"
    environment["NEURALENS_OUTBOX"] = f"sqlite:///{path}"
    sandbox.fail(status=503, times=1_000_000)
    client, process = spawn(environment)
    client.send(make_event(items=[{"id": "held"}]))
    if is_replaced:
        fill(tmp_path / "backup.db", 0)
        (tmp_path / "backup.db").replace(path)
    else:
        path.unlink()
    assert client.post(make_batch(make_event())).status_code == 503
    eventually(lambda: "deleted or replaced" in " ".join(client.health()["reasons"]))
    assert not client.health()["ready"]
    sandbox.clear_faults()
    eventually(lambda: sandbox.ids() == ["held"])
    process.end()
    client, process = spawn(environment)
    client.send(make_event(items=[{"id": "new"}]))
    eventually(lambda: sandbox.ids() == ["held", "new"])
    process.end()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_relay_without_its_lock_file_yields_to_another_leader(
    spawn, environment, sandbox, tmp_path, is_replaced
):
    first, process = spawn(environment)
    sandbox.fail(hang=True, accepted=True, times=3)
    names = [f"p{number}" for number in range(60)]
    first.send(*[make_event(items=[{"id": name}]) for name in names[:3]])
    eventually(lambda: not sandbox.pending())
    lock = tmp_path / "outbox.db-forwarder"
    process.popen.send_signal(signal.SIGSTOP)
    lock.unlink()
    if is_replaced:
        lock.touch()
    second, _ = spawn(environment)
    eventually(lambda: second.health()["forwarding"] == "running")
    process.popen.send_signal(signal.SIGCONT)
    eventually(lambda: first.health()["forwarding"] == "following")
    for index in range(3, 60, 3):
        some = [make_event(items=[{"id": name}]) for name in names[index : index + 3]]
        (first, second)[index % 2].send(*some)
    eventually(lambda: second.queued() == 0)
    assert Counter(sandbox.ids()) == Counter(names + names[:3])
    assert second.metric("neuralens_forwarded_ambiguous_total") == 3
    assert "deleted or replaced" in process.errors()


def test_a_lock_file_that_is_no_lock_is_named(spawn, environment, sandbox, tmp_path):
    lock = tmp_path / "outbox.db-forwarder"
    lock.write_text(
        "4711, the process id of another program's lock, in a file of a few lines\n" * 9
    )
    client, _ = spawn(environment)
    client.send(make_event(items=[{"id": "kept"}]))
    eventually(lambda: f"{lock}, the lock" in " ".join(client.health()["reasons"]))
    lock.unlink()
    eventually(lambda: sandbox.ids() == ["kept"])
    eventually(lambda: client.health()["reasons"] == [])


def test_a_leader_replaces_its_lock_file(spawn, environment, sandbox, tmp_path):
    first, _ = spawn(environment)
    sandbox.fail(hang=True, times=1)
    first.send(make_event(items=[{"id": "in flight"}]))
    eventually(lambda: not sandbox.pending())
    lock = tmp_path / "outbox.db-forwarder"
    lock.unlink()
    eventually(lock.exists)
    second, _ = spawn(environment)
    eventually(lambda: second.health()["forwarding"] == "following")
    eventually(lambda: first.queued() == 0)
    assert sandbox.ids() == ["in flight"]
    assert second.health()["forwarding"] == "following"
    assert first.health()["forwarding"] == "running"


@pytest.mark.parametrize("files", ["all", "main file alone"])
def test_an_outbox_that_cannot_be_written_is_refused_at_the_start(tmp_path, api_down, files):
    path = tmp_path / "outbox.db"
    fill(path, 100)
    path.chmod(0o400)
    if os.geteuid() == 0:
        # Root ignores permissions, but not a read-only mount.
        with small_disk(tmp_path, 8) as disk:
            shutil.copy(path, disk)
            if files == "all":
                # As a relay that was killed leaves them.
                (disk / "outbox.db-wal").touch(0o600)
                (disk / "outbox.db-shm").touch(0o600)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            outbox = f"sqlite:///{disk}/outbox.db"
            result = CliRunner().invoke(command, [], env=api_down | {"NEURALENS_OUTBOX": outbox})
    else:
        result = CliRunner().invoke(command, [], env=api_down)
    assert result.exit_code == 1
    assert "Error: " in result.output
    assert "make it and its folder writable for this user" in result.output
    assert "Traceback" not in result.output


def test_a_temporarily_unwritable_outbox_is_reported(spawn, environment, tmp_path):
    client, _ = spawn(environment)
    client.send(make_event())
    with closing(apsw.Connection(str(tmp_path / "outbox.db"))) as other:
        other.set_busy_timeout(30_000)
        other.execute("BEGIN EXCLUSIVE")
        eventually(lambda: not client.health()["ready"])
        assert client.http.get("health?live").status_code == 200
        assert client.health()["reasons"]
        # An outdated number would be taken for the current one.
        assert "neuralens_outbox" not in client.http.get("metrics").text
        other.execute("ROLLBACK")
    eventually(lambda: client.health()["ready"])


def test_another_program_that_writes_at_the_start_does_not_prevent_it(tmp_path, monkeypatch):
    path = tmp_path / "outbox.db"
    fill(path, 100)
    monkeypatch.setattr("neuralens_relay.sqlite_store.BUSY_TIMEOUT", 50)
    with locked(path):
        store = SqliteStore(path)
        with pytest.raises(OutboxError, match="database is locked"), store.transaction():
            store.check(10)
    with closing(store):
        assert sorted(drain(store)) == list(range(100))


def test_a_lock_that_cannot_be_opened_is_reported(spawn, environment, tmp_path):
    (tmp_path / "outbox.db-forwarder").mkdir(0o700)
    client, _ = spawn(environment)
    client.send(make_event())
    eventually(lambda: client.health()["forwarding"] == "stopped")
    assert "cannot be used" in client.health()["reasons"][0]
    (tmp_path / "outbox.db-forwarder").rmdir()
    eventually(lambda: client.queued() == 0)
    eventually(lambda: client.health()["forwarding"] == "running")


def test_a_follower_reports_its_state(spawn, environment):
    first, leader = spawn(environment)
    first.send(make_event())
    eventually(lambda: first.queued() == 0)
    second, _ = spawn(environment)
    eventually(lambda: second.health()["forwarding"] == "following")
    assert second.health()["ready"]
    leader.end()
    eventually(lambda: second.health()["forwarding"] == "running")


@pytest.fixture
def store(tmp_path):
    with closing(SqliteStore(tmp_path / "outbox.db", Bounds(dead=5, dead_age=100))) as store:
        yield store


def test_events_postponed_by_a_clock_that_was_ahead_become_due(store):
    with store.transaction():
        store.add([event(1), event(2)], 10)
        year = 365 * 86400
        taken = store.lease(9, 10)
        store.settle([Settlement(taken[0].key, Outcome.AGAIN, "500", year)])
        store.settle([Settlement(taken[1].key, Outcome.AGAIN, "500", 300)])
        store.tidy(20, 600, steady=False, limit=1000)
        assert len(store.lease(9, 20)) == 1
        assert len(store.lease(9, 301)) == 1


def test_dead_letters_have_a_limit_and_a_retention(store):
    with store.transaction():
        for number in range(8):
            store.add([event(number)], number)
            taken = store.lease(1, 10)
            store.settle([Settlement(taken[0].key, Outcome.DEAD, "400")])
        store.tidy(50, 600, steady=True, limit=1000)
        assert [letter.eid for letter in store.dead(9)] == [f"eid-{n}" for n in (7, 6, 5, 4, 3)]
        store.tidy(105.5, 600, steady=False, limit=1000)
        assert store.depth().dead == 5
        store.tidy(105.5, 600, steady=True, limit=1000)
        assert [letter.eid for letter in store.dead(9)] == ["eid-7", "eid-6"]
        assert (store.depth().dead, store.depth().dropped) == (2, 6)
        assert store.forget(["eid-6", "nothing"], 9) == 1
        assert store.forget([], 9) == 1
        assert store.depth().dead == 0
        # Dead letters do not count toward the outbox's limit.
        assert store.depth().refusal == ""


def test_many_dead_letters_do_not_slow_down_housekeeping(store):
    fill_dead = "INSERT INTO dead (eid, body, received, attempts, reason) VALUES (?, 'x', 2, 1, '')"
    with store.transaction():
        store.database.executemany(fill_dead, [(str(number),) for number in range(20_000)])
    steps = []
    store.database.set_progress_handler(lambda: steps.append(1), 1000)
    with store.transaction():
        store.tidy(3.0, 1.0, True, 100)
    assert len(steps) < 10


def test_abandoned_leases_are_recovered_repeatedly(store):
    with store.transaction():
        store.add([event(number) for number in range(4)], 10)
        taken = store.lease(4, 10)

    def recover_and_fail():
        with store.transaction():
            assert store.recover([taken[0].key]) == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        recover_and_fail()
    with store.transaction():
        assert store.recover([taken[0].key]) == 3
        assert store.recover([taken[0].key]) == 0
        assert len(store.lease(9, 10)) == 3


def test_clock_jumps_are_detected():
    wall, ticks = [1000.0], [5.0]
    clock = Clock(lambda: wall[0], lambda: ticks[0])

    def pass_time(seconds, jump=0.0):
        wall[0] += seconds + jump
        ticks[0] += seconds
        return clock.check()

    assert not clock.steady
    assert not pass_time(SETTLED, CORRECTION / 2)
    assert clock.steady
    # Forty days ahead for a moment.
    assert not pass_time(1, 40 * 86400)
    assert not clock.steady
    assert pass_time(1, -40 * 86400)
    assert not pass_time(SETTLED - 1)
    assert not clock.steady
    assert not pass_time(1)
    assert clock.steady


def test_many_dead_letters_are_replayed_in_portions_while_pages_send(
    spawn, environment, api_down, sandbox, tmp_path
):
    path = tmp_path / "outbox.db"
    with closing(SqliteStore(path)) as store, store.transaction():
        for start in range(0, 3000, 100):
            store.add([event(number) for number in range(start, start + 100)], 10)
        taken = store.lease(3000, 10)
        store.settle([Settlement(each.key, Outcome.DEAD, "400") for each in taken])
    client, _ = spawn(api_down)
    replay = subprocess.Popen(
        [sys.executable, "-c", "from neuralens_relay.cli import relay; relay()", "--replay"],
        env={"PATH": os.environ["PATH"], **api_down},
        stdout=subprocess.PIPE,
        text=True,
    )
    while replay.poll() is None:
        client.send(make_event())
    out, _ = replay.communicate()
    assert out == "3000 events will be sent again\n"
    assert client.metric("neuralens_outbox_dead") == 0


def test_forgotten_dead_letters_are_deleted(spawn, environment, sandbox):
    client, _ = spawn(environment)
    sandbox.fail(status=400, times=3)
    client.send(*[make_event(eid=f"e{number}") for number in range(3)])
    eventually(lambda: client.metric("neuralens_outbox_dead") == 3)
    result = CliRunner().invoke(command, ["--forget", "e1"], env=environment)
    assert result.output == "1 event will be dropped\n"
    result = CliRunner().invoke(command, ["--forget"], env=environment)
    assert result.output == "2 events will be dropped\n"
    eventually(lambda: client.metric("neuralens_outbox_dead") == 0)
    assert client.health()["reasons"] == []
    assert sandbox.ids() == []


def test_liveness_does_not_access_the_outbox(start_lazily, api_down, tmp_path):
    client = start_lazily(api_down)
    answer = client.http.get("health?live")
    assert (answer.status_code, answer.json()) == (200, {"live": True})
    assert list(tmp_path.glob("outbox.db*")) == []
    assert client.health()["ready"]
    assert list(tmp_path.glob("outbox.db*")) != []
