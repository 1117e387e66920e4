"""Events from a shop's own server: the same responses as for pages, and one purchase per order."""

import multiprocessing
import os
import queue
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

import neuralens_relay.outbox_url
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuralens_relay import Client as Server
from neuralens_relay import ClientError, EventError, Settings, SettingsError, create_app
from neuralens_relay.batch import Batch, validate_events
from neuralens_relay.client import make_event as make_server_event
from neuralens_relay.settings import OutboxSettings
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import Bounds, OutboxError
from neuralens_tracker.orders import name_purchase

from tests.event_loop import run
from tests.polling import TIMEOUT, eventually
from tests.processes import APPLICATION, fork, join
from tests.relay.conftest import locked, make_batch, make_event

SECRET = "s3cret-of-the-shop"
TAKEN = {"accepted": 1, "duplicates": 0, "rejected": []}
KNOWN = {"accepted": 0, "duplicates": 1, "rejected": []}
PURCHASE = {"ids": ["AV768", "B2"], "order": "O-1", "uid": "3845"}


def page_event(order, ids, **fields):
    """Return a page's event of an order."""
    return make_event(
        eid=name_purchase(order, ids),
        event="PURCHASE",
        items=[{"id": each} for each in ids],
        **fields,
    )


def server_event(order, ids, **fields):
    """Return a server's event of an order."""
    return make_server_event("PURCHASE", ids=ids, order=order, **fields)


@pytest.fixture(params=["outbox", "http", "redis"])
def shop(request, start, environment):
    """A relay, and a client on the shop's server that reports orders."""
    if request.param == "redis":
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
    relay = start(environment | {"NEURALENS_CLIENT_SECRET": SECRET})
    if request.param == "http":
        server = Server(url=relay.url, secret=SECRET, application_id=APPLICATION)
    else:
        server = Server(outbox=environment["NEURALENS_OUTBOX"], application_id=APPLICATION)
    with server:
        yield relay, server


def test_an_order_is_one_purchase_for_all_sources(shop, sandbox):
    relay, server = shop
    assert server.track("PURCHASE", **PURCHASE, query="oak") == TAKEN
    assert server.track("PURCHASE", **PURCHASE) == KNOWN
    assert run(server.track_async("PURCHASE", **PURCHASE | {"ids": ["B2", "AV768"]})) == KNOWN
    # Another browser, or the same one after its storage was erased.
    assert relay.send(page_event("O-1", ["AV768", "B2"])) == KNOWN
    assert relay.send(page_event("O-2", ["AV768"])) == TAKEN
    assert server.track("PURCHASE", ids=["AV768"], order=" O-2 ") == KNOWN
    # A forged event with a guessed order number has other items.
    assert relay.send(page_event("O-3", ["guessed"])) == TAKEN
    assert run(server.track_async("PURCHASE", ids=["AV768"], order="O-3")) == TAKEN
    eventually(lambda: len(sandbox.bodies()) == 4)
    body = next(each for each in sandbox.bodies() if each.get("query") == "oak")
    assert body | {"timestamp": 0} == {
        "event": "PURCHASE",
        "items": [{"id": "AV768"}, {"id": "B2"}],
        "timestamp": 0,
        "uid": "3845",
        "query": "oak",
    }


def test_other_events_can_be_tracked_too(shop, sandbox):
    _, server = shop
    assert server.track("ADD_TO_CART", id=5, uid=7, page="PRODUCT_PAGE", index=2) == TAKEN
    again = {"id": "A", "eid": "mine-1"}
    assert [server.track("SHARE", **again) for _ in range(2)] == [TAKEN, KNOWN]
    eventually(lambda: len(sandbox.bodies()) == 2)
    first = next(each for each in sandbox.bodies() if each["event"] == "ADD_TO_CART")
    assert (first["items"], first["uid"], first["index"]) == ([{"id": "5"}], "7", 2)


def test_ids_may_be_anything_with_a_plain_text(shop, sandbox):
    _, server = shop
    product, shopper = uuid4(), uuid4()
    assert server.track("PURCHASE", ids=iter([product, " B "]), order=5, uid=shopper) == TAKEN
    assert server.track("PURCHASE", ids=["B", str(product)], order="5") == KNOWN
    body = eventually(sandbox.bodies)[0]
    assert body["items"] == [{"id": str(product)}, {"id": "B"}]
    assert body["uid"] == str(shopper)


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_clients_that_nobody_closes_leave_nothing(tmp_path, request, kind):
    address = f"sqlite:///{tmp_path}/outbox.db"
    if kind == "redis":
        address = request.getfixturevalue("redis_address")

    def count():
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = count()
    for _ in range(20):
        assert Server(outbox=address).track("SHARE", id="A") == TAKEN
    eventually(lambda: count() == before)


