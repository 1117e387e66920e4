"""Relays that are killed or stopped, outboxes that cannot be written, and failures of Redis."""

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw
import pytest
import redis

from tests.clients import connect
from tests.faults.relay.pages import Pages, Relays, read_balance
from tests.polling import eventually
from tests.relay.conftest import (
    is_up,
    make_batch,
    make_event,
    redis_server,
    unused_port,
)
from tests.relay.test_faulty_outbox import damage, fill_disk, pages_of, small_disk
from tests.relay.test_redis_server import sentinel

FAULTS = pytest.mark.faults


@pytest.fixture(params=["SQLite", "Redis"])
def kind(request):
    return request.param


@pytest.fixture
def settings(environment, kind, request):
    """The environment of relays without a rate limit."""
    environment["NEURALENS_RATE_LIMIT"] = "0"
    # Events leased by a killed relay are recovered after three timeouts.
    environment["NEURALENS_TIMEOUT"] = "1" if kind == "Redis" else "5"
    if kind == "Redis":
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
    return environment


def run_for(seconds):
    """Let the load continue for a random time, for which there is no condition to poll."""
    time.sleep(seconds)


def path_of(environment):
    return Path(environment["NEURALENS_OUTBOX"].removeprefix("sqlite:///"))


@pytest.mark.parametrize("count", [1, 2], ids=["one relay", "two relays"])
@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=FAULTS)])
def test_kills_at_random_moments(spawn, settings, kind, sandbox, add_row, count, kills):
    moments = random.Random(kills)
    relays = Relays(lambda: spawn(settings))
    for _ in range(count):
        relays.add()
    # With a pause, so that all events fit into the sandbox's ledger.
    with Pages(relays, pause=0.2) as pages:
        for _ in range(kills):
            run_for(moments.uniform(0.05, 0.8))
            relays.end(moments.randrange(count), signal.SIGKILL)
            relays.add()
        eventually(lambda: relays.running[-1][0].health()["ready"])
    outcome = pages.outcome(sandbox, timeout=120)
    name = f"kill -9, {kills} times at random moments, {kind}, {count} relay{'s' * (count > 1)}"
    add_row(name, outcome)
    balance = read_balance(settings)
    assert balance["tracked"] == balance["stored"] == outcome.acknowledged
    assert balance["out"] == 0


@pytest.mark.parametrize("ends", [1, pytest.param(20, marks=FAULTS)])
def test_sigterm_under_load(spawn, settings, kind, sandbox, add_row, ends):
    relays = Relays(lambda: spawn(settings))
    relays.add()
    with Pages(relays) as pages:
        for _ in range(ends):
            run_for(0.3)
            assert relays.end(0, signal.SIGTERM) == 0
            relays.add()
    add_row(f"SIGTERM, {ends} time{'s' * (ends > 1)} under load, {kind}", pages.outcome(sandbox))


