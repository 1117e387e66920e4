"""The relay of 0.1.0 replaced by this version, over the outbox that it leaves when it is killed."""

from signal import SIGKILL

import pytest

from tests.relay.conftest import eventually, make_event


def named(name):
    return make_event(eid=name, items=[{"id": name}])


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_an_outbox_of_0_1_0_is_taken_over(
    store, spawn, environment, sandbox, release_0_1_0, request
):
    if store == "redis":
        # What a relay that is gone had been sending is taken over after a few timeouts.
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
        environment["NEURALENS_TIMEOUT"] = "0.5"
    old, process = spawn(environment | {"PYTHONPATH": str(release_0_1_0)})
    sandbox.fail(status=400, item="dead")
    old.take(named("delivered"), named("dead"))
    eventually(lambda: old.waiting() == 0)
    sandbox.fail(status=503, times=1_000_000)
    old.take(named("a"), named("b"), named("c"))
    process.end(SIGKILL)
    sandbox.heal()

    new, _ = spawn(environment)
    eventually(lambda: new.waiting() == 0)
    assert sorted(sandbox.ids()) == ["a", "b", "c", "delivered"]
    assert new.metric("neuralens_outbox_dead") == 1
    assert new.take(named("delivered"), named("a"))["duplicates"] == 2