def test_an_outbox_that_hangs_is_an_error_in_bounded_time(tmp_path, monkeypatch):
    path = tmp_path / "outbox.db"
    with Server(outbox=f"sqlite:///{path}") as server:
        assert server.track("SHARE", id="A") == TAKEN
        monkeypatch.setattr("neuralens_relay.client.WRITE_TIMEOUT", 0.1)
        with locked(path):
            with pytest.raises(ClientError, match=rf"{path} has not responded for 0\.1 s: check"):
                server.track("SHARE", id="A")
            with pytest.raises(ClientError, match=rf"{path} has not responded for 0\.1 s: check"):
                run(server.track_async("SHARE", id="A"))
        monkeypatch.undo()
        assert server.track("SHARE", id="A") == TAKEN


@pytest.fixture
def slow_disk(monkeypatch):
    """An event until which no outbox can be opened, and the number of attempts."""
    done, attempts = threading.Event(), []

    def open_store(*arguments):
        attempts.append(arguments)
        assert done.wait(TIMEOUT)
        return SqliteStore(*arguments)

    monkeypatch.setattr("neuralens_relay.outbox_url.SqliteStore", open_store)
    yield done, attempts
    done.set()


def test_an_outbox_that_hangs_while_it_is_opened_is_an_error_in_bounded_time(
    tmp_path, monkeypatch, slow_disk
):
    path = tmp_path / "outbox.db"
    done, attempts = slow_disk
    before = threading.active_count()
    monkeypatch.setattr("neuralens_relay.client.WRITE_TIMEOUT", 0.1)
    reason = rf"{path} has not responded for 0\.1 s: check its disk"
    with Server(outbox=f"sqlite:///{path}") as server:
        for _ in range(3):
            with pytest.raises(ClientError, match=reason):
                server.track("SHARE", id="A")
            with pytest.raises(ClientError, match=reason):
                run(server.track_async("SHARE", id="A"))
        # They all wait for one attempt, which is used once it succeeds.
        assert len(attempts) == 1
        done.set()
        monkeypatch.setattr("neuralens_relay.client.WRITE_TIMEOUT", TIMEOUT)
        assert server.track("SHARE", id="A") == TAKEN
        assert len(attempts) == 1
    eventually(lambda: threading.active_count() == before)


def test_a_fork_while_an_outbox_is_opened(tmp_path, monkeypatch, slow_disk):
    """A child must not use SQLite, of which a thread that it does not have holds the locks."""
    path = tmp_path / "outbox.db"
    done, _ = slow_disk
    monkeypatch.setattr("neuralens_relay.client.WRITE_TIMEOUT", 0.1)
    monkeypatch.setattr("neuralens_relay.client.CLOSING", 0.1)
    server = Server(outbox=f"sqlite:///{path}")
    with pytest.raises(ClientError, match="has not responded"):
        server.track("SHARE", id="A")

    def track_in_child():
        with pytest.raises(ClientError, match="while an outbox was open"):
            server.track("SHARE", id="A")

    assert join(fork(track_in_child)) == 0
    done.set()
    monkeypatch.setattr("neuralens_relay.client.WRITE_TIMEOUT", TIMEOUT)
    monkeypatch.setattr("neuralens_relay.client.CLOSING", TIMEOUT)
    # What was opened in vain is closed before the fork, so the child opens its own.
    assert join(fork(lambda: server.track("SHARE", id="A"))) == 0
    assert server.track("SHARE", id="A") == TAKEN
    server.close()


# A call, and the reason why it is refused.
WRONG = [
    ("BUY", {"id": "A"}, "event must be one of"),
    ("SHARE", {}, "items must be"),
    ("SHARE", {"ids": []}, "items must be"),
    ("SHARE", {"ids": ["A", "B"]}, "items must be one"),
    ("PURCHASE", {"ids": ["A"], "page": "HOME"}, "page must be one of"),
    ("PURCHASE", {"ids": ["A"], "timestamp": -1}, "timestamp must be"),
    ("PURCHASE", {"ids": ["A"], "order": ""}, "order must be text"),
    ("PURCHASE", {"ids": [None], "order": "O"}, "ids must be text"),
    ("PURCHASE", {"ids": ["A"], "order": "x" * 600}, "order must be text of 1 to 512"),
    ("PURCHASE", {"ids": "AV768", "order": "O"}, "ids must be a list"),
    ("SHARE", {"id": 1.5}, "ids must be text"),
    ("SHARE", {"id": "A", "uid": b"u"}, "uid must be text"),
    ("SHARE", {"id": "A", "timestamp": "today"}, "timestamp must be Unix time"),
    ("PURCHASE", {"ids": ["A"], "order": "O", "eid": "e"}, "order goes with PURCHASE"),
    ("SHARE", {"id": "A", "order": "O"}, "order goes with PURCHASE"),
    ("SHARE", {"id": "A\x00"}, "control characters"),
]


