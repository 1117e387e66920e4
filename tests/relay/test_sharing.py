"""Several relays on one Redis."""

import signal
from collections import Counter

import pytest

from tests.polling import eventually
from tests.relay.conftest import make_batch, make_event, redis_server, unused_port


@pytest.fixture
def shared(environment, redis_address):
    return environment | {"NEURALENS_OUTBOX": redis_address, "NEURALENS_TIMEOUT": "0.5"}


def named(name):
    return make_event(items=[{"id": name}])


def test_an_event_is_leased_by_one_relay(spawn, shared, sandbox):
    clients = [spawn(shared)[0] for _ in range(2)]
    names = [f"p{number}" for number in range(60)]
    for place, name in enumerate(names):
        clients[place % 2].send(named(name))
    eventually(lambda: clients[0].queued() == 0)
    assert Counter(sandbox.ids()) == Counter(names)
    event = make_event()
    assert clients[0].send(event)["accepted"] == 1
    assert clients[1].send(event)["duplicates"] == 1


def test_events_of_a_killed_relay_are_sent_by_another(spawn, shared, sandbox):
    # It is killed before its requests time out, which it would count itself.
    first, process = spawn(shared | {"NEURALENS_TIMEOUT": "60"})
    sandbox.fail(hang=True, accepted=True, times=3)
    names = ["a", "b", "c"]
    first.send(*map(named, names))
    eventually(lambda: not sandbox.pending())
    process.end(signal.SIGKILL)
    second, _ = spawn(shared)
    eventually(lambda: second.queued() == 0)
    assert Counter(sandbox.ids()) == Counter(names * 2)
    assert second.metric("neuralens_forwarded_ambiguous_total") == 3


def test_failures_are_retried_and_refused_events_are_kept(start, shared, sandbox):
    relay = start(shared)
    sandbox.fail(status=500, item="again", times=3)
    sandbox.fail(status=400, item="wrong")
    relay.send(named("again"), named("wrong"))
    eventually(lambda: relay.queued() == 0)
    assert sandbox.ids() == ["again"]
    assert relay.metric("neuralens_outbox_dead") == 1


def test_without_redis_batches_answer_503(start, environment, sandbox, tmp_path):
    port = unused_port()
    # An event whose lease was interrupted is recovered after a few timeouts.
    environment = environment | {
        "NEURALENS_OUTBOX": f"redis://127.0.0.1:{port}/0",
        "NEURALENS_TIMEOUT": "0.5",
    }
    sandbox.fail(status=503, times=100_000)
    with redis_server(tmp_path, port):
        relay = start(environment)
        relay.send(named("before"))
    event = named("after")
    response = relay.post(make_batch(event))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert not relay.health()["ready"]
    with redis_server(tmp_path, port):
        eventually(lambda: relay.post(make_batch(event)).status_code == 202)
        sandbox.clear_faults()
        eventually(lambda: set(sandbox.ids()) == {"before", "after"})
        eventually(lambda: relay.queued() == 0)
