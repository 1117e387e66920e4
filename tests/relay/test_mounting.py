"""The relay mounted in another application, standalone, and restarted in one process."""

import asyncio
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from neuralens_relay import Client as Server
from neuralens_relay import Settings, SettingsError, create_app
from neuralens_relay.relay import Relay
from neuralens_relay.store import Event, OutboxError
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.event_loop import run
from tests.polling import TIMEOUT, eventually
from tests.processes import APPLICATION, fork, join
from tests.relay.conftest import Client, make_batch, make_event, serving


def ask(app, method, path, body=None):
    """Send a request in a new event loop, without lifespan events."""

    async def send():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, json=body)

    return run(send())


def post(app):
    return ask(app, "POST", "/events", make_batch(make_event()))


def test_mounted_it_starts_on_the_first_request(start_lazily, environment, sandbox):
    relay = start_lazily(environment)
    relay.send(make_event())
    eventually(lambda: len(sandbox.bodies()) == 1)
    assert relay.health()["ready"]
    assert relay.http.get("neuralens.js").status_code == 200


def test_mounted_it_starts_on_a_health_check(start_lazily, environment):
    health = start_lazily(environment).health()
    assert health["ready"]
    assert health["forwarding"] == "running"
    assert health["reasons"] == []


def test_metrics_wait_only_once_for_an_outbox_that_hangs(environment, monkeypatch):
    monkeypatch.setattr("neuralens_relay.relay.READ_TIMEOUT", 0.2)
    asked = []
    monkeypatch.setattr(Relay, "balances", lambda relay, days: asked.append(days))
    hanging, left = threading.Event(), threading.Event()

    def hang(store):
        hanging.set()
        left.wait(TIMEOUT)

    app = create_app(Settings.from_environment(environment))
    app.state.relay.ensure_started().submit(hang)
    assert hanging.wait(TIMEOUT)
    metrics = ask(app, "GET", "/metrics").text
    left.set()
    app.state.relay.close()
    assert "neuralens_ready 0.0" in metrics
    assert "neuralens_outbox_waiting" not in metrics
    assert asked == []


def test_mounted_with_the_lifespan_it_starts_and_closes_with_it(environment, bundles, sandbox):
    app = create_app(Settings.from_environment(environment), bundles)
    relay = app.state.relay
    site = Starlette(routes=[Mount("/shop/nl", app)], lifespan=relay.lifespan)
    with serving(site) as url, Client(f"{url}/shop/nl") as client:
        here = httpx.get(f"{url}/shop/nl", follow_redirects=True, timeout=TIMEOUT).json()
        assert here == {"service": "neuralens-relay", "health": "/shop/nl/health"}
        client.send(make_event())
        eventually(lambda: len(sandbox.bodies()) == 1)
    # A late request does not restart it.
    assert post(app).status_code == 503
    health = ask(app, "GET", "/health")
    assert health.status_code == 503
    assert "the relay is closed" in health.json()["reasons"]


def test_surplus_slashes_in_a_path_are_ignored(environment, bundles):
    # Litestar appends one; nginx inserts one with ``location /nl`` and ``proxy_pass http://r/nl/``.
    app = create_app(Settings.from_environment(environment), bundles)
    site = Starlette(routes=[Mount("/nl", app)])
    for path, mounted in (("", app), ("/nl", site)):
        # Otherwise a path that begins with two slashes would be a host.
        prefix = f"http://localhost{path}"
        assert ask(mounted, "POST", f"{prefix}/events/", make_batch(make_event())).is_success
        assert ask(mounted, "GET", f"{prefix}/neuralens.js/").status_code == 200
        assert ask(mounted, "POST", f"{prefix}//events", make_batch(make_event())).is_success
        assert ask(mounted, "GET", f"{prefix}//neuralens.js").status_code == 200
        for slashes in ("/", "//"):
            index = ask(mounted, "GET", f"{prefix}{slashes}").json()
            assert index == {"service": "neuralens-relay", "health": f"{path}/health"}
    app.state.relay.close()


def test_requests_from_different_event_loops(environment, bundles, sandbox):
    app = create_app(Settings.from_environment(environment), bundles)
    for _ in range(3):
        assert post(app).status_code == 202
    eventually(lambda: len(sandbox.bodies()) == 3)
    app.state.relay.close()