def test_a_wrong_event_is_an_error_with_the_validators_reason(shop):
    relay, server = shop
    for name, fields, reason in WRONG:
        with pytest.raises(EventError, match=reason):
            server.track(name, **fields)
        with pytest.raises(EventError, match=reason):
            run(server.track_async(name, **fields))
    assert relay.queued() == 0


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"url": "shop.example/nl"}, "NEURALENS_RELAY_URL"),
        ({"url": "https://[::1/nl"}, "NEURALENS_RELAY_URL"),
        ({"url": "https://shop.example:99999/nl"}, "NEURALENS_RELAY_URL"),
        ({"url": "https://user:password@shop.example/nl"}, "NEURALENS_RELAY_URL"),
        ({"url": "https://shop.example/nl"}, "NEURALENS_CLIENT_SECRET"),
        ({"url": "https://shop.example/nl", "secret": "s"}, "NEURALENS_APPLICATION_ID"),
        ({"outbox": "outbox.db"}, "NEURALENS_OUTBOX"),
    ],
)
def test_a_missing_setting_is_reported(given, name, monkeypatch):
    for variable in ("NEURALENS_RELAY_URL", "NEURALENS_CLIENT_SECRET", "NEURALENS_APPLICATION_ID"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SettingsError, match=name):
        Server(**given)


def test_settings_come_from_the_environment(start, environment, monkeypatch):
    relay = start(environment | {"NEURALENS_CLIENT_SECRET": SECRET})
    monkeypatch.setenv("NEURALENS_RELAY_URL", relay.url)
    # As from the files of secrets.
    monkeypatch.setenv("NEURALENS_CLIENT_SECRET", f"{SECRET}\n")
    monkeypatch.setenv("NEURALENS_APPLICATION_ID", f" {APPLICATION}\n")
    assert Server().track("PURCHASE", **PURCHASE) == TAKEN
    monkeypatch.delenv("NEURALENS_RELAY_URL")
    monkeypatch.setenv("NEURALENS_OUTBOX", environment["NEURALENS_OUTBOX"])
    with Server() as server:
        assert server.track("PURCHASE", **PURCHASE) == KNOWN


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_events_of_another_application_are_refused(request, start, environment, sandbox, kind):
    if kind == "redis":
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
    relay = start(environment)
    relay.send(make_event(items=[{"id": "page"}]))
    eventually(lambda: sandbox.ids() == ["page"])
    other = environment | {"NEURALENS_APPLICATION_ID": "other"}
    with Server(environment=other) as server:
        with pytest.raises(ClientError, match="or correct NEURALENS_APPLICATION_ID"):
            server.track("SHARE", id="A")
        with pytest.raises(ClientError, match="or correct NEURALENS_APPLICATION_ID"):
            run(server.track_async("SHARE", id="A"))
    with Server(environment=environment) as server:
        assert server.track("SHARE", id="B")["accepted"] == 1
    eventually(lambda: sandbox.ids() == ["page", "B"])
    assert relay.health()["ready"]


def test_a_wrong_secret_is_refused_and_not_repeated(start, api_down):
    for secret in (SECRET, ""):
        relay = start(api_down | {"NEURALENS_CLIENT_SECRET": secret})
        server = Server(url=relay.url, secret="wrong-one", application_id=APPLICATION)
        with pytest.raises(ClientError, match=r"403.*NEURALENS_CLIENT_SECRET") as caught:
            server.track("PURCHASE", **PURCHASE)
        assert "wrong-one" not in str(caught.value) + repr(server)
    # Browsers send the credentials of a password-protected shop to the relay, too.
    assert relay.post(make_batch(make_event()), Authorization="Basic eDp5").status_code == 202


def test_a_server_has_no_limits(start, api_down):
    relay = start(api_down | {"NEURALENS_CLIENT_SECRET": SECRET, "NEURALENS_RATE_LIMIT": "0.01"})
    server = Server(url=relay.url, secret=SECRET, application_id=APPLICATION)
    answers = [server.track("PURCHASE", ids=["A"], order=number) for number in range(20)]
    assert answers == [TAKEN] * 20


