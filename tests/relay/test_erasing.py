"""``relay --erase UID``: deletes a shopper's queued events and dead letters."""

import json
from contextlib import closing

import pytest
import redis
from click.testing import CliRunner
from neuralens_relay import redis_store
from neuralens_relay.cli import relay as command
from neuralens_relay.redis_store import RedisStore
from neuralens_relay.salvage import salvage
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import Event, Outcome, Settlement

from tests.polling import eventually
from tests.relay.conftest import make_batch, make_event, redis_server, unused_port
from tests.relay.test_faulty_outbox import damage, fill, pages_of


@pytest.fixture(params=["sqlite", "redis"])
def store(request, tmp_path, monkeypatch):
    monkeypatch.setattr(redis_store, "LEASE_PATIENCE", 0)
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "outbox.db")
    else:
        opened = RedisStore(request.getfixturevalue("redis_address"))
    yield opened
    opened.close()


def of(uid, number):
    return Event(f"{uid}-{number}", json.dumps({"uid": uid, "items": [{"id": "A"}]}).encode())


def erase(store, uid, limit):
    erased, cursor, calls = 0, None, 0
    while cursor is not None or calls == 0:
        with store.transaction():
            more, cursor = store.erase(uid, cursor, limit)
        erased += more
        calls += 1
        assert calls < 1000
    store.shred()
    return erased


@pytest.mark.parametrize("uid", ["é\"'%\\ \U0001f600", "3845"])
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_a_shopper_is_erased_from_every_state(store, uid, limit):
    with store.transaction():
        store.add([of(each, number) for number in range(20) for each in (uid, "other", None)], 1)
        taken = store.lease(40, 2)
        states = (
            [Settlement(each.key, Outcome.DEAD, "no") for each in taken[:15]]
            + [Settlement(each.key, Outcome.AGAIN, "later", 1e12) for each in taken[15:30]]
            + [Settlement(each.key, Outcome.DELIVERED) for each in taken[30:33]]
        )
        # Seven are leased, and twenty are queued.
        store.settle(states)
    delivered = sum(json.loads(each.body)["uid"] == uid for each in taken[30:33])
    assert erase(store, uid, limit) == 20 - delivered
    with store.transaction():
        depth = store.depth()
        dead = store.dead(100)
        # Settling an erased event has no effect.
        store.settle([Settlement(each.key, Outcome.DELIVERED) for each in taken[33:]])
        known = store.add([of(uid, number) for number in range(20)], 3)
    assert depth.waiting + depth.dead == 40 - (3 - delivered)
    assert {json.loads(each.body)["uid"] for each in dead} == {"other", None}
    assert known == [False] * 20
    assert erase(store, uid, limit) == 0


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_the_command_erases_while_a_relay_runs(
    request, spawn, environment, sandbox, kind, tmp_path
):
    if kind == "redis":
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
    client, _ = spawn(environment)
    sandbox.fail(status=400, times=1000)
    client.post(make_batch(*[make_event(uid="shopper-4711") for _ in range(3)]))
    client.post(make_batch(make_event(uid="other")))
    eventually(lambda: client.metric("neuralens_outbox_dead") == 4)
    result = CliRunner().invoke(command, ["--erase", "shopper-4711"], env=environment)
    assert (result.exit_code, result.output) == (0, "3 events of this uid dropped\n")
    assert client.metric("neuralens_outbox_dead") == 1
    result = CliRunner().invoke(command, ["--erase", "shopper-4711"], env=environment)
    assert result.output == "0 events of this uid dropped\n"
    if kind == "sqlite":
        for file in tmp_path.glob("outbox.db*"):
            assert b"shopper-4711" not in file.read_bytes()


@pytest.mark.parametrize("count", [4, 500])
def test_redis_keeps_no_bytes_of_an_erased_event(tmp_path, monkeypatch, count):
    monkeypatch.setattr(redis_store, "LEASE_PATIENCE", 0)

    def traces():
        client.save()
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        return [file.name for file in files if b"shopper-4711" in file.read_bytes()]

    with (
        redis_server(tmp_path, unused_port(), "--rdbcompression", "no") as address,
        redis.Redis.from_url(address) as client,
        closing(RedisStore(address)) as store,
    ):
        others = [of(f"other-{number}", number) for number in range(count)]
        store.add([of("shopper-4711", 1), *others], 1)
        store.add([of("shopper-4711", 2)], 2)
        leased = store.lease(count // 2, 3)
        assert len(traces()) > 1
        cursor, erased = None, 0
        while cursor is not None or erased == 0:
            more, cursor = store.erase("shopper-4711", cursor, 100)
            erased += more
        assert erased == 2
        # The leased ones are in the same nodes.
        assert "erase the uid again" in store.shred()
        store.settle([Settlement(each.key, Outcome.DELIVERED) for each in leased])
        assert (erase(store, "shopper-4711", 100), store.shred()) == (0, "")
        eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        eventually(lambda: traces() == [])
        left = store.lease(2 * count, 4)
        assert [each.body for each in left] == [each.body for each in others[count // 2 - 1 :]]
        assert store.depth().waiting == len(left)


def test_an_erasure_from_a_damaged_outbox_says_what_remains(tmp_path):
    path = tmp_path / "outbox.db"
    environment = {"NEURALENS_OUTBOX": f"sqlite:///{path}"}
    fill(path)
    with closing(SqliteStore(path)) as store, store.transaction():
        store.add([of("shopper-4711", number) for number in range(3)], 1e6)
    pages = pages_of(path, "events")
    damage(path, pages[len(pages) // 2])
    result = CliRunner().invoke(command, ["--erase", "shopper-4711"], env=environment)
    assert "3 events of this uid dropped" in result.output
    assert (result.exit_code, "relay --salvage" in result.output) == (1, True)
    environment["NEURALENS_OUTBOX"] = f"sqlite:///{tmp_path / 'new.db'}"
    salvage(path, tmp_path / "new.db")
    result = CliRunner().invoke(command, ["--erase", "shopper-4711"], env=environment)
    assert (result.exit_code, result.output) == (0, "0 events of this uid dropped\n")


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_damaged_dead_letter_of_a_shopper_is_erased(store):
    with store.transaction():
        store.add([Event("damaged", b'{"uid":"shopper","items":[{"id')], 1)
        store.settle([Settlement(each.key, Outcome.DEAD, "no") for each in store.lease(1, 2)])
    assert erase(store, "shop", 10) == 0
    assert erase(store, "shopper", 10) == 1