@pytest.mark.parametrize("kind", ["SQLite"], indirect=True)
class TestFiles:
    """Faults of an outbox file."""

    def test_recovery_under_a_full_disk(self, spawn, settings, sandbox, add_row, tmp_path):
        with small_disk(tmp_path, 8) as disk:
            settings["NEURALENS_OUTBOX"] = f"sqlite:///{disk}/outbox.db"
            relays = Relays(lambda: spawn(settings))
            relays.add()
            sandbox.fail(hang=True, times=20)
            with Pages(relays) as pages:
                eventually(lambda: not sandbox.pending())
                relays.end(0, signal.SIGKILL)
                fill_disk(disk / "other", 1 << 20)
                relays.add()
                eventually(lambda: pages.refused[503] > 0)
                (disk / "other").unlink()
                eventually(lambda: relays.running[0][0].health()["ready"])
            outcome = pages.outcome(sandbox)
            # Before its disk is unmounted.
            relays.running[0][1].end()
        outcome.ambiguous = max(outcome.ambiguous, relays.counted)
        add_row("restart with events in flight and a full disk", outcome)

    def test_torn_log(self, spawn, settings, sandbox, add_row):
        """An incomplete write at the end of the log, as after a power failure, is ignored."""
        relays = Relays(lambda: spawn(settings))
        relays.add()
        with Pages(relays) as pages:
            eventually(lambda: len(pages.acknowledged) > 50)
            relays.end(0, signal.SIGKILL)
            path = path_of(settings)
            with path.with_name(f"{path.name}-wal").open("ab") as log:
                log.write(random.Random(1).randbytes(2000))
            relays.add()
            eventually(lambda: relays.running[0][0].health()["ready"])
        add_row("torn write-ahead log", pages.outcome(sandbox))

    def test_damaged_page(self, spawn, settings, api_down, sandbox, add_row):
        relays = Relays(lambda: spawn(api_down | {"NEURALENS_RATE_LIMIT": "0"}))
        relays.add()
        with Pages(relays) as pages:
            eventually(lambda: len(pages.acknowledged) > 300)
        assert relays.end(0, signal.SIGTERM) == 0
        tables = pages_of(path_of(settings), "events")
        damage(path_of(settings), tables[len(tables) // 2])
        relays.start = lambda: spawn(settings)
        relays.add()
        client = relays.running[0][0]
        eventually(lambda: client.metric("neuralens_outbox_unreadable") > 0)
        eventually(lambda: client.queued() == 0)
        reported = int(client.metric("neuralens_outbox_unreadable"))
        add_row("damaged page", pages.outcome(sandbox, reported))

    def test_read_only(self, spawn, settings, sandbox, add_row, tmp_path):
        with small_disk(tmp_path, 16) as disk:
            settings["NEURALENS_OUTBOX"] = f"sqlite:///{disk}/outbox.db"
            relays = Relays(lambda: spawn(settings))
            relays.add()
            with Pages(relays) as pages:
                eventually(lambda: len(pages.acknowledged) > 50)
                relays.end(0, signal.SIGTERM)
                subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
                with pytest.raises(AssertionError, match=r"Error: the outbox .* cannot be"):
                    spawn(settings)
                subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
                relays.add()
                eventually(lambda: relays.running[0][0].health()["ready"])
            outcome = pages.outcome(sandbox)
            relays.running[0][1].end()
        add_row("restart on a read-only disk", outcome)

    def test_full_outbox(self, spawn, settings, sandbox, add_row):
        sandbox.fail(status=503, times=1_000_000)
        relays = Relays(lambda: spawn(settings | {"NEURALENS_OUTBOX_LIMIT": "60"}))
        relays.add()
        with Pages(relays) as pages:
            eventually(lambda: pages.refused[503] > 0)
            sandbox.clear_faults()
            full = len(pages.acknowledged)
            eventually(lambda: len(pages.acknowledged) > full)
        add_row("outbox at its limit, API down", pages.outcome(sandbox))

    def test_locked_by_another_program(self, spawn, settings, sandbox, add_row):
        relays = Relays(lambda: spawn(settings))
        relays.add()
        with Pages(relays) as pages:
            eventually(lambda: len(pages.acknowledged) > 50)
            other = apsw.Connection(str(path_of(settings)))
            other.set_busy_timeout(30_000)
            other.execute("BEGIN EXCLUSIVE")
            eventually(lambda: not relays.running[0][0].health()["ready"])
            other.execute("ROLLBACK")
            other.close()
            eventually(lambda: relays.running[0][0].health()["ready"])
        add_row("outbox locked by another program", pages.outcome(sandbox))


@contextmanager
def running_redis(folder, port):
    folder.mkdir(exist_ok=True)
    with redis_server(folder, port) as address:
        yield address


class TestRedis:
    """Faults of the Redis server with an outbox."""

    @pytest.fixture
    def limits(self, environment):
        return environment | {"NEURALENS_RATE_LIMIT": "0", "NEURALENS_TIMEOUT": "1"}

    @pytest.mark.parametrize("kills", [1, pytest.param(10, marks=FAULTS)])
    def test_killed(self, spawn, limits, sandbox, add_row, tmp_path, kills):
        port = unused_port()
        limits["NEURALENS_OUTBOX"] = f"redis://127.0.0.1:{port}/0"
        relays = Relays(lambda: spawn(limits))
        pages = Pages(relays)
        for turn in range(kills + 1):
            with running_redis(tmp_path / "redis", port), redis.Redis(port=port) as client:
                if turn == 0:
                    relays.add()
                    pages.__enter__()
                before = len(pages.acknowledged)
                eventually(lambda: len(pages.acknowledged) > before + 30)  # noqa: B023
                if turn < kills:
                    os.kill(client.info("server")["process_id"], signal.SIGKILL)
                    continue
                pages.__exit__()
                add_row(
                    f"Redis killed {kills} time{'s' * (kills > 1)}",
                    pages.outcome(sandbox, timeout=120),
                )

    def test_stopped(self, spawn, limits, sandbox, add_row, tmp_path):
        port = unused_port()
        with running_redis(tmp_path / "redis", port) as address, redis.Redis(port=port) as client:
            limits["NEURALENS_OUTBOX"] = address
            relays = Relays(lambda: spawn(limits))
            relays.add()
            pid = client.info("server")["process_id"]
            with Pages(relays) as pages:
                eventually(lambda: len(pages.acknowledged) > 50)
                os.kill(pid, signal.SIGSTOP)
                try:
                    eventually(lambda: not relays.running[0][0].health()["ready"])
                finally:
                    os.kill(pid, signal.SIGCONT)
                eventually(lambda: relays.running[0][0].health()["ready"])
            add_row("Redis stopped for seconds", pages.outcome(sandbox, timeout=120))

    def test_evicting(self, spawn, limits, sandbox, add_row, tmp_path):
        with running_redis(tmp_path / "redis", unused_port()) as address:
            limits["NEURALENS_OUTBOX"] = address
            relays = Relays(lambda: spawn(limits))
            relays.add()
            with Pages(relays) as pages, redis.Redis.from_url(address) as client:
                eventually(lambda: len(pages.acknowledged) > 50)
                client.config_set("maxmemory-policy", "allkeys-lru")
                eventually(lambda: pages.refused[503] > 0)
                assert not relays.running[0][0].health()["ready"]
                client.config_set("maxmemory-policy", "noeviction")
                eventually(lambda: relays.running[0][0].health()["ready"])
            add_row("Redis set to evict", pages.outcome(sandbox, timeout=120))

    def test_failed_over(self, spawn, limits, sandbox, add_row, tmp_path):
        first, second = unused_port(), unused_port()
        replica = ["--replicaof", "127.0.0.1", str(first)]
        (tmp_path / "second").mkdir()
        with (
            running_redis(tmp_path / "first", first),
            redis_server(tmp_path / "second", second, *replica),
            sentinel(tmp_path, first) as port,
            redis.Redis(port=port) as watcher,
            redis.Redis(port=second) as other,
        ):
            limits["NEURALENS_OUTBOX"] = f"redis+sentinel://127.0.0.1:{port}/shop/0"
            relays = Relays(lambda: spawn(limits))
            relays.add()
            eventually(lambda: other.role()[3] == b"connected")
            eventually(lambda: watcher.sentinel_slaves("shop"))
            with Pages(relays) as pages:
                eventually(lambda: len(pages.acknowledged) > 50)
            # A failover loses what the replica does not have yet.
            with redis.Redis(port=first) as primary:
                eventually(partial(is_in_sync, primary, other))
                watcher.execute_command("SENTINEL", "FAILOVER", "shop")
                eventually(lambda: other.role()[0] == b"master", 60)
                # Until it is demoted, the old primary takes events, which it then forgets.
                eventually(lambda: primary.role()[0] == b"slave", 60)
            more = Pages(relays)
            with more:
                eventually(lambda: len(more.acknowledged) > 50, 60)
            more.acknowledged += pages.acknowledged
            add_row("Redis failed over, replica in sync", more.outcome(sandbox, timeout=120))


def is_in_sync(primary, replica):
    """Return whether a replica has all data of its primary."""
    offset = primary.info("replication")["master_repl_offset"]
    return is_up(replica) and replica.info("replication")["slave_repl_offset"] >= offset


def test_fifty_concurrent_copies_of_one_batch(spawn, settings, kind, sandbox, add_row):
    relays = Relays(lambda: spawn(settings))
    relays.add()
    client = relays.running[0][0]
    names = [f"p{number}" for number in range(20)]
    body = make_batch(*[make_event(items=[{"id": name}]) for name in names])
    pages = Pages(relays, 0)
    with connect() as http, ThreadPoolExecutor(50) as pool:
        posts = [pool.submit(http.post, f"{client.url}/events", json=body) for _ in range(50)]
        accepted = sum(post.result().json()["accepted"] for post in posts)
    assert accepted == 20
    pages.acknowledged = names
    add_row(f"fifty concurrent copies of one batch, {kind}", pages.outcome(sandbox))