def test_an_unreachable_relay_is_an_error_with_the_reason(tmp_path):
    server = Server(url="http://127.0.0.1:1/nl", secret=SECRET, application_id="a")
    with pytest.raises(ClientError, match=r"127\.0\.0\.1 cannot be reached"):
        server.track("PURCHASE", **PURCHASE)
    with (
        Server(outbox=f"sqlite:///{tmp_path}/none/outbox.db") as server,
        pytest.raises(ClientError, match="outbox"),
    ):
        server.track("PURCHASE", **PURCHASE)


def test_a_relay_that_responds_a_byte_at_a_time_is_an_error_in_bounded_time():
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        left = threading.Event()

        def respond():
            connection, _ = proxy.accept()
            with connection, suppress(OSError):
                for byte in b"HTTP/1.1 202 Accepted\r\nX: ".ljust(10_000, b"x"):
                    connection.send(bytes([byte]))
                    if left.wait(0.05):
                        return
            left.set()

        thread = threading.Thread(target=respond)
        thread.start()
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}/nl"
        server = Server(url=url, secret=SECRET, application_id=APPLICATION, timeout=0.5)
        began = time.monotonic()
        with pytest.raises(ClientError, match=r"127\.0\.0\.1 has not responded for 0\.5 s"):
            server.track("PURCHASE", **PURCHASE)
        assert time.monotonic() - began < TIMEOUT / 2
        # The connection is closed.
        assert left.wait(TIMEOUT)
        thread.join()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[" * 60_000,
        b"<html>",
        b"\xff",
        b'{"accepted":0,"duplicates":0,"rejected":null}',
        b'{"accepted":0,"duplicates":0,"rejected":[{}]}',
    ],
)
def test_a_response_that_is_not_the_relays_is_an_error(body):
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def respond():
            connection, _ = proxy.accept()
            with connection:
                received = b""
                # Headers and body may arrive separately; closing before would reset the connection.
                while not received.endswith(b"}"):
                    received += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nConnection: close\r\n\r\n" + body)

        thread = threading.Thread(target=respond)
        thread.start()
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}/ñ"
        with (
            Server(url=url, secret=SECRET, application_id=APPLICATION) as server,
            pytest.raises(ClientError, match="answered 202: not a response of it"),
        ):
            server.track("PURCHASE", **PURCHASE)
        thread.join()


def test_a_secret_that_no_header_can_carry_is_a_wrong_setting():
    with pytest.raises(SettingsError, match=r"^NEURALENS_CLIENT_SECRET must be visible ASCII"):
        Server(url="https://shop.example/nl", secret="a\nb", application_id=APPLICATION)


