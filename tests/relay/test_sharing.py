"""Several relays on one Redis."""

import signal
from collections import Counter

import pytest

from tests.relay.conftest import closed_port, eventually, make_batch, make_event, redis_server


@pytest.fixture
def shared(environment, redis_address):
    return environment | {"NEURALENS_OUTBOX": redis_address, "NEURALENS_TIMEOUT": "0.5"}


def named(name):
    return make_event(items=[{"id": name}])


def test_what_one_relay_took_no_other_takes(spawn, shared, sandbox):
    clients = [spawn(shared)[0] for _ in range(2)]
    names = [f"p{number}" for number in range(60)]
    for place, name in enumerate(names):
        clients[place % 2].take(named(name))
    eventually(lambda: clients[0].waiting() == 0)
    assert Counter(sandbox.ids()) == Counter(names)
    event = make_event()
    assert clients[0].take(event)["accepted"] == 1
    assert clients[1].take(event)["duplicates"] == 1


def test_what_a_killed_relay_was_sending_another_sends(spawn, shared, sandbox):
    first, process = spawn(shared)
    sandbox.fail(hang=True, taken=True, times=3)
    names = ["a", "b", "c"]
    first.take(*map(named, names))
    eventually(lambda: not sandbox.pending())
    process.end(signal.SIGKILL)
    second, _ = spawn(shared)
    eventually(lambda: second.waiting() == 0)
    assert Counter(sandbox.ids()) == Counter(names * 2)
    assert second.metric("neuralens_forwarded_ambiguous_total") == 3


def test_what_failed_is_tried_again_and_what_was_refused_is_kept(start, shared, sandbox):
    relay = start(shared)
    sandbox.fail(status=500, item="again", times=3)
    sandbox.fail(status=400, item="wrong")
    relay.take(named("again"), named("wrong"))
    eventually(lambda: relay.waiting() == 0)
    assert sandbox.ids() == ["again"]
    assert relay.metric("neuralens_outbox_dead") == 1


def test_while_redis_is_away_pages_are_asked_to_come_back(start, environment, sandbox, tmp_path):
    port = closed_port()
    # An event whose way out of Redis was cut off is found again after a few timeouts.
    environment = environment | {
        "NEURALENS_OUTBOX": f"redis://127.0.0.1:{port}/0",
        "NEURALENS_TIMEOUT": "0.5",
    }
    sandbox.fail(status=503, times=100_000)
    with redis_server(tmp_path, port):
        relay = start(environment)
        relay.take(named("before"))
    event = named("after")
    answer = relay.post(make_batch(event))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert not relay.health()["ready"]
    with redis_server(tmp_path, port):
        eventually(lambda: relay.post(make_batch(event)).status_code == 202)
        sandbox.heal()
        eventually(lambda: set(sandbox.ids()) == {"before", "after"})
        eventually(lambda: relay.waiting() == 0)
