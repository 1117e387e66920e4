"""The outbox: the contract of a store, and group commit."""

import errno
import threading
import time
import weakref
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
import redis
from click.testing import CliRunner
from neuralens_relay import Settings
from neuralens_relay.cli import relay as command
from neuralens_relay.opening import Opener
from neuralens_relay.outbox import Outbox
from neuralens_relay.redis_store import RedisStore
from neuralens_relay.relay import Relay
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import (
    Bounds,
    Event,
    OutboxError,
    OutboxRefusalError,
    Outcome,
    Settlement,
)

from tests.event_loop import run
from tests.polling import TIMEOUT, eventually
from tests.relay.conftest import amid, locked, unused_port

DAY = 86400.0


@pytest.fixture(params=["sqlite", "redis"])
def open_store(request, tmp_path):
    """Return a function that opens stores on one file or Redis; they are closed at the end."""
    address = None if request.param == "sqlite" else request.getfixturevalue("redis_address")
    with ExitStack() as opened:

        def open_one(**more):
            bounds = Bounds(**{"waiting": 1000, "known": 30 * DAY, **more})
            if address is None:
                store = SqliteStore(tmp_path / "outbox.db", bounds)
            else:
                store = RedisStore(address, bounds, idle=0.05)
            opened.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(open_store):
    return open_store()


def delivered(taken):
    return [Settlement(event.key, Outcome.DELIVERED) for event in taken]


def refused(taken, reason="400: no"):
    return [Settlement(event.key, Outcome.DEAD, reason) for event in taken]


def events(*names):
    return [Event(name, b'{"of":"%s"}' % name.encode()) for name in names]


def test_a_paused_outbox_runs_nothing_and_waits_for_nothing_that_hangs(tmp_path):
    hanging, left = threading.Event(), threading.Event()

    def hang(store):
        hanging.set()
        assert left.wait(TIMEOUT)

    with closing(Outbox(SqliteStore(tmp_path / "outbox.db"))) as outbox:
        outbox.pause()
        hung = outbox.submit(hang)
        with pytest.raises(TimeoutError):
            hung.result(0.1)
        assert not hanging.is_set()
        outbox.resume()
        assert hanging.wait(TIMEOUT)
        outbox.pause(patience=0.1)
        outbox.resume()
        left.set()
        hung.result(TIMEOUT)
        assert outbox.submit(lambda store: store.depth()).result(TIMEOUT).waiting == 0


def test_a_cancelled_operation_takes_no_memory_while_the_store_hangs(tmp_path):
    left = threading.Event()

    class Events:
        """Would be stored."""

    def keep(held):
        return weakref.ref(held), lambda store: held

    with closing(Outbox(SqliteStore(tmp_path / "outbox.db"))) as outbox:
        hung = outbox.submit(lambda store: left.wait(TIMEOUT))
        eventually(hung.running)
        held, operation = keep(Events())
        queued = outbox.submit(operation)
        del operation
        assert held() is not None
        assert queued.cancel()
        assert held() is None
        left.set()
        assert hung.result(TIMEOUT)


def test_a_hanging_store_is_abandoned_at_shutdown(tmp_path, caplog):
    hanging, left = threading.Event(), threading.Event()

    def hang(store):
        hanging.set()
        left.wait(TIMEOUT)

    outbox = Outbox(SqliteStore(tmp_path / "outbox.db"))
    outbox.submit(hang)
    assert hanging.wait(TIMEOUT)
    outbox.close(0.1)
    assert "has not responded" in caplog.text
    with pytest.raises(OutboxError, match="closed"):
        outbox.submit(hang)
    left.set()
    outbox.close()


def test_a_relay_whose_outbox_hangs_does_not_wait_for_requests(environment, monkeypatch):
    monkeypatch.setattr("neuralens_relay.relay.CLOSING", 0.1)
    grace = 3 * TIMEOUT
    relay = Relay(Settings.from_environment(environment | {"NEURALENS_GRACE": str(grace)}))
    hanging, left = threading.Event(), threading.Event()

    def hang(store):
        hanging.set()
        left.wait(grace)

    relay.ensure_started().submit(hang)
    assert hanging.wait(TIMEOUT)
    began = time.monotonic()
    relay.close()
    assert time.monotonic() - began < TIMEOUT
    left.set()


