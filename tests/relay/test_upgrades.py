"""The relay of 0.1.0, killed and replaced by this version with the same outbox."""

from signal import SIGKILL

import pytest

from tests.polling import eventually
from tests.relay.conftest import make_event


def named(name):
    return make_event(eid=name, items=[{"id": name}])


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_an_outbox_of_0_1_0_is_migrated(store, spawn, environment, sandbox, release_0_1_0, request):
    if store == "redis":
        # Leases of a dead relay are recovered after a few timeouts.
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
        environment["NEURALENS_TIMEOUT"] = "0.5"
    old, process = spawn(environment | {"PYTHONPATH": str(release_0_1_0)})
    sandbox.fail(status=400, item="dead")
    old.send(named("delivered"), named("dead"))
    eventually(lambda: old.queued() == 0)
    sandbox.fail(status=503, times=1_000_000)
    old.send(named("a"), named("b"), named("c"))
    process.end(SIGKILL)
    sandbox.clear_faults()

    new, _ = spawn(environment)
    eventually(lambda: new.queued() == 0)
    assert sorted(sandbox.ids()) == ["a", "b", "c", "delivered"]
    assert new.metric("neuralens_outbox_dead") == 1
    assert new.send(named("delivered"), named("a"))["duplicates"] == 2