def test_children_of_its_process_store_events(environment, bundles, sandbox):
    app = create_app(Settings.from_environment(environment), bundles)
    relay = app.state.relay
    relay.start()
    stopping = threading.Event()

    async def keep_adding():
        number = 0
        while not stopping.is_set():
            number += 1
            await relay.add([Event(str(number), b"{}")])

    def store():
        with Server(outbox=environment["NEURALENS_OUTBOX"], application_id=APPLICATION) as server:
            assert server.track("SHARE", id="A")["accepted"] == 1
        # Also by a relay of its own.
        assert post(app).status_code == 202

    with ThreadPoolExecutor(1) as thread:
        adding = thread.submit(run, keep_adding())
        children = [fork(store) for _ in range(10)]
        stopping.set()
        adding.result()
    assert {join(child) for child in children} == {0}
    assert post(app).status_code == 202
    relay.close()


def test_a_child_that_outlives_its_process_stores_and_forwards(environment, bundles, sandbox):
    app = create_app(Settings.from_environment(environment), bundles)
    relay = app.state.relay
    relay.start()
    stored, closed = multiprocessing.Event(), multiprocessing.Event()

    def outlive():
        assert post(app).status_code == 202
        stored.set()
        assert closed.wait(TIMEOUT)
        assert post(app).status_code == 202
        eventually(lambda: ask(app, "GET", "/health").json()["forwarding"] == "running")
        eventually(lambda: len(sandbox.bodies()) == 3)
        relay.close()

    child = fork(outlive)
    assert stored.wait(TIMEOUT)
    relay.close()
    # Whoever is the last to close the file, to its knowledge, deletes the log.
    with Server(outbox=environment["NEURALENS_OUTBOX"], application_id=APPLICATION) as server:
        server.track("SHARE", id="A")
    closed.set()
    assert join(child) == 0


def test_greenlets_in_place_of_threads_are_refused(environment, bundles, monkeypatch):
    app = create_app(Settings.from_environment(environment), bundles)
    # As gevent does.
    monkeypatch.setattr(threading, "get_ident", lambda: 1)
    with pytest.raises(OutboxError, match="gunicorn: -k gthread"):
        app.state.relay.start()


def test_it_can_be_restarted(environment, bundles, sandbox):
    app = create_app(Settings.from_environment(environment), bundles)
    for _ in range(2):
        with serving(app) as url, Client(url) as client:
            client.send(make_event())
            assert client.health()["ready"]
    eventually(lambda: len(sandbox.bodies()) == 2)


def test_closing_without_starting_does_nothing(environment, bundles, tmp_path):
    app = create_app(Settings.from_environment(environment), bundles)
    app.state.relay.close()
    assert not (tmp_path / "outbox.db").exists()


def test_two_relays_in_one_process_have_separate_metrics(environment, bundles, tmp_path):
    first = create_app(Settings.from_environment(environment), bundles)
    elsewhere = environment | {"NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/second.db"}
    second = create_app(Settings.from_environment(elsewhere), bundles)
    assert post(first).status_code == 202
    assert "neuralens_events_received_total 1.0" in ask(first, "GET", "/metrics").text
    assert "neuralens_events_received_total 0.0" in ask(second, "GET", "/metrics").text
    first.state.relay.close()
    second.state.relay.close()


def test_settings_come_from_the_environment(monkeypatch, environment, bundles):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = create_app(folder=bundles)
    assert app.state.relay.settings == Settings.from_environment(environment)
    monkeypatch.delenv("NEURALENS_API_KEY")
    with pytest.raises(SettingsError, match="NEURALENS_API_KEY"):
        create_app(folder=bundles)


def test_without_bundles_events_are_accepted(environment, tmp_path, caplog):
    app = create_app(Settings.from_environment(environment), tmp_path / "nothing")
    assert post(app).status_code == 202
    assert ask(app, "GET", "/neuralens.js").status_code == 404
    app.state.relay.close()
    assert "no scripts are served" in caplog.text


def test_an_internal_error_answers_503(environment, bundles, monkeypatch):
    app = create_app(Settings.from_environment(environment), bundles)

    async def fail(events):
        await asyncio.sleep(0)
        raise ZeroDivisionError

    monkeypatch.setattr(app.state.relay, "add", fail)
    response = post(app)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