def test_a_fault_is_not_overwritten_by_a_write_of_another_thread(tmp_path, monkeypatch):
    """It fails while one that proves nothing is being noted."""
    outbox = Outbox(SqliteStore(tmp_path / "outbox.db"))

    def fail(store):
        raise OutboxError("the disk is full")

    def write():
        with suppress(OutboxError):
            run(outbox.write(fail))

    failing = threading.Thread(target=write)

    def replace_late(status, **changes):
        if "at" in changes:
            failing.start()
            # It may have to wait for this one.
            failing.join(0.5)
        return replace(status, **changes)

    monkeypatch.setattr("neuralens_relay.outbox.replace", replace_late)
    run(outbox.write(lambda store: None, proof=False))
    failing.join(TIMEOUT)
    assert outbox.write_status.at is not None
    assert outbox.write_status.fault == "the disk is full"
    outbox.close()


@pytest.mark.parametrize("line", range(12))
def test_an_event_is_acknowledged_by_a_relay_that_is_being_closed(environment, line):
    relay = Relay(Settings.from_environment(environment))
    relay.start()
    closing = threading.Thread(target=relay.close)

    def close():
        closing.start()
        eventually(lambda: relay._forwarding is None)

    async def add():
        with amid(Relay.add.__code__, *[int] * line, close):
            return await relay.add(events("e"))

    # One that comes too late is not.
    with suppress(OutboxError):
        assert run(add()) == [True]
    if closing.is_alive():
        closing.join(TIMEOUT)
    relay.close()


def test_an_event_is_leased_once_and_the_longest_due_first(store):
    with store.transaction():
        assert store.add(events("a", "b"), 10) == [True, True]
        assert store.add(events("c"), 20) == [True]
        taken = store.lease(2, 30)
        assert [(event.body, event.attempts) for event in taken] == [
            (b'{"of":"a"}', 1),
            (b'{"of":"b"}', 1),
        ]
        assert [event.body for event in store.lease(9, 30)] == [b'{"of":"c"}']
        assert store.lease(9, 30) == []


def test_ids_are_kept_after_delivery_and_restart(open_store):
    first = open_store()
    with first.transaction():
        assert first.add(events("a", "a"), 10) == [True, False]
        first.settle(delivered(first.lease(1, 10)))
    again = open_store()
    with again.transaction():
        assert again.add(events("a"), 11) == [False]
        assert again.depth().waiting == 0


def test_failed_events_are_due_later(store):
    with store.transaction():
        store.add(events("a"), 10)
        store.settle([Settlement(store.lease(1, 10)[0].key, Outcome.AGAIN, "500", 50)])
        assert store.lease(1, 49) == []
        assert store.lease(1, 50)[0].attempts == 2


def test_leases_of_a_dead_forwarder_are_recovered(open_store):
    gone = open_store()
    with gone.transaction():
        gone.add(events("a", "b"), 10)
        gone.lease(1, 10)
    store = open_store()

    def recover():
        with store.transaction():
            return store.recover([])

    assert eventually(recover) == 1
    assert recover() == 0
    with store.transaction():
        taken = store.lease(9, 10)
    assert sorted((event.body, event.attempts) for event in taken) == [
        (b'{"of":"a"}', 2),
        (b'{"of":"b"}', 1),
    ]


def test_dead_letters_are_kept_until_replayed(store):
    with store.transaction():
        store.add(events("a", "b", "c"), 10)
        store.settle(refused(store.lease(3, 10)))
        assert [dead.eid for dead in store.dead(2)] == ["c", "b"]
        assert store.dead(1)[0].reason == "400: no"
        assert store.dead(1)[0].received == 10
        assert (store.depth().waiting, store.depth().dead) == (0, 3)
        assert store.add(events("a"), 11) == [False]
        assert store.replay(["b", "nothing"], 99, 20) == 1
        assert store.lease(9, 20)[0].attempts == 1
        assert store.replay([], 99, 20) == 2
        assert store.dead(9) == []


def test_the_age_of_the_oldest_event(store):
    with store.transaction():
        assert store.depth().oldest is None
        store.add(events("a"), 10)
        store.add(events("b"), 20)
        assert store.depth().oldest == 10
        store.settle(delivered(store.lease(1, 30)))
        assert store.depth().oldest == 20


def test_ids_expire_in_sqlite(tmp_path):
    store = SqliteStore(tmp_path / "outbox.db", Bounds(known=DAY))
    with store.transaction():
        store.add(events(*(f"old{number}" for number in range(10))), 0)
        store.add(events("new"), DAY + 1)
        # Ids do not expire soon after a clock jump.
        store.tidy(DAY + 1, 60, steady=False, limit=1000)
        assert store.add(events("old0"), DAY + 1) == [False]
        store.tidy(DAY + 1, 60, steady=True, limit=1000)
        assert store.add(events("new"), DAY + 1) == [False]
        assert store.add(events("old0"), DAY + 1) == [True]
    store.close()


