"""Each alert fires under a fault of a real relay, alone, and none on a relay that is well."""

import re

import pytest

from tests.deploy.promtool import ALERTS, firing, read_metrics, unreachable
from tests.polling import eventually
from tests.relay.conftest import Client, make_batch, make_event
from tests.relay.test_faulty_outbox import damage, pages_of

NAMES = re.findall(r"- alert: (\w+)", ALERTS.read_text())


def scrape(client: Client):
    return read_metrics(client.http.get("metrics").text)


@pytest.fixture
def well(spawn, environment, sandbox):
    """A relay that has forwarded some events, and what it said then."""
    client, process = spawn(environment)
    client.take(*[make_event() for _ in range(20)])
    eventually(lambda: len(sandbox.ids()) == 20 and client.waiting() == 0)
    return client, process, scrape(client)


def test_there_are_eight() -> None:
    assert len(NAMES) == len(set(NAMES)) == 8


def test_none_on_a_relay_that_is_well(well, tmp_path):
    client, _, before = well
    client.take(make_event())
    eventually(lambda: client.waiting() == 0)
    assert firing(before, scrape(client), tmp_path, []) == ""


def test_a_relay_that_was_killed(well, tmp_path):
    _, process, before = well
    process.end(9)
    assert firing(before, unreachable(), tmp_path, ["NeuralensRelayDown"]) == ""


def test_an_outbox_that_is_full(spawn, offline, tmp_path):
    client, _ = spawn(offline | {"NEURALENS_OUTBOX_LIMIT": "3"})
    before = scrape(client)
    client.take(*[make_event() for _ in range(3)])
    assert client.post(make_batch(make_event())).status_code == 503
    assert firing(before, scrape(client), tmp_path, ["NeuralensNotTakingEvents"]) == ""


def test_a_key_that_the_api_refuses(spawn, environment, sandbox, tmp_path):
    client, _ = spawn(environment | {"NEURALENS_API_KEY": "wrong"})
    before = scrape(client)
    client.take(make_event())
    eventually(lambda: client.health()["forwarding"] == "paused")
    assert firing(before, scrape(client), tmp_path, ["NeuralensForwardingPaused"]) == ""


def test_an_api_that_cannot_be_reached(spawn, offline, tmp_path):
    client, _ = spawn(offline)
    before = scrape(client)
    client.take(make_event())
    eventually(lambda: client.metric("neuralens_outbox_oldest_seconds") > 0)
    after = scrape(client)
    # What has waited for ten minutes may be a short fault; five more, and somebody should look.
    assert firing(before, after, tmp_path, [], minutes=12, growing=60) == ""
    assert firing(before, after, tmp_path, ["NeuralensBacklog"], minutes=17, growing=60) == ""


def test_an_event_that_the_api_refuses(well, sandbox, tmp_path):
    client, _, before = well
    sandbox.fail(status=400, times=1)
    client.take(make_event())
    eventually(lambda: client.metric("neuralens_outbox_dead") == 1)
    found = firing(before, scrape(client), tmp_path, ["NeuralensDeadLetters"], minutes=5)
    assert found == ""


def test_an_outbox_that_is_damaged(spawn, offline, environment, sandbox, tmp_path):
    client, process = spawn(offline)
    for _ in range(4):
        client.take(*[make_event() for _ in range(100)])
    before = scrape(client)
    process.end()
    pages = pages_of(tmp_path / "outbox.db", "events")
    damage(tmp_path / "outbox.db", pages[len(pages) // 2])
    client, _ = spawn(environment)
    eventually(lambda: client.metric("neuralens_outbox_unreadable") >= 1)
    eventually(lambda: client.waiting() == 0)
    # It takes no more events, either.
    both = ["NeuralensNotTakingEvents", "NeuralensOutboxDamaged"]
    assert firing(before, scrape(client), tmp_path, both) == ""


def test_a_page_with_a_wrong_application_id(well, tmp_path):
    client, _, before = well
    for _ in range(5):
        assert client.post(make_batch(make_event(), app="other-app")).status_code == 400
    found = firing(before, scrape(client), tmp_path, ["NeuralensBatchesRefused"], minutes=8)
    assert found == ""


def test_pages_that_have_lost_the_script_tag(spawn, environment, sandbox, tmp_path):
    client, _ = spawn(environment)
    before = scrape(client)
    client.take(*[make_event() for _ in range(20)])
    eventually(lambda: client.waiting() == 0)
    after = scrape(client)
    # Events in the second hour, and none a day later.
    day = 24 * 60
    assert firing(before, after, tmp_path, [], minutes=day - 60, interval=5) == ""
    found = firing(before, after, tmp_path, ["NeuralensSilence"], minutes=day + 30, interval=5)
    assert found == ""
