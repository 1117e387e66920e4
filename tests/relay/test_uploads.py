"""The memory of pending requests is bounded, and slow bodies keep nobody out."""

import json
from contextlib import ExitStack

import httpx
import pytest

from tests.polling import eventually
from tests.relay.conftest import locked, make_batch, make_event
from tests.relay.test_connections import open_socket, read_all

# Bytes of a body, and how many fit into NEURALENS_PENDING_LIMIT.
SIZE = 45_000
FIT = (1 << 20) // SIZE
PENDING = "too many requests are pending"


@pytest.fixture
def settings(api_down):
    return api_down | {"NEURALENS_PENDING_LIMIT": "1"}


def prepare(address, size=SIZE):
    """Return a request of an address, whose body has one event and the size, in two parts."""
    body = json.dumps(make_batch(make_event())).encode().ljust(size)
    head = (
        f"POST /nl/events HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.{address}\r\n"
        f"Content-Length: {size}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body[:-1000], body[-1000:]


def answers(connections):
    """Return the statuses of the responses, once all are complete."""
    heads = [read_all(each).partition(b"\r\n\r\n") for each in connections]
    return [(int(head[9:12]), head, json.loads(body)) for head, _, body in heads]


def count_refused(relay):
    return relay.metric('neuralens_batches_total{status="503"}')


def test_bodies_that_wait_for_the_disk_have_a_bound(spawn, settings, tmp_path):
    relay, process = spawn(settings)
    with ExitStack() as opened:
        senders = [opened.enter_context(open_socket(relay)) for _ in range(FIT + 7)]
        with locked(tmp_path / "outbox.db"):
            for number, sender in enumerate(senders):
                sender.sendall(b"".join(prepare(number)))
            eventually(lambda: count_refused(relay) == 7)
        found = answers(senders)
    refused = [(head, body) for status, head, body in found if status == 503]
    assert len(refused) == 7
    assert all(body == {"error": PENDING} for _, body in refused)
    assert all(b"retry-after: 1" in head.lower() for head, _ in refused)
    assert [status for status, _, _ in found].count(202) == FIT
    assert process.errors().count(PENDING) == 1
    # All that was held is free again.
    for number in range(FIT + 7):
        assert relay.post(b"[".ljust(SIZE), X_Forwarded_For=f"192.0.2.{number}").status_code == 400


def test_a_body_that_arrives_slowly_gives_way(spawn, settings):
    relay, _ = spawn(settings)
    with ExitStack() as opened:
        senders = [opened.enter_context(open_socket(relay)) for _ in range(3 * FIT)]
        for number, sender in enumerate(senders):
            sender.sendall(prepare(number)[0])
        # The last ones stay, and those before them get the time that they have had.
        eventually(lambda: count_refused(relay) >= 2 * FIT - 1)
        for _ in range(2 * FIT):
            assert relay.send(make_event())["accepted"] == 1
        refused = count_refused(relay)
        assert refused <= 2 * FIT + 1
        early = answers(senders[:FIT])
    assert all(body["error"] == "the body took too long to arrive" for _, _, body in early)


def test_a_body_that_is_only_announced_takes_nothing(spawn, settings):
    relay, _ = spawn(settings)
    with ExitStack() as opened:
        for number in range(3 * FIT):
            head, _, _ = prepare(number)[0].partition(b"{")
            opened.enter_context(open_socket(relay)).sendall(head)
        for _ in range(FIT):
            assert relay.post(b"[".ljust(SIZE)).status_code == 400
        assert count_refused(relay) == 0


def test_one_address_has_a_sixteenth(spawn, settings):
    relay, _ = spawn(settings)
    with open_socket(relay) as slow, open_socket(relay) as second:
        first, rest = prepare(1)
        slow.sendall(first)
        second.sendall(b"".join(prepare(1)))
        [(status, head, body)] = answers([second])
        assert (status, body["error"]) == (429, "too many requests at once from this address")
        assert b"retry-after: 1" in head.lower()
        assert httpx.post(f"{relay.url}/events", json=make_batch(make_event())).status_code == 202
        slow.sendall(rest)
        assert answers([slow])[0][0] == 202
