"""Batches through networks and proxies, and from other releases of the tracker."""

import json
import socket
import time

import httpx
import pytest
from neuralens_relay import Settings, create_app
from neuralens_relay.addresses import find_client, read_address, read_networks
from neuralens_relay.batch import CLOCK_TOLERANCE, correct_skew
from neuralens_relay.settings import read_setting

from tests.event_loop import run
from tests.polling import eventually
from tests.relay.conftest import make_batch, make_event

HALF_MINUTE = 30
MONTH = 30 * 86400


def delivered(sandbox, count=1):
    eventually(lambda: len(sandbox.bodies()) >= count)
    return sandbox.bodies()


def test_unknown_fields_of_a_newer_tracker_are_dropped(spawn, environment, sandbox):
    relay, _ = spawn(environment)
    event = make_event(
        items=[{"id": "AV768", "price": {"amount": 3}}],
        geo={"lat": 1.5, "long": 2, "region": None, "altitude": 4},
        uid="u1",
        query="oak",
        page="PRODUCT_PAGE",
        index=3,
        seq=7,
        viewport=[1, 2],
        __proto__={"x": 1},
        unpaired="\ud800",
    )
    now = time.time()
    event["timestamp"] = int(now)
    batch = make_batch(event, journal="j1", losses={"overflow": 1}, unpaired="\ud800")
    batch["\udc00"] = 1
    response = relay.post(json.dumps(batch).encode())
    assert response.status_code == 202, response.text
    assert response.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert delivered(sandbox) == [
        {
            "event": "CLICK_PRODUCT",
            "items": [{"id": "AV768"}],
            "timestamp": int(now),
            "uid": "u1",
            "query": "oak",
            "page": "PRODUCT_PAGE",
            "index": 3,
            "geo": {"lat": 1.5, "long": 2},
        }
    ]


def test_another_wire_version_is_refused_with_the_reason(shared_relay):
    response = shared_relay.post(make_batch(make_event(), v=2, fresh=True))
    assert response.status_code == 400
    assert "v must be 1" in response.json()["error"]


