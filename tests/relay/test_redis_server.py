"""Redis deployments: replicas, failovers, Sentinels, eviction, and restricted CONFIG."""

import json
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from uuid import uuid4

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from neuralens_relay import Settings, SettingsError, redis_store
from neuralens_relay.balance import DAY, Report
from neuralens_relay.outbox_url import store_opener
from neuralens_relay.redis_server import RedisServer, read_location
from neuralens_relay.redis_store import BEAT, LATER, OWNER, STREAM, TALLIES, RedisStore
from neuralens_relay.store import Bounds, Event, OutboxError, Outcome, Settlement

from tests.polling import eventually
from tests.relay.conftest import is_up, make_batch, make_event, redis_server, unused_port

REQUIRED = {"NEURALENS_API_KEY": "k", "NEURALENS_APPLICATION_ID": "a"}


@pytest.fixture
def server(tmp_path):
    """Return a function that starts a server in a new folder, and returns its port."""

    @contextmanager
    def start(*more):
        port = unused_port()
        folder = tmp_path / str(port)
        folder.mkdir()
        with redis_server(folder, port, *more):
            yield port

    return start


def address(port):
    return f"redis://127.0.0.1:{port}/0"


def open_and_close(port, **more):
    RedisStore(address(port), **more).close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maxmemory-policy", "allkeys-lru"),
        ("maxmemory-policy", "volatile-lru"),
        ("maxmemory-policy", "volatile-ttl"),
        ("appendfsync", "everysec"),
        ("appendonly", "no"),
        ("no-appendfsync-on-rewrite", "yes"),
    ],
)
def test_a_server_that_may_lose_data_is_refused_with_the_remedy(server, name, value):
    refused = pytest.raises(OutboxError, match="maxmemory-policy noeviction in it")
    with server(f"--{name}", value) as port, refused:
        open_and_close(port)


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
        ("appendfsync", "everysec", "always"),
        ("no-appendfsync-on-rewrite", "yes", "no"),
    ],
)
def test_a_server_that_is_reconfigured_to_lose_data_gets_no_more_events(
    server, start, environment, name, bad, good
):
    with server() as port, redis.Redis(port=port) as client:
        relay = start(environment | {"NEURALENS_OUTBOX": address(port)})
        relay.send(make_event())
        client.config_set(name, bad)
        # On a busy machine, a timeout may be reported first.
        eventually(lambda: "may lose" in " ".join(relay.health()["reasons"]))
        assert relay.http.get("health").status_code == 503
        refused = relay.post(make_batch(make_event()))
        assert refused.status_code == 503
        assert refused.json()["error"] == "the outbox cannot be written"
        reasons = relay.health()["reasons"]
        assert len(set(reasons)) == len(reasons)
        client.config_set(name, good)
        eventually(lambda: relay.health()["ready"])
        relay.send(make_event())


def test_a_server_without_config_must_be_vouched_for(server):
    with server("--rename-command", "CONFIG", "") as port:
        with pytest.raises(OutboxError, match="NEURALENS_REDIS_VOUCHED=true"):
            open_and_close(port)
        open_and_close(port, vouched=True)
    # INFO must not contradict it.
    evicting = ("--maxmemory-policy", "allkeys-lru")
    refused = pytest.raises(OutboxError, match="despite NEURALENS_REDIS_VOUCHED")
    with server("--rename-command", "CONFIG", "", *evicting) as port, refused:
        open_and_close(port, vouched=True)


class ManagedServer(RedisServer):
    """A server that does not know one of the settings, and may forbid ROLE."""

    forbids_role = False

    def _inspect(self, ask):
        def ask_less(*command):
            if command == ("ROLE",) and self.forbids_role:
                raise redis.exceptions.NoPermissionError("no permissions to run 'role'")
            known = command[-1] != "appendfsync"
            return ask(*command) if known else []

        super()._inspect(ask_less)


