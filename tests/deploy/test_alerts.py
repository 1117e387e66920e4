"""Each alert fires, alone, for a fault of a real relay, and none for a healthy relay."""

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
def healthy(spawn, environment, sandbox):
    """A healthy relay that has forwarded events, and its metrics."""
    client, process = spawn(environment)
    client.send(*[make_event() for _ in range(20)])
    eventually(lambda: len(sandbox.ids()) == 20 and client.queued() == 0)
    return client, process, scrape(client)


def test_there_are_eight() -> None:
    assert len(NAMES) == len(set(NAMES)) == 8


def test_none_for_a_healthy_relay(healthy, tmp_path):
    client, _, before = healthy
    client.send(make_event())
    eventually(lambda: client.queued() == 0)
    assert firing(before, scrape(client), tmp_path, []) == ""


def test_a_killed_relay(healthy, tmp_path):
    _, process, before = healthy
    process.end(9)
    assert firing(before, unreachable(), tmp_path, ["NeuralensRelayDown"]) == ""


def test_a_full_outbox(spawn, api_down, tmp_path):
    client, _ = spawn(api_down | {"NEURALENS_OUTBOX_LIMIT": "3"})
    before = scrape(client)
    client.send(*[make_event() for _ in range(3)])
    assert client.post(make_batch(make_event())).status_code == 503
    assert firing(before, scrape(client), tmp_path, ["NeuralensNotTakingEvents"]) == ""


def test_a_refused_key(spawn, environment, sandbox, tmp_path):
    client, _ = spawn(environment | {"NEURALENS_API_KEY": "wrong"})
    before = scrape(client)
    client.send(make_event())
    eventually(lambda: client.health()["forwarding"] == "paused")
    assert firing(before, scrape(client), tmp_path, ["NeuralensForwardingPaused"]) == ""


def test_an_unreachable_api(spawn, api_down, tmp_path):
    client, _ = spawn(api_down)
    before = scrape(client)
    client.send(make_event())
    eventually(lambda: client.metric("neuralens_outbox_oldest_seconds") > 0)
    after = scrape(client)
    # Ten minutes may be a short outage; after five more, the alert fires.
    assert firing(before, after, tmp_path, [], minutes=12, growing=60) == ""
    assert firing(before, after, tmp_path, ["NeuralensBacklog"], minutes=17, growing=60) == ""


def test_a_refused_event(healthy, sandbox, tmp_path):
    client, _, before = healthy
    sandbox.fail(status=400, times=1)
    client.send(make_event())
    eventually(lambda: client.metric("neuralens_outbox_dead") == 1)
    found = firing(before, scrape(client), tmp_path, ["NeuralensDeadLetters"], minutes=5)
    assert found == ""


def test_a_damaged_outbox(spawn, api_down, environment, sandbox, tmp_path):
    client, process = spawn(api_down)
    for _ in range(4):
        client.send(*[make_event() for _ in range(100)])
    before = scrape(client)
    process.end()
    pages = pages_of(tmp_path / "outbox.db", "events")
    damage(tmp_path / "outbox.db", pages[len(pages) // 2])
    client, _ = spawn(environment)
    eventually(lambda: client.metric("neuralens_outbox_unreadable") >= 1)
    eventually(lambda: client.queued() == 0)
    # It accepts no more events, either.
    both = ["NeuralensNotTakingEvents", "NeuralensOutboxDamaged"]
    assert firing(before, scrape(client), tmp_path, both) == ""


def test_a_page_with_a_wrong_application_id(healthy, tmp_path):
    client, _, before = healthy
    for _ in range(5):
        assert client.post(make_batch(make_event(), app="other-app")).status_code == 400
    found = firing(before, scrape(client), tmp_path, ["NeuralensBatchesRefused"], minutes=8)
    assert found == ""


def test_pages_that_have_lost_the_script_tag(spawn, environment, sandbox, tmp_path):
    client, _ = spawn(environment)
    before = scrape(client)
    client.send(*[make_event() for _ in range(20)])
    eventually(lambda: client.queued() == 0)
    after = scrape(client)
    # Events in the second hour, and none a day later.
    day = 24 * 60
    assert firing(before, after, tmp_path, [], minutes=day - 60, interval=5) == ""
    found = firing(before, after, tmp_path, ["NeuralensSilence"], minutes=day + 30, interval=5)
    assert found == ""