def test_a_slow_upload_answers_503(shared_relay):
    url = httpx.URL(shared_relay.url)
    body = json.dumps(make_batch(make_event())).encode()
    head = (
        f"POST {url.path.rstrip('/')}/events HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port), timeout=HALF_MINUTE) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
        # The rest would arrive after the relay's timeout.
        response = b""
        while received := connection.recv(65536):
            response += received
    headers, _, content = response.partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: " in headers.lower()
    assert "too long" in json.loads(content)["error"]


@pytest.mark.parametrize("days", [30, -30, 3650])
def test_the_clock_of_a_device_is_corrected(start, environment, sandbox, days):
    relay = start(environment)
    now = time.time()
    off = days * 86400
    events = [make_event(timestamp=int(now + off - age)) for age in (0, 3600)]
    relay.post(make_batch(*events, sent=now + off)).raise_for_status()
    happened = sorted(body["timestamp"] for body in delivered(sandbox, 2))
    assert happened[0] == pytest.approx(now - 3600, abs=HALF_MINUTE)
    assert happened[1] == pytest.approx(now, abs=HALF_MINUTE)


def test_an_old_event_with_a_correct_clock_keeps_its_timestamp(start, environment, sandbox):
    relay = start(environment)
    old = int(time.time()) - MONTH
    relay.post(make_batch(make_event(timestamp=old), sent=time.time() - 60)).raise_for_status()
    assert delivered(sandbox)[0]["timestamp"] == old


NOW = 2_000_000_000.0


@pytest.mark.parametrize(
    ("timestamp", "sent", "corrected"),
    [
        (NOW - 9, NOW - CLOCK_TOLERANCE, NOW - 9),
        (NOW - 9, NOW - CLOCK_TOLERANCE - 1, NOW - 9 + CLOCK_TOLERANCE + 1),
        (NOW + 60, NOW + 60, NOW + 60),
        # The clock was set back between the event and the batch.
        (NOW + MONTH, NOW, NOW),
        (NOW + 2 * MONTH, NOW + MONTH, NOW),
        # The clock was reset to 1970, or to a year of the device's software.
        (0, NOW, NOW),
        (946_684_800, NOW, NOW),
        (60, 90, NOW - 30),
        # ``sent`` in milliseconds, or invalid.
        (NOW - 9, NOW * 1000, NOW - 9),
        (NOW - 9, float("nan"), NOW - 9),
        (NOW - 9, float("inf"), NOW - 9),
        (NOW - 9, 1e308, NOW - 9),
        (NOW - 9, -1e308, NOW - 9),
        (NOW - MONTH, NOW - 2 * MONTH, NOW - MONTH),
    ],
)
def test_correction_of_timestamps(timestamp, sent, corrected):
    assert correct_skew(timestamp, sent, NOW) == corrected


PROXIED = {
    "Host": "relay.internal",
    "Origin": "https://shop.example",
    "X_Forwarded_Host": "shop.example",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_For": "203.0.113.7",
}


def test_a_trusted_proxy_may_send_another_host(spawn, api_down):
    relay, _ = spawn(api_down | {"NEURALENS_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1"})
    response = relay.post(make_batch(make_event()), **PROXIED)
    assert response.status_code == 202, response.text
    assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Secure" in response.headers["Set-Cookie"]
    assert relay.post(make_batch(), **PROXIED | {"X_Forwarded_Host": "x.example"}).is_error


def test_forwarded_headers_of_untrusted_clients_are_ignored(spawn, api_down):
    relay, _ = spawn(api_down | {"NEURALENS_TRUSTED_PROXIES": "10.0.0.0/8"})
    assert relay.post(make_batch(make_event()), **PROXIED).status_code == 403
    response = relay.post(make_batch(make_event()), X_Forwarded_Proto="https")
    assert "Secure" not in response.headers["Set-Cookie"]


@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.1", 202), ("10.0.0.0/8", 403)])
@pytest.mark.parametrize("peer", [None, ("", 0)])
def test_a_proxy_at_a_unix_socket_is_one_on_this_machine(api_down, bundles, peer, trusted, status):
    settings = Settings.from_environment(api_down | {"NEURALENS_TRUSTED_PROXIES": trusted})
    app = create_app(settings, bundles)
    headers = {name.replace("_", "-"): value for name, value in PROXIED.items()}

    async def post():
        transport = httpx.ASGITransport(app, client=peer)
        async with httpx.AsyncClient(transport=transport, base_url="http://internal") as client:
            return await client.post("/events", json=make_batch(make_event()), headers=headers)

    try:
        assert run(post()).status_code == status
    finally:
        app.state.relay.close()


@pytest.mark.parametrize(
    ("named", "client"),
    [
        ([], "10.0.0.1"),
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["1.2.3.4", "203.0.113.7"], "203.0.113.7"),
        (["1.2.3.4", "203.0.113.7", "10.0.0.2", "::ffff:10.0.0.3"], "203.0.113.7"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        ([" fe80::1%eth0 "], "fe80::1"),
        (["10.0.0.3"], "10.0.0.3"),
        (["1.2.3.4", "unknown"], "10.0.0.1"),
        (["1.2.3.4", ""], "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_untrusted_address(named, client):
    assert find_client("10.0.0.1", named, read_networks("10.0.0.0/8 ::1")) == client


def test_a_network_may_be_written_as_mapped_to_ipv6():
    trusted = read_networks("::ffff:10.0.0.0/104 ::ffff:192.0.2.1 ::/0")
    assert [str(network) for network in trusted] == ["10.0.0.0/8", "192.0.2.1/32", "::/0"]


def test_a_request_passes_a_bounded_number_of_proxies():
    trusted = read_networks("10.0.0.0/8")
    for proxies, client in ((99, "203.0.113.7"), (100, "10.0.0.2")):
        named = ["203.0.113.7", *["10.0.0.2"] * proxies]
        assert find_client("10.0.0.1", named, trusted) == client


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "[", "[]:1", "1.2.3.4:5:6", '"', "%"])
def test_an_invalid_address_is_none(text):
    assert read_address(text) is None


def test_an_invalid_network_is_reported():
    with pytest.raises(ValueError, match=r"NEURALENS_TRUSTED_PROXIES has '10\.0\.0\.0/99'"):
        read_setting("trusted_proxies", {"NEURALENS_TRUSTED_PROXIES": "::1, 10.0.0.0/99"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "events", 405), ("PUT", "health", 405), ("GET", "x", 404)],
)
def test_every_refusal_has_its_reason_in_json(shared_relay, method, path, status):
    response = shared_relay.http.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]


def test_an_outbox_that_cannot_be_opened_is_reported_in_json(start_lazily, api_down, tmp_path):
    relay = start_lazily(api_down | {"NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/none/outbox.db"})
    response = relay.post(make_batch(make_event()))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["error"]