def test_a_server_with_fewer_settings_must_be_vouched_for(server, monkeypatch):
    monkeypatch.setattr("neuralens_relay.redis_store.RedisServer", ManagedServer)
    with server() as port, redis.Redis(port=port) as client:
        with pytest.raises(OutboxError, match="does not know appendfsync"):
            open_and_close(port)
        open_and_close(port, vouched=True)
        # The settings that it knows must be right.
        client.config_set("no-appendfsync-on-rewrite", "yes")
        with pytest.raises(OutboxError, match="may lose events"):
            open_and_close(port, vouched=True)
        client.config_set("no-appendfsync-on-rewrite", "no")
        monkeypatch.setattr(ManagedServer, "forbids_role", True)
        open_and_close(port, vouched=True)
        refused = pytest.raises(OutboxError, match="read-only replica")
        with server("--replicaof", "127.0.0.1", str(port)) as other, refused:
            open_and_close(other, vouched=True)


def test_a_server_that_runs_a_script_needs_no_other_rights(server):
    """Its remedy is not to allow CONFIG."""
    with server("--lua-time-limit", "50") as port, redis.Redis(port=port) as client:
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(client.eval, "while true do end", 0)
            with redis.Redis(port=port) as other:
                eventually(lambda: is_busy(other))
                try:
                    with pytest.raises(OutboxError) as error:
                        open_and_close(port)
                finally:
                    other.script_kill()
            assert isinstance(running.exception(), redis.ResponseError)
        assert "BUSY" in str(error.value)
        assert "CONFIG" not in str(error.value)
        open_and_close(port)


def is_busy(client):
    try:
        client.ping()
    except redis.ResponseError:
        return True
    return False