def test_ids_from_the_future_do_not_prevent_expiry(tmp_path):
    store = SqliteStore(tmp_path / "outbox.db", Bounds(known=DAY))
    with store.transaction():
        store.add(events("ahead"), 400 * DAY)
        store.add(events("old"), 10)
        for now in (DAY + 11, 2 * DAY + 12):
            store.add(events("new"), now)
            store.tidy(now, 60, steady=True, limit=1000)
        assert store.add(events("old", "ahead"), now) == [True, True]
    store.close()


def test_ids_expire_in_redis(redis_address):
    store = RedisStore(redis_address, Bounds(known=0.05))
    with store.transaction():
        assert store.add(events("a"), 10) == [True]
    eventually(lambda: store.add(events("a"), 10) == [True])
    store.close()


def test_the_outbox_is_bounded(open_store):
    store = open_store(waiting=2)
    with store.transaction():
        store.add(events("a", "b"), 10)
    with pytest.raises(OutboxRefusalError), store.transaction():
        store.add(events("c"), 10)
    with store.transaction():
        assert store.depth().waiting == 2


@pytest.fixture
def sqlite(tmp_path):
    store = SqliteStore(tmp_path / "outbox.db")
    yield store
    store.close()


def test_a_failed_transaction_is_rolled_back(sqlite):
    def add_and_fail():
        with sqlite.transaction():
            sqlite.add(events("a"), 10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with sqlite.transaction():
        assert sqlite.depth().waiting == 0


def test_a_full_disk_preserves_existing_events(sqlite):
    def fill(start):
        with sqlite.transaction():
            sqlite.add([Event(f"{start}-{number}", b"x" * 5000) for number in range(10)], 10)

    sqlite.database.execute("PRAGMA max_page_count = 60")
    fill("first")

    def fill_up():
        for start in range(100):
            fill(start)

    with pytest.raises(OutboxError, match="full"):
        fill_up()
    before = sqlite.depth().waiting
    assert before % 10 == 0
    sqlite.database.execute("PRAGMA max_page_count = 6000")
    fill("again")
    assert sqlite.depth().waiting == before + 10


def test_writes_are_flushed_to_the_disk(sqlite):
    assert sqlite._value("PRAGMA journal_mode") == "wal"
    assert sqlite._value("PRAGMA synchronous") == 2


def test_only_its_owner_reads_the_outbox(sqlite, tmp_path):
    sqlite.add(events("a"), 10)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_file_that_another_process_deletes_at_the_same_time(tmp_path, monkeypatch):
    log = tmp_path / "outbox.db-wal"
    log.touch(0o644)
    read = Path.stat
    deleted = []

    def read_and_delete(path, **options):
        status = read(path, **options)
        if path == log:
            log.unlink()
            deleted.append(path)
        return status

    monkeypatch.setattr(Path, "stat", read_and_delete)
    with closing(SqliteStore(tmp_path / "outbox.db")) as store:
        assert store.add(events("a"), 10) == [True]
    assert deleted


def test_the_files_of_a_symlink_are_those_of_its_target(sqlite, tmp_path):
    log = tmp_path / "outbox.db-wal"
    log.chmod(0o644)
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "link.db"
    link.symlink_to(tmp_path / "outbox.db")
    assert sqlite.lead()
    with closing(SqliteStore(link)) as second:
        # Two leaders would send each other's events.
        assert not second.lead()
    assert log.stat().st_mode & 0o077 == 0
    assert [file.name for file in link.parent.iterdir()] == ["link.db"]


def test_one_sqlite_store_leads_at_a_time(sqlite, tmp_path):
    second = SqliteStore(tmp_path / "outbox.db")
    assert sqlite.lead()
    assert sqlite.lead()
    assert not second.lead()
    sqlite.close()
    assert second.lead()
    second.close()


def test_a_follower_of_another_application_accepts_no_events(tmp_path):
    first, same, other = (
        SqliteStore(tmp_path / "outbox.db", application=name) for name in ("a", "a", "b")
    )
    assert first.lead()
    assert not same.lead()
    with pytest.raises(OutboxError, match="of another application uses the outbox"):
        other.lead()
    with pytest.raises(OutboxRefusalError, match="of another application uses the outbox"):
        other.add(events("e"), 10)
    assert "another application" in other.depth().refusal
    same.close()
    first.close()
    # As after a correction of the application's id.
    assert other.lead()
    assert other.add(events("e"), 10) == [True]
    other.close()


def deliver(store):
    with store.transaction():
        store.add(events("delivered"), 10)
        store.settle(delivered(store.lease(1, 10)))


def test_a_file_keeps_its_application_until_its_events_are_sent(tmp_path):
    path = tmp_path / "outbox.db"
    with closing(SqliteStore(path, application="a")) as first:
        assert first.lead()
        deliver(first)
        first.add(events("waiting"), 10)
    with closing(SqliteStore(path, application="b")) as other:
        for _ in range(2):
            with pytest.raises(OutboxError, match=r"has queued events of another app.* \(1\)"):
                other.lead()
        with pytest.raises(OutboxRefusalError, match="another application"):
            other.add(events("e"), 10)
        # The lock is free for the owner.
        with closing(SqliteStore(path, application="a")) as first:
            assert first.lead()
            first.settle(delivered(first.lease(9, 10)))
    with closing(SqliteStore(path, application="b")) as other:
        assert other.lead()
        assert other.add(events("e"), 10) == [True]


@pytest.fixture(params=["sqlite", "redis"])
def open_as(request, tmp_path, monkeypatch):
    """Return a function that opens one outbox for an application."""
    monkeypatch.setattr("neuralens_relay.redis_store.OWNED", 100)

    def open_as(application):
        if request.param == "redis":
            return RedisStore(request.getfixturevalue("redis_address"), application=application)
        store = SqliteStore(tmp_path / "outbox.db", application=application)
        with store.transaction():
            assert store.lead()
        return store

    return open_as


def kill(store, name):
    with store.transaction():
        store.add(events(name), time.time())
        store.settle(refused(store.lease(9, time.time())))


def list_dead(store):
    with store.transaction():
        return [(letter.eid, letter.reason) for letter in store.dead(9)]


@pytest.mark.parametrize("has_delivered", [True, False])
def test_dead_letters_of_a_former_application_are_sent_again_only_by_their_ids(
    open_as, has_delivered
):
    with closing(open_as("a")) as first:
        if has_delivered:
            deliver(first)
        kill(first, "old")
    with closing(open_as("b")) as other:
        kill(other, "new")
        # Otherwise the former id may have been wrong.
        mark = "of a former application: " if has_delivered else ""
        assert list_dead(other) == [("new", "400: no"), ("old", f"{mark}400: no")]
        with other.transaction():
            assert other.replay([], 9, 10) == (1 if has_delivered else 2)
        assert len(list_dead(other)) == has_delivered
        with other.transaction():
            assert other.replay(["old"], 9, 10) == has_delivered
        assert list_dead(other) == []


def test_the_command_says_which_dead_letters_it_does_not_send_again(tmp_path):
    path = tmp_path / "outbox.db"
    for application in ("a", "b"):
        with closing(SqliteStore(path, application=application)) as store:
            assert store.lead()
            deliver(store)
            kill(store, application)
    environment = {"NEURALENS_OUTBOX": f"sqlite:///{path}"}
    result = CliRunner().invoke(command, ["--replay"], env=environment)
    assert result.output.startswith(
        "1 event will be sent again\n1 of a former application will not: --replay sends those"
    )
    with closing(SqliteStore(path)) as store:
        assert [eid for eid, _ in list_dead(store)] == ["a"]


def test_a_restart_does_not_leave_a_file_to_another_application(tmp_path):
    path = tmp_path / "outbox.db"
    with closing(SqliteStore(path, application="b")) as other:
        with closing(SqliteStore(path, application="a")) as first:
            assert first.lead()
            deliver(first)
            with pytest.raises(OutboxError, match="another application uses"):
                other.lead()
        with pytest.raises(OutboxError, match="another application uses"):
            other.lead()
        with closing(SqliteStore(path, application="a")) as first:
            assert first.lead()
            assert first.add(events("e"), 10) == [True]


def test_a_file_of_another_user_that_others_may_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "outbox.db"
    path.touch(0o644)

    def refuse(file, mode):
        raise PermissionError(errno.EPERM, "Operation not permitted", str(file))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(OutboxError, match=r"outbox\.db belongs to another user: make this one"):
        SqliteStore(path)


def test_an_outbox_of_a_later_version_is_refused(tmp_path):
    apsw.Connection(str(tmp_path / "outbox.db")).execute("PRAGMA user_version = 99")
    with pytest.raises(OutboxError, match="later version"):
        SqliteStore(tmp_path / "outbox.db")


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(OutboxError, match=r"none/outbox\.db"):
        SqliteStore(tmp_path / "none" / "outbox.db")


def test_relays_share_the_events_of_one_redis(redis_address):
    first, second = (RedisStore(redis_address, idle=60) for _ in range(2))
    first.add(events(*(f"e{number}" for number in range(10))), 10)
    one, other = first.lease(4, 10), second.lease(9, 10)
    assert len(one) == 4
    assert len({event.body for event in one + other}) == 10
    assert second.recover([]) == 0
    # A relay that was presumed dead and settles late has no effect.
    first.settle(delivered(one[:1] * 2))
    first.settle([Settlement(one[0].key, Outcome.AGAIN, "late", 20)])
    assert second.depth().waiting == 9
    first.close()
    second.close()


def test_a_redis_that_may_lose_data_is_refused(redis_address):
    with redis.Redis.from_url(redis_address) as client:
        client.config_set("appendfsync", "everysec")
        try:
            with pytest.raises(OutboxError, match="appendfsync always"):
                RedisStore(redis_address, idle=60)
        finally:
            client.config_set("appendfsync", "always")


def test_an_unreachable_redis_is_reported_without_its_password():
    with pytest.raises(OutboxError, match="redis at 127") as caught:
        RedisStore(f"redis://:s3cret@127.0.0.1:{unused_port()}/0")
    assert "s3cret" not in str(caught.value)


class SlowStore(SqliteStore):
    """A store that counts its commits, and blocks each until it is released."""

    def __init__(self, path):
        self.commits = 0
        self.go = threading.Event()
        self.go.set()
        super().__init__(path)
        self.commits = 0
        self.go.clear()

    @contextmanager
    def transaction(self):
        with super().transaction():
            yield
            self.commits += 1
            assert self.go.wait(10)


@pytest.fixture
def outbox(tmp_path):
    outbox = Outbox(SlowStore(tmp_path / "outbox.db"))
    yield outbox
    outbox.close()


def submit(outbox, name):
    return outbox.submit(lambda store: store.add(events(name), 10))


def test_operations_during_a_commit_share_the_next_one(outbox):
    stores = []
    first = outbox.submit(stores.append)
    eventually(lambda: stores)
    rest = [submit(outbox, f"e{number}") for number in range(100)]
    assert not first.done()
    stores[0].go.set()
    assert [future.result(10) for future in rest] == [[True]] * 100
    assert stores[0].commits == 2


def test_a_failed_operation_does_not_affect_others(outbox):
    stores = []
    outbox.submit(stores.append)
    eventually(lambda: stores)
    before, after = submit(outbox, "a"), None
    wrong = outbox.submit(lambda store: 1 / 0)
    after = submit(outbox, "b")
    stores[0].go.set()
    assert before.result(10) == [True]
    assert after.result(10) == [True]
    with pytest.raises(ZeroDivisionError):
        wrong.result(10)


def test_operations_wait_for_a_lock_together(tmp_path):
    path = tmp_path / "outbox.db"
    begun = []
    store = SqliteStore(path)
    store.database.set_busy_timeout(50)
    store.database.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: begun.append(event["sql"]))
    with closing(Outbox(store)) as outbox:
        outbox.pause()
        waiting = [submit(outbox, f"e{number}") for number in range(100)]
        with locked(path):
            outbox.resume()
            for future in waiting:
                with pytest.raises(OutboxError, match="locked"):
                    future.result(TIMEOUT)
        # The first may have been taken from the queue before the others were in it.
        assert begun.count("BEGIN IMMEDIATE") <= 2