def test_threads_and_forked_processes_share_a_client(tmp_path):
    with Server(outbox=f"sqlite:///{tmp_path}/outbox.db") as server:
        server.track("PURCHASE", ids=["A"], order="first")
        threads = [
            threading.Thread(target=server.track, args=["PURCHASE"], kwargs=PURCHASE)
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        def track_in_child():
            assert server.track("PURCHASE", ids=["A"], order="child") == TAKEN
            assert server.track("PURCHASE", ids=["A"], order="first") == KNOWN

        assert join(fork(track_in_child)) == 0
        assert server.track("PURCHASE", ids=["A"], order="child") == KNOWN
    with closing(SqliteStore(tmp_path / "outbox.db")) as store:
        assert store.depth().waiting == 3


def test_a_process_may_fork_while_others_of_its_threads_track(tmp_path):
    stopping = threading.Event()
    with Server(outbox=f"sqlite:///{tmp_path}/outbox.db") as server:

        def keep_tracking(name):
            number = 0
            while not stopping.is_set():
                number += 1
                purchase = {"ids": ["A"], "order": f"{name}-{number}"}
                assert server.track("PURCHASE", **purchase) == TAKEN

        with ThreadPoolExecutor() as pool:
            threads = [pool.submit(keep_tracking, name) for name in range(4)]
            children = [
                fork(lambda name=name: server.track("PURCHASE", ids=["A"], order=f"child-{name}"))
                for name in range(10)
            ]
            stopping.set()
            for thread in threads:
                thread.result()
        assert {join(each) for each in children} == {0}


def test_a_child_loses_nothing_when_its_parent_closes_the_file(tmp_path):
    parent = Server(outbox=f"sqlite:///{tmp_path}/outbox.db")
    parent.track("PURCHASE", ids=["A"], order="parent")
    tracked, closed = multiprocessing.Event(), multiprocessing.Event()

    def track_twice():
        parent.track("PURCHASE", ids=["A"], order="first")
        tracked.set()
        assert closed.wait(TIMEOUT)
        parent.track("PURCHASE", ids=["A"], order="second")

    child = fork(track_twice)
    assert tracked.wait(TIMEOUT)
    parent.close()
    # Whoever is the last to close the file, to its knowledge, deletes the log.
    SqliteStore(tmp_path / "outbox.db").close()
    closed.set()
    assert join(child) == 0
    with closing(SqliteStore(tmp_path / "outbox.db")) as store:
        assert store.depth().waiting == 3


def fork_without_notice():
    """Make this process, which is a test's child, believe that it was forked without notice."""
    os.getpid = lambda: 0


def test_a_child_of_a_fork_without_notice_tracks(tmp_path):
    with Server(outbox=f"sqlite:///{tmp_path}/outbox.db") as server:

        def track():
            fork_without_notice()
            assert server.track("PURCHASE", **PURCHASE) == TAKEN

        assert join(fork(track)) == 0
        assert server.track("PURCHASE", **PURCHASE) == KNOWN


def test_a_child_of_a_fork_without_notice_refuses_an_open_outbox(tmp_path, environment, bundles):
    address = f"sqlite:///{tmp_path}/outbox.db"
    app = create_app(
        Settings.from_environment(environment | {"NEURALENS_OUTBOX": address}), bundles
    )
    with Server(outbox=address) as server:

        def track():
            assert server.track("PURCHASE", **PURCHASE) == TAKEN
            fork_without_notice()
            for client in (server, Server(outbox=address)):
                with client, pytest.raises(ClientError, match="lazy-apps = true"):
                    client.track("PURCHASE", **PURCHASE)
            with pytest.raises(OutboxError, match="lazy-apps = true"):
                app.state.relay.start()

        assert join(fork(track)) == 0
        assert server.track("PURCHASE", **PURCHASE) == KNOWN


def test_queues_that_were_patched_too_late_are_refused(tmp_path, monkeypatch):
    with Server(outbox=f"sqlite:///{tmp_path}/outbox.db") as server:
        # As gevent does, whose queues suspend a greenlet instead of a thread.
        monkeypatch.setattr(queue, "SimpleQueue", queue.Queue)
        with pytest.raises(ClientError, match="patch them first"):
            server.track("PURCHASE", **PURCHASE)


def test_order_ids_are_kept_longer_than_others(start, environment, monkeypatch):
    monkeypatch.setenv("NEURALENS_RETENTION_DAYS", "1")
    bounds = []
    monkeypatch.setattr(
        neuralens_relay.outbox_url, "SqliteStore", lambda path, given, _: bounds.append(given)
    )
    neuralens_relay.outbox_url.store_opener(OutboxSettings.from_environment())()
    assert bounds[0].known == 86400
    assert bounds[0].orders == 400 * 86400


ORDERS = [["AV768", "B2", "C3"], ["AV768"], ["B2", "C3"]]
SPEAKERS = ["page", "other page", "server", "job"]
# The source, the order, its first item, and how often the same request arrives.
SAYINGS = st.lists(
    st.tuples(st.sampled_from(SPEAKERS), st.integers(0, 2), st.integers(0, 2), st.integers(1, 2)),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def fast_store(tmp_path_factory):
    """The real store, in a memory file system if there is one, for speed."""
    memory = Path("/dev/shm")
    folder = memory if memory.is_dir() else tmp_path_factory.mktemp("orders")
    path = folder / f"neuralens-orders-{os.getpid()}.db"
    store = SqliteStore(path, Bounds())
    yield store
    store.close()
    for file in folder.glob(f"{path.name}*"):
        file.unlink()


examples = iter(range(10**9))


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_one_purchase_per_order_for_many_interleavings(fast_store, count):
    @given(SAYINGS)
    @settings(max_examples=count)
    def check(reports):
        example = next(examples)
        fresh = Counter()
        with fast_store.transaction():
            for who, order, first, times in reports:
                number = f"{example}-{order}"
                ids = ORDERS[order][first:] + ORDERS[order]
                # Every visit creates a new event, without the browser's storage.
                make = page_event if "page" in who else server_event
                batch = Batch(
                    v=1, app="a", batch="b", sent=1e9, events=[make(number, ids, uid=who)]
                )
                kept, rejected = validate_events(batch, 1e9)
                assert not rejected
                for _ in range(times):
                    fresh[order] += sum(fast_store.add(kept, 1e9))
        assert set(fresh.values()) == {1}

    check()