def test_entries_of_other_programs_do_not_hold_up_events(redis_address):
    with (
        closing(RedisStore(redis_address, idle=0)) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        client.xadd(STREAM, {"foreign": "entry"})
        client.zadd(LATER, {b"\xc1 foreign": 5, b"\x01": 6})
        store.add([Event("a", b"{}"), Event("b", b"{}")], 10)
        assert len(store.lease(9, 10)) == 2
        assert store.recover([]) == 2
        assert len(store.lease(9, 10)) == 2
        assert client.xlen(STREAM) == 2
        assert client.zcard(LATER) == 0


def test_lost_data_is_reported_once(redis_address, caplog):
    with (
        closing(RedisStore(redis_address)) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.check(10)
        store.add([Event("a", b"{}"), Event("b", b"{}")], 10)
        store.check(11)
        assert caplog.messages == []
        client.flushall()
        store.check(12)
        store.check(13)
        assert store.depth().unreadable == 2
    assert caplog.messages == [
        "redis at 127.0.0.1 has lost its data: the events queued in it are lost"
    ]


def test_delivered_events_do_not_count_as_lost(redis_address):
    with (
        closing(RedisStore(redis_address)) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.check(10)
        store.add([Event(name, b"{}") for name in "abc"], 10)
        store.settle([Settlement(each.key, Outcome.DELIVERED) for each in store.lease(2, 10)])
        client.flushall()
        # Before the loss is noticed.
        store.add([Event("d", b"{}"), Event("e", b"{}")], 11)
        store.check(12)
        assert store.depth().unreadable == 1


def test_data_lost_right_after_the_start_is_reported(redis_address, caplog):
    with (
        closing(RedisStore(redis_address, application="a")) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.add([Event("a", b"{}"), Event("b", b"{}")], 10)
        client.flushall()
        store.check(11)
        assert store.depth().unreadable == 2
    assert caplog.messages == [
        "redis at 127.0.0.1 has lost its data: the events queued in it are lost"
    ]


def test_a_relay_starts_on_a_server_that_is_full(server):
    with server() as port:
        with redis.Redis(port=port) as client:
            client.config_set("maxmemory", "1")
        with closing(RedisStore(address(port), application="a")) as store:
            with pytest.raises(OutboxError, match="maxmemory"), store.transaction():
                store.check(10)
            assert store.lease(1, 10) == []


def test_a_cluster_is_named(server):
    with (
        server("--cluster-enabled", "yes") as port,
        closing(RedisStore(address(port), application="a")) as store,
        pytest.raises(OutboxError, match="Redis Cluster, which is not supported: use a single"),
        store.transaction(),
    ):
        store.add([Event("e", b"{}")], 10)


def test_another_application_waits_until_its_relays_have_ended(redis_address, monkeypatch):
    monkeypatch.setattr(redis_store, "OWNED", 500)
    with closing(RedisStore(redis_address, application="a")) as first:
        with closing(RedisStore(redis_address, application="a")):
            pass
        with Checks(first), pytest.raises(OutboxError, match="of the application 'a' uses"):
            RedisStore(redis_address, application="b")
    RedisStore(redis_address, application="b").close()


def test_an_outbox_keeps_its_application_until_its_events_are_sent(redis_address, monkeypatch):
    monkeypatch.setattr(redis_store, "OWNED", 100)
    with closing(RedisStore(redis_address, application="a")) as first:
        first.add([Event("e", b"{}"), Event("f", b"{}")], 10)
        taken = [Settlement(each.key, Outcome.DELIVERED) for each in first.lease(9, 10)]
        first.settle(taken[:1])
        with pytest.raises(OutboxError, match=r"has queued events of the application 'a' \(1\)"):
            RedisStore(redis_address, application="b")
        first.settle(taken[1:])
    with closing(RedisStore(redis_address, application="b")) as other:
        # They have never been delivered, so the id may be wrong.
        other.add([Event("g", b"{}")], 10)
    RedisStore(redis_address, application="c").close()


class Checks:
    """Checks a store all the time, in a thread, as its relay does every second."""

    def __init__(self, store):
        self._store = store
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._check)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _check(self):
        while not self._ended.wait(0.05):
            self._store.check(10)


def test_a_relay_that_was_stopped_leaves_the_outbox_to_another_application(redis_address):
    with (
        closing(RedisStore(redis_address, application="a")) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.add([Event("e", b"{}")], 10)
        # As if it had expired.
        client.set(OWNER, "b")
        # It may lease before it checks again.
        for operate in (
            lambda: store.lease(1, 10),
            lambda: store.probe(10),
            lambda: store.check(10),
            lambda: store.lease(1, 10),
            lambda: store.probe(10),
            lambda: store.add([Event("f", b"{}")], 10),
        ):
            with (
                pytest.raises(OutboxError, match="of the application 'b' uses"),
                store.transaction(),
            ):
                operate()
        assert "'b'" in store.depth().refusal
        client.delete(OWNER)
        store.check(10)
        assert len(store.lease(1, 10)) == 1


def test_events_that_another_program_removes_are_reported_and_do_not_wait_for_ever(
    redis_address, caplog
):
    def tidy(store):
        store.tidy(20, 60, steady=True, limit=9)
        return store.depth()

    with (
        closing(RedisStore(redis_address)) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.add([Event(name, b"{}") for name in "abcde"], 10)
        first = store.lease(1, 10)
        store.settle([Settlement(first[0].key, Outcome.AGAIN, due=30)])
        assert (tidy(store).waiting, tidy(store).unreadable) == (5, 0)
        client.xtrim(STREAM, 2, approximate=False)
        depth = tidy(store)
        assert (depth.waiting, depth.unreadable) == (5, 2)
        left = store.lease(9, 40)
        assert len(left) == 3
        store.settle([Settlement(each.key, Outcome.DELIVERED) for each in left])
        depth = tidy(store)
        assert (depth.waiting, depth.unreadable) == (0, 2)
    assert caplog.messages == [
        "2 queued events are missing in redis at 127.0.0.1: another program has removed them"
    ]


def test_events_that_another_program_passes_over_or_lets_expire_are_sent_and_reported(
    redis_address, caplog
):
    def tidy(store):
        # Found, and sent again once a request must have ended.
        for _ in range(2):
            store.tidy(20, 60, steady=True, limit=9)

    with (
        closing(RedisStore(redis_address, idle=0)) as store,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.add([Event(name, name.encode()) for name in "abcd"], 10)
        first = store.lease(1, 10)
        tidy(store)
        assert client.xpending(STREAM, "relays")["pending"] == 1
        # All are passed over while one is in flight, and once none is.
        client.xgroup_setid(STREAM, "relays", "$")
        store.settle([Settlement(each.key, Outcome.DELIVERED) for each in first])
        assert store.lease(9, 10) == []
        tidy(store)
        left = store.lease(2, 10)
        assert [each.body for each in left] == [b"b", b"c"]
        client.xgroup_setid(STREAM, "relays", "$")
        client.xack(STREAM, "relays", left[0].key[0])
        client.expire(STREAM, 100)
        tidy(store)
        assert client.ttl(STREAM) == -1
        assert [each.body for each in store.lease(9, 10)] == [b"b"]
        store.settle([Settlement(left[1].key, Outcome.DELIVERED)])
        tidy(store)
        assert [each.body for each in store.lease(9, 10)] == [b"d"]
    messages = [message.partition(" in redis")[0] for message in caplog.messages]
    assert messages == [
        "3 queued events had been passed over",
        "queued events or dead letters would have expired",
    ]


@pytest.mark.parametrize("removed", ["group", "consumers"])
def test_leases_that_another_program_removes_are_waited_for(
    redis_address, caplog, monkeypatch, removed
):
    """Relays may be sending the events, which none of them must send twice."""
    ticks = [0.0]
    monkeypatch.setattr("neuralens_relay.redis_store.monotonic", lambda: ticks[-1])
    with (
        closing(RedisStore(redis_address, idle=30)) as store,
        closing(RedisStore(redis_address, idle=30)) as other,
        redis.Redis.from_url(redis_address) as client,
    ):
        relays = (store, other)
        for relay in relays:
            relay.recover([])
        store.add([Event(name, name.encode()) for name in "abcd"], 10)
        first, second, abandoned = store.lease(1, 10), other.lease(1, 10), other.lease(1, 10)
        if removed == "group":
            client.xgroup_destroy(STREAM, "relays")
        else:
            for consumer in client.xinfo_consumers(STREAM, "relays"):
                client.xgroup_delconsumer(STREAM, "relays", consumer["name"])
        later = []

        def run_relays(now):
            ticks.append(now)
            for relay in relays:
                relay.tidy(20, 60, steady=True, limit=1)
                later.extend(lease.body for lease in relay.lease(9, 10))

        run_relays(1.0)
        run_relays(20.0)
        assert later == ([] if removed == "group" else [b"d"])
        for relay, leases in ((store, first), (other, second)):
            relay.settle([Settlement(each.key, Outcome.DELIVERED) for each in leases])
        run_relays(32.0)
        run_relays(33.0)
        assert sorted(later) == [abandoned[0].body, b"d"]
    assert set(caplog.messages) == {
        "1 queued events had been passed over in redis at 127.0.0.1: another program has changed"
        " the group"
    }


@pytest.mark.parametrize("read", ["lease", "probe"])
def test_a_group_that_another_program_moves_back_sends_nothing_twice(redis_address, caplog, read):
    """Not by a second relay either, while the first one is sending."""
    with (
        closing(RedisStore(redis_address)) as store,
        closing(RedisStore(redis_address)) as other,
        redis.Redis.from_url(redis_address) as client,
    ):
        store.add([Event(name, name.encode()) for name in "abc"], 10)
        first = store.lease(2, 10)
        client.xgroup_setid(STREAM, "relays", "0")
        rest = other.lease(9, 10) if read == "lease" else other.probe(10)
        assert [each.body for each in rest] == [b"c"]
        assert store.lease(9, 10) == []
        store.settle([Settlement(each.key, Outcome.DELIVERED) for each in first + rest])
        assert store.depth().waiting == 0
    assert caplog.messages == [
        "events would have been sent twice in redis at 127.0.0.1: another program has moved the"
        " group back"
    ]


def test_tallies_of_another_program_are_ignored(redis_address):
    """Otherwise there would be no metrics at all."""
    today = int(time.time() // DAY)
    with closing(RedisStore(redis_address)) as store, redis.Redis.from_url(redis_address) as client:
        store.add([Event("a", b"a")], time.time(), Report("app", numbers=(0,)))
        known = store.tallies(today)
        assert len(known) == 2
        for field, value in (("x", 1), ("stored||other", "many"), (b"\xff||", 1)):
            client.hset(f"{TALLIES}{today}", field, value)
        assert store.tallies(today) == known


def test_vouching_is_a_setting(server):
    with server("--rename-command", "CONFIG", "") as port:
        environment = {"NEURALENS_OUTBOX": address(port), "NEURALENS_REDIS_VOUCHED": "true"}
        store_opener(Settings.from_environment(REQUIRED | environment))().close()


def test_minimal_permissions_of_a_user(server):
    with server() as port, redis.Redis(port=port) as client:
        rights = ["+@all", "-@dangerous", "-config", "+config|get", "+role", "+info"]
        client.execute_command(
            "ACL", "SETUSER", "relay", "on", ">s3cret", "~{neuralens}:*", *rights
        )
        store = RedisStore(f"redis://relay:s3cret@127.0.0.1:{port}/0")
        with closing(store), store.transaction():
            assert store.add([Event("a", b"{}")], 10) == [True]
            assert store.recover([]) == 0
            store.check(10)


def test_a_read_only_replica_is_refused(server):
    refused = pytest.raises(OutboxError, match="read-only replica")
    with server() as primary, server("--replicaof", "127.0.0.1", str(primary)) as port, refused:
        open_and_close(port)


def test_a_primary_that_becomes_a_replica_is_not_used_until_promoted(
    server, start, environment, sandbox
):
    with server() as port, server() as other, redis.Redis(port=port) as client:
        relay = start(environment | {"NEURALENS_OUTBOX": address(port)})
        relay.send(make_event(items=[{"id": "before"}]))
        eventually(lambda: sandbox.ids() == ["before"])
        client.replicaof("127.0.0.1", str(other))
        eventually(lambda: not relay.health()["ready"])
        assert relay.post(make_batch(make_event())).status_code == 503
        client.replicaof("NO", "ONE")
        eventually(lambda: relay.health()["ready"])
        relay.send(make_event(items=[{"id": "after"}]))
        eventually(lambda: sandbox.ids() == ["before", "after"])


def test_concurrent_reads_of_an_unsuitable_server_raise_outbox_errors(server):
    with (
        server() as port,
        server() as other,
        redis.Redis(port=port) as client,
        closing(RedisStore(address(port))) as store,
        ThreadPoolExecutor() as pool,
    ):
        over = threading.Event()

        def read():
            reads = 0
            while not over.is_set():
                with suppress(OutboxError), store.transaction():
                    store.depth()
                reads += 1
            return reads

        readers = [pool.submit(read) for _ in range(4)]
        try:
            client.replicaof("127.0.0.1", str(other))
            for _ in range(50):
                with pytest.raises(OutboxError), store.transaction():
                    store.check(0.0)
        finally:
            over.set()
        assert all(reader.result() for reader in readers)


def test_a_server_whose_replicas_are_missing_is_not_ready(server, start, environment):
    with server() as port, redis.Redis(port=port) as client:
        relay = start(environment | {"NEURALENS_OUTBOX": address(port)})
        client.config_set("min-replicas-to-write", "1")
        eventually(lambda: not relay.health()["ready"])
        assert "NOREPLICAS" in relay.health()["reasons"][0]
        assert relay.post(make_batch(make_event())).status_code == 503
        client.config_set("min-replicas-to-write", "0")
        eventually(lambda: relay.health()["ready"])


def test_a_server_that_is_full_is_not_ready_and_drains(server, start, environment, sandbox):
    """Also what was attempted before, which takes memory to be read again."""
    sandbox.fail(status=503, times=1_000_000)
    with server() as port, redis.Redis(port=port) as client:
        relay = start(environment | {"NEURALENS_OUTBOX": address(port)})
        relay.send(*[make_event() for _ in range(100)])
        eventually(lambda: client.zcard(LATER) > 0)
        client.config_set("maxmemory", 1)
        eventually(lambda: not relay.health()["ready"])
        assert relay.post(make_batch(make_event())).status_code == 503
        sandbox.clear_faults()
        eventually(lambda: relay.queued() == 0)
        assert len(sandbox.bodies()) == 100
        assert not relay.health()["ready"]
        client.config_set("maxmemory", "0")
        eventually(lambda: relay.health()["ready"])


def test_a_shopper_is_erased_from_a_server_that_is_full(server):
    wanted, other = (json.dumps({"uid": uid}).encode() for uid in ("a", "b"))
    with (
        server() as port,
        redis.Redis(port=port) as client,
        closing(RedisStore(address(port))) as store,
    ):
        store.add([Event(str(number), wanted) for number in range(9)], 10)
        store.add([Event(f"other {number}", other) for number in range(9)], 10)
        client.config_set("maxmemory", 1)
        erased, cursor = store.erase("a", None, 4)
        while cursor:
            count, cursor = store.erase("a", cursor, 4)
            erased += count
        assert (erased, store.depth().waiting) == (9, 9)
        assert {each.body for each in store.lease(99, 10)} == {other}


def test_a_hanging_server_is_reported_and_batches_answer_503(spawn, environment, tmp_path):
    port = unused_port()
    with redis_server(tmp_path, port) as outbox, redis.Redis(port=port) as client:
        pid = client.info("server")["process_id"]
        relay, _ = spawn(environment | {"NEURALENS_OUTBOX": outbox})
        event = make_event()
        os.kill(pid, signal.SIGSTOP)
        try:
            assert relay.post(make_batch(event)).status_code == 503
            assert not relay.health()["ready"]
            assert relay.http.get("health?live").status_code == 200
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: relay.post(make_batch(event)).status_code == 202)
        eventually(lambda: relay.health()["ready"])


def test_sentinels_and_failover(server, start, environment, sandbox, tmp_path):
    with (
        server() as first,
        server("--replicaof", "127.0.0.1", str(first)) as second,
        sentinel(tmp_path, first) as port,
    ):
        outbox = f"redis+sentinel://127.0.0.1:{port}/shop/0"
        relay = start(environment | {"NEURALENS_OUTBOX": outbox})
        relay.send(make_event(items=[{"id": "before"}]))
        eventually(lambda: sandbox.ids() == ["before"])
        with redis.Redis(port=port) as watcher, redis.Redis(port=second) as replica:
            eventually(lambda: replica.role()[3] == b"connected", 60)
            eventually(lambda: watcher.sentinel_slaves("shop"), 60)
            watcher.execute_command("SENTINEL", "FAILOVER", "shop")
            eventually(lambda: replica.role()[0] == b"master", 60)
        body = make_batch(make_event(items=[{"id": "after"}]))
        eventually(lambda: relay.post(body).status_code == 202, 60)
        eventually(lambda: sandbox.ids() == ["before", "after"], 60)
        eventually(lambda: relay.health()["ready"], 60)


def test_a_primary_that_sentinels_have_replaced_is_left(server, start, environment, tmp_path):
    """Although it still calls itself a primary, as it does for seconds after a failover."""
    with server() as first, server() as second, sentinel(tmp_path, first) as port:
        outbox = f"redis+sentinel://127.0.0.1:{port}/shop/0"
        relay = start(environment | {"NEURALENS_OUTBOX": outbox})
        relay.send(make_event())
        with redis.Redis(port=port) as watcher, redis.Redis(port=second) as replacement:
            assert not replacement.exists(BEAT)
            watcher.execute_command("SENTINEL", "REMOVE", "shop")
            eventually(lambda: relay.health()["ready"])
            watcher.execute_command("SENTINEL", "MONITOR", "shop", "127.0.0.1", second, 1)
            eventually(lambda: replacement.exists(BEAT))
            relay.send(make_event())
        with pytest.raises(OutboxError, match="names a primary of 'other': check the name"):
            RedisStore(outbox.replace("shop", "other"))


def test_a_sentinel_that_is_down_is_not_waited_for(monkeypatch):
    """The next one is asked at once."""
    pauses = []
    monkeypatch.setattr("redis.retry.sleep", pauses.append)
    with pytest.raises(OutboxError, match="names a primary of 'shop'"):
        RedisStore("redis+sentinel://127.0.0.1:1,127.0.0.1:2/shop/0")
    assert pauses == []


@contextmanager
def sentinel(folder, primary):
    """Run a Sentinel that monitors a primary as ``shop``; yield its port.

    It fails over when told to, but not because a loaded machine let a primary stall.
    """
    port = unused_port()
    path = folder / "sentinel.conf"
    path.write_text(
        f"port {port}\nsentinel monitor shop 127.0.0.1 {primary} 1\n"
        "sentinel down-after-milliseconds shop 60000\nsentinel failover-timeout shop 5000\n"
    )
    command = ["redis-server", str(path), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            eventually(lambda: is_up(client))
        yield port
    finally:
        process.terminate()
        process.wait()


def test_dead_consumers_are_removed(redis_address, monkeypatch):
    monkeypatch.setattr("neuralens_relay.redis_store.CONSUMER_IDLE", 50)
    with redis.Redis.from_url(redis_address) as client:
        for _ in range(3):
            with closing(RedisStore(redis_address)) as gone:
                gone.add([Event(str(uuid4()), b"{}")], 10)
                taken = gone.lease(1, 10)
                gone.settle([Settlement(taken[0].key, Outcome.DELIVERED)])
        assert len(client.xinfo_consumers(STREAM, "relays")) == 3
        with closing(RedisStore(redis_address)) as store:

            def none_left():
                store.recover([])
                names = {each["name"] for each in client.xinfo_consumers(STREAM, "relays")}
                return names <= {store._consumer.encode()}

            eventually(none_left)


def test_events_in_flight_are_not_recovered(redis_address):
    with closing(RedisStore(redis_address, idle=0)) as store:
        store.add([Event("a", b"{}"), Event("b", b"{}")], 10)
        taken = store.lease(2, 10)
        assert store.recover([taken[0].key]) == 1
        assert store.recover([each.key for each in taken]) == 0


def test_leases_are_taken_over_although_the_clock_of_redis_was_set_back(redis_address, monkeypatch):
    """By that clock, they have not been idle for long."""
    ticks = [0.0]
    monkeypatch.setattr("neuralens_relay.redis_store.monotonic", lambda: ticks[0])
    with (
        closing(RedisStore(redis_address, idle=600)) as gone,
        closing(RedisStore(redis_address, idle=600)) as store,
    ):
        gone.add([Event("a", b"{}"), Event("b", b"{}")], 10)
        taken = gone.lease(2, 10)
        for _ in range(3):
            ticks[0] += 601
            assert gone.recover([each.key for each in taken]) == 0
            assert store.recover([]) == 0
        ticks[0] += 601
        assert store.recover([]) == 2
        assert store.recover([]) == 0
        assert [each.attempts for each in store.lease(9, 10)] == [2, 2]


def test_bounds_in_redis(redis_address):
    bounds = Bounds(waiting=2, dead=3, dead_age=100)
    with closing(RedisStore(redis_address, bounds)) as store:
        for number in range(6):
            store.add([Event(f"e{number}", b"{}")], number)
            taken = store.lease(1, 10)
            store.settle([Settlement(taken[0].key, Outcome.DEAD, "400")])
        store.tidy(50, 600, steady=False, limit=1000)
        assert [letter.eid for letter in store.dead(9)] == ["e5", "e4", "e3"]
        store.tidy(104.5, 600, steady=True, limit=1000)
        assert [letter.eid for letter in store.dead(9)] == ["e5"]
        assert store.depth().dropped == 5
        assert store.forget([], 9) == 1
        # Events postponed by a clock that was ahead become due.
        store.add([Event("late", b"{}")], 10)
        store.settle([Settlement(store.lease(1, 10)[0].key, Outcome.AGAIN, "500", 1e12)])
        with redis.Redis.from_url(redis_address) as client:
            assert client.zcard(LATER) == 1
        store.tidy(20, 600, steady=False, limit=1000)
        assert len(store.lease(1, 20)) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("redis://host:99999/0", "port from 1 to 65535"),
        ("redis://host:port/0", "port from 1 to 65535"),
        ("redis://:s3cret@host:0/0", "port from 1 to 65535"),
        ("redis:///0", "name a host"),
        ("redis://:s3cret/2@host/0", "name a host .*write / as %2F"),
        ("redis://host/none", "number of a database"),
        ("redis://a,b/0", "redis\\+sentinel"),
        ("redis+sentinel://a,b", "SERVICE"),
        ("redis://host/0?db=3", "unknown options: db"),
    ],
)
def test_a_wrong_address_is_one_sentence_without_its_password(text, words):
    with pytest.raises(SettingsError, match=f"^NEURALENS_OUTBOX .*{words}") as caught:
        store_opener(Settings.from_environment(REQUIRED | {"NEURALENS_OUTBOX": text}))
    assert "s3cret" not in str(caught.value)


def test_addresses_are_parsed():
    location = read_location(
        "rediss+sentinel://me:p%40ss@one:1,[::1]:2,three/shop%2Fa/4?sentinel_password=s"
    )
    assert location.hosts == (("one", 1), ("::1", 2), ("three", 26379))
    assert (location.service, location.database, location.tls) == ("shop/a", 4, True)
    assert (location.username, location.password) == ("me", "p@ss")
    assert location.sentinel == {"password": "s"}
    assert read_location("redis://host").hosts == (("host", 6379),)


@given(st.text(max_size=60))
def test_any_other_address_is_refused(text):
    for scheme in ("redis://", "redis+sentinel://"):
        with suppress(ValueError):
            location = read_location(scheme + text)
            assert all(0 < port < 65536 for _, port in location.hosts)
