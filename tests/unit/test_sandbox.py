"""The sandbox: every rule of the API's documentation."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from time import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuralens_demo.contract import ContractError, check_body, parse
from neuralens_demo.ledger import Ledger
from neuralens_tracker.vocabulary import EVENTS, PAGES, PURCHASE

from tests.clients import connect
from tests.event_loop import run
from tests.polling import TIMEOUT

KEY, APPLICATION = "secret", "shop"
HEADERS = {"X-Neuralens-API-Key": f"Bearer {KEY}", "X-Neuralens-Application-ID": APPLICATION}
EVENT = {
    "uid": "3845",
    "items": [{"id": "AV768"}],
    "query": "solid wood chair",
    "page": "SEARCH_RESULT_PAGE",
    "event": "CLICK_PRODUCT",
    "index": 3,
    "geo": {"lat": 31.34956697190882, "long": 78.44615274878441, "region": "MG Road"},
    "timestamp": 1715644800,
}
SUCCESS = {"status": "success", "message": ""}


def without(*fields):
    return {name: value for name, value in EVENT.items() if name not in fields}


@contextmanager
def running_sandbox(*options):
    command = [sys.executable, "-c", "from neuralens_demo.cli import sandbox; sandbox()", *options]
    process = subprocess.Popen(
        [*command, "--key", KEY, "--app-id", APPLICATION],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        line = process.stdout.readline()
        [url] = re.findall(r"http://[\w.:]+$|http://[\w.:]+(?= )", line)
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def sandbox():
    with (
        running_sandbox("--port", "0") as (_, url),
        connect(url) as http,
    ):
        yield http


@pytest.fixture
def client(sandbox):
    sandbox.delete("/ledger")
    sandbox.delete("/faults")
    return sandbox


def post(client, event, headers=HEADERS):
    return client.post("/analytics/event", headers=headers, json=event)


def test_accepts_the_documented_example(client):
    before = time()
    response = post(client, EVENT)
    assert (response.status_code, response.json()) == (200, SUCCESS)
    [entry] = client.get("/ledger").json()
    assert entry["body"] == EVENT
    assert before <= entry["received"] <= time()
    assert set(entry["headers"]) >= {name.lower() for name in HEADERS}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
        {"Host": ""},
    ],
)
def test_other_origins_and_hosts_are_refused(client, headers):
    for method, path in [("POST", "/faults"), ("GET", "/ledger"), ("DELETE", "/ledger")]:
        response = client.request(method, path, headers=headers, json={"status": 500})
        assert response.status_code == 403
        assert response.json()["error"]
    assert client.get("/faults").json() == []


@pytest.mark.parametrize("host", ["localhost:8788", "127.0.0.1", "[::1]:1", "sandbox:8788"])
def test_local_host_names_are_allowed(client, host):
    assert client.get("/ledger", headers={"Host": host}).status_code == 200
    own = {"Host": host, "Origin": f"http://{host}"}
    assert client.delete("/ledger", headers=own).is_success


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("page", PAGES)
def test_accepts_every_event_on_every_page(client, event, page):
    assert post(client, EVENT | {"event": event, "page": page}).json() == SUCCESS


@pytest.mark.parametrize(
    "event",
    [
        EVENT | {"uid": None},
        EVENT | {"index": 0},
        EVENT | {"query": ""},
        without("query", "page", "index", "geo"),
        EVENT | {"geo": {"region": "MG Road"}},
        EVENT | {"geo": {"lat": -90, "long": 180}},
        EVENT | {"event": PURCHASE, "items": [{"id": "A"}, {"id": "B"}, {"id": "A"}]},
    ],
)
def test_accepts(client, event):
    assert post(client, event).json() == SUCCESS
    assert client.get("/ledger").json()[0]["body"] == event


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (without("uid"), "uid"),
        (without("items"), "items"),
        (without("event"), "event"),
        (without("timestamp"), "timestamp"),
        (EVENT | {"eid": "e"}, "eid"),
        (EVENT | {"uid": 3845}, "uid"),
        (EVENT | {"uid": ""}, "uid"),
        (EVENT | {"items": []}, "items"),
        (EVENT | {"items": {}}, "items"),
        (EVENT | {"items": ["AV768"]}, "items"),
        (EVENT | {"items": [{"id": 7}]}, "items"),
        (EVENT | {"items": [{"id": ""}]}, "items"),
        (EVENT | {"items": [{"id": "A", "price": 1}]}, "items"),
        (EVENT | {"items": [{"id": "A"}, {"id": "B"}]}, "items"),
        (EVENT | {"event": PURCHASE, "items": []}, "items"),
        (EVENT | {"query": None}, "query"),
        (EVENT | {"query": 1}, "query"),
        (EVENT | {"page": None}, "page"),
        (EVENT | {"page": "HOME"}, "page"),
        (EVENT | {"page": ["AUTOCOMPLETE"]}, "page"),
        (EVENT | {"event": "click_product"}, "event"),
        (EVENT | {"event": {}}, "event"),
        (EVENT | {"index": -1}, "index"),
        (EVENT | {"index": "3"}, "index"),
        (EVENT | {"index": 3.0}, "index"),
        (EVENT | {"index": True}, "index"),
        (EVENT | {"index": None}, "index"),
        (EVENT | {"geo": None}, "geo"),
        (EVENT | {"geo": {}}, "geo"),
        (EVENT | {"geo": {"lat": 1}}, "geo"),
        (EVENT | {"geo": {"lat": 91, "long": 0}}, "geo"),
        (EVENT | {"geo": {"lat": "1", "long": 0}}, "geo"),
        (EVENT | {"geo": {"lat": 1, "long": 0, "region": ""}}, "geo"),
        (EVENT | {"geo": {"lat": 1, "long": 0, "city": "x"}}, "geo"),
        (EVENT | {"timestamp": "1715644800"}, "timestamp"),
        (EVENT | {"timestamp": 1715644800.5}, "timestamp"),
        (EVENT | {"timestamp": 1715644800000}, "timestamp"),
        (EVENT | {"timestamp": -1}, "timestamp"),
    ],
)
def test_refuses_an_invalid_field(client, event, named):
    response = post(client, event)
    assert response.status_code == 422
    assert response.json()["status"] == "failure"
    assert named in response.json()["message"]
    assert client.get("/ledger").json() == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"uid": "\\ud800"}', b"[" * 100_000, b"NaN"],
)
def test_refuses_a_body_that_is_not_a_json_object(client, raw):
    response = client.post("/analytics/event", headers=HEADERS, content=raw)
    assert response.status_code == 400
    assert response.json()["status"] == "failure"
    assert response.json()["message"]


def test_refuses_a_body_that_is_too_large(client):
    response = client.post("/analytics/event", headers=HEADERS, content=b" " * ((1 << 20) + 1))
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (HEADERS | {"X-Neuralens-API-Key": KEY}, 401),
        (HEADERS | {"X-Neuralens-API-Key": f"bearer {KEY}"}, 401),
        (HEADERS | {"X-Neuralens-API-Key": f"Bearer  {KEY}"}, 403),
        (HEADERS | {"X-Neuralens-API-Key": "Bearer other"}, 403),
        ({"X-Neuralens-API-Key": f"Bearer {KEY}"}, 401),
        (HEADERS | {"X-Neuralens-Application-ID": "other"}, 403),
        ({"Authorization": f"Bearer {KEY}", "X-Neuralens-Application-ID": APPLICATION}, 401),
    ],
)
def test_requires_both_headers(client, headers, status):
    response = post(client, EVENT, headers)
    assert response.status_code == status
    assert response.json()["status"] == "failure"
    assert KEY not in response.text
    assert client.get("/ledger").json() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_accepts_only_post(client, method):
    response = client.request(method, "/analytics/event", headers=HEADERS)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/analytics", "/analytics/event/", "/analytics/events"])
def test_serves_only_one_path(client, path):
    response = client.post(path, headers=HEADERS, json=EVENT)
    assert response.status_code == 404
    assert response.json()["status"] == "failure"


def test_ledger_is_ordered_and_can_be_cleared(client):
    for number in range(5):
        post(client, EVENT | {"index": number})
    assert [entry["body"]["index"] for entry in client.get("/ledger").json()] == [0, 1, 2, 3, 4]
    assert client.delete("/ledger").status_code == 204
    assert client.get("/ledger").json() == []


def test_ledger_is_bounded():
    ledger = Ledger(capacity=3)
    for number in range(5):
        ledger.add({"index": number}, 0.0, [])
    assert [entry.sequence for entry in ledger.entries()] == [3, 4, 5]


def test_following_a_ledger():
    async def follow():
        ledger = Ledger()
        ledger.add({"index": 0}, 0.0, [])
        seen = []

        async def read():
            async for entries in ledger.follow():
                seen.append(None if entries is None else [entry.sequence for entry in entries])

        reader = asyncio.create_task(read())
        await asyncio.sleep(0)
        ledger.add({"index": 1}, 0.0, [])
        ledger.add({"index": 2}, 0.0, [])
        await asyncio.sleep(0)
        ledger.clear()
        await asyncio.sleep(0)
        ledger.add({"index": 3}, 0.0, [])
        await asyncio.sleep(0)
        ledger.close()
        await asyncio.wait_for(reader, 5)
        return seen

    assert run(follow()) == [[1], [2, 3], None, [4]]


def test_faults_occur_in_order_and_as_often_as_requested(client):
    faults = [{"status": 503, "retry_after": 1, "times": 2}, {"failure": "not today"}]
    assert client.post("/faults", json=faults).json() == faults
    first = post(client, EVENT)
    assert (first.status_code, first.headers["retry-after"]) == (503, "1")
    assert first.json()["status"] == "failure"
    assert client.get("/faults").json() == [{"status": 503, "retry_after": 1}, faults[1]]
    assert post(client, EVENT).status_code == 503
    failed = post(client, EVENT)
    assert (failed.status_code, failed.json()) == (
        200,
        {"status": "failure", "message": "not today"},
    )
    assert client.get("/faults").json() == []
    assert client.get("/ledger").json() == []
    assert post(client, EVENT).json() == SUCCESS


@pytest.mark.parametrize("name", ["accepted", "taken"])
def test_fault_that_loses_only_the_response(client, name):
    client.post("/faults", json={"status": 500, name: True})
    assert post(client, EVENT).status_code == 500
    assert [entry["body"] for entry in client.get("/ledger").json()] == [EVENT]


def test_fault_for_one_item(client):
    client.post("/faults", json=[{"status": 400, "item": "BAD"}])
    assert post(client, EVENT).json() == SUCCESS
    assert post(client, EVENT | {"items": [{"id": "BAD"}]}).status_code == 400
    assert post(client, EVENT | {"items": [{"id": "BAD"}]}).json() == SUCCESS


def test_fault_that_only_delays(client):
    client.post("/faults", json=[{"delay": 0.05}])
    assert post(client, EVENT).json() == SUCCESS
    assert client.get("/faults").json() == []


def test_faults_can_be_removed(client):
    client.post("/faults", json=[{"status": 500, "times": 9}])
    assert client.delete("/faults").status_code == 204
    assert post(client, EVENT).json() == SUCCESS


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"status": 200},
        {"status": 500, "hang": True},
        {"delay": -1},
        {"status": 500, "times": 0},
        {"what": 1},
        7,
        [7],
        {"status": 500, "retry_after": "1\r\nx: y"},
    ],
)
def test_refuses_an_invalid_fault(client, fault):
    response = client.post("/faults", json=fault)
    assert response.status_code == 400
    assert response.json()["message"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def reason(check, argument):
    """Return the status of the error that ``check`` raises, which must have a reason, or None."""
    try:
        check(argument)
    except ContractError as error:
        return error.status if error.reason else 0
    return None


# Hypothesis builds a table of Unicode for the first text, which takes long on a busy machine.


@given(st.dictionaries(st.sampled_from([*EVENT, "eid", "__proto__"]), json_values))
def test_any_object_is_accepted_or_refused_with_a_reason(changes):
    assert reason(check_body, EVENT | changes) in (None, 422)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_parsed_or_refused_with_a_reason(raw):
    assert reason(parse, raw) in (None, 400)


def test_command_shuts_down_with_open_requests():
    with running_sandbox("--port", "0") as (process, url), connect() as http:
        http.post(f"{url}/faults", json=[{"drop": True}, {"hang": True}])
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(f"{url}/analytics/event", headers=HEADERS, json=EVENT)
        with pytest.raises(httpx.ReadTimeout):
            http.post(f"{url}/analytics/event", headers=HEADERS, json=EVENT, timeout=0.3)
        assert http.post(f"{url}/analytics/event", headers=HEADERS, json=EVENT).json() == SUCCESS
        with http.stream("GET", f"{url}/ledger/stream") as stream:
            lines = stream.iter_lines()
            while not (line := next(lines)).startswith("data:"):
                pass
            assert json.loads(line.removeprefix("data:"))["body"] == EVENT
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_command_reports_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from neuralens_demo.cli import sandbox; sandbox()",
                "--port",
                str(port),
            ],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1