def test_who_waits_for_an_outbox_that_cannot_be_opened_does_not_try_again(tmp_path):
    attempts = []

    def open_store():
        attempts.append(1)
        if len(attempts) == 1:
            raise OutboxError("locked")
        return SqliteStore(tmp_path / "outbox.db")

    opener = Opener(open_store, "file")
    asked = time.monotonic()
    for _ in range(3):
        with pytest.raises(OutboxError, match="locked"):
            opener.open(asked)
    assert len(attempts) == 1
    opener.open(time.monotonic()).close()


def test_closing_finishes_pending_operations(tmp_path):
    outbox = Outbox(SqliteStore(tmp_path / "outbox.db"))
    asked: list[Future[list[bool]]] = [submit(outbox, f"e{number}") for number in range(1000)]
    outbox.close()
    assert all(future.result(0) == [True] for future in asked)
    with pytest.raises(OutboxError, match="closed"):
        submit(outbox, "late")


def test_an_overloaded_outbox_is_an_error(outbox, monkeypatch):
    monkeypatch.setattr("neuralens_relay.outbox.MAX_BACKLOG", 10)
    stores = []
    outbox.submit(stores.append)
    eventually(lambda: stores)
    waiting = [submit(outbox, f"e{number}") for number in range(10)]
    with pytest.raises(OutboxError, match="keep up"):
        submit(outbox, "more")
    stores[0].go.set()
    assert all(future.result(10) for future in waiting)
