"""Each alert fires, alone, for a fault of a real relay, and none for a healthy relay."""

import re

import pytest

from tests.deploy.promtool import ALERTS, History, check_alerts, read_metrics, unreachable
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
    check_alerts(History(before, scrape(client)), [], tmp_path)


def test_a_killed_relay(healthy, tmp_path):
    _, process, before = healthy
    process.end(9)
    check_alerts(History(before, unreachable()), ["NeuralensRelayDown"], tmp_path)


def test_a_full_outbox(spawn, api_down, tmp_path):
    client, _ = spawn(api_down | {"NEURALENS_OUTBOX_LIMIT": "3"})
    before = scrape(client)
    client.send(*[make_event() for _ in range(3)])
    assert client.post(make_batch(make_event())).status_code == 503
    check_alerts(History(before, scrape(client)), ["NeuralensNotTakingEvents"], tmp_path)


def test_a_refused_key(spawn, environment, sandbox, tmp_path):
    client, _ = spawn(environment | {"NEURALENS_API_KEY": "wrong"})
    before = scrape(client)
    client.send(make_event())
    eventually(lambda: client.health()["forwarding"] == "paused")
    check_alerts(History(before, scrape(client)), ["NeuralensForwardingPaused"], tmp_path)


def test_an_unreachable_api(spawn, api_down, tmp_path):
    client, _ = spawn(api_down)
    before = scrape(client)
    client.send(make_event())
    eventually(lambda: client.metric("neuralens_outbox_oldest_seconds") > 0)
    after = scrape(client)
    # Ten minutes may be a short outage; after five more, the alert fires.
    check_alerts(History(before, after, minutes=12, growing=60), [], tmp_path)
    check_alerts(History(before, after, minutes=17, growing=60), ["NeuralensBacklog"], tmp_path)


def test_a_refused_event(healthy, sandbox, tmp_path):
    client, _, before = healthy
    sandbox.fail(status=400, times=1)
    client.send(make_event())
    eventually(lambda: client.metric("neuralens_outbox_dead") == 1)
    check_alerts(History(before, scrape(client), minutes=5), ["NeuralensDeadLetters"], tmp_path)


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
    check_alerts(History(before, scrape(client)), both, tmp_path)


def test_a_page_with_a_wrong_application_id(healthy, tmp_path):
    client, _, before = healthy
    for _ in range(5):
        assert client.post(make_batch(make_event(), app="other-app")).status_code == 400
    check_alerts(History(before, scrape(client), minutes=8), ["NeuralensBatchesRefused"], tmp_path)


def test_pages_that_have_lost_the_script_tag(spawn, environment, sandbox, tmp_path):
    client, _ = spawn(environment)
    before = scrape(client)
    client.send(*[make_event() for _ in range(20)])
    eventually(lambda: client.queued() == 0)
    after = scrape(client)
    # Events in the second hour, and none a day later.
    day = 24 * 60
    check_alerts(History(before, after, minutes=day - 60, interval=5), [], tmp_path)
    check_alerts(
        History(before, after, minutes=day + 30, interval=5), ["NeuralensSilence"], tmp_path
    )
