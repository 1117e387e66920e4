"""The relay behind nginx and Caddy, with the files of deploy/."""

import http.client
import json
import re
import socket
import subprocess
from urllib.parse import urlsplit

import httpx
import pytest

from tests.deploy.conftest import DEPLOY, program
from tests.deploy.proxies import PROXIES, configure_nginx
from tests.polling import TIMEOUT, eventually
from tests.relay.conftest import make_batch, make_event

TOKEN = "token-of-the-one-who-watches"


@pytest.fixture(params=PROXIES)
def proxy(request):
    return PROXIES[request.param]


@pytest.fixture
def proxied(proxy, spawn, environment, tmp_path):
    """The address of a proxy in front of a relay, and a client of the relay."""
    limits = {"NEURALENS_STATUS_TOKEN": TOKEN, "NEURALENS_RATE_LIMIT": "1"}
    relay, _ = spawn(environment | limits)
    with proxy(urlsplit(relay.url).netloc, tmp_path) as address:
        yield address, relay


def post(address, body, source="127.0.0.1", **headers):
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport) as client:
        headers = {"Content-Type": "text/plain;charset=UTF-8", **headers}
        return client.post(f"{address}/nl/events?b=1", content=json.dumps(body), headers=headers)


def test_events_of_the_shops_own_pages_arrive(proxied, sandbox):
    address, _ = proxied
    response = post(address, make_batch(make_event()), Origin=address)
    assert (response.status_code, response.json()["accepted"]) == (202, 1)
    eventually(lambda: sandbox.ids() == ["AV768"])


def test_another_origin_is_refused(proxied):
    address, _ = proxied
    response = post(address, make_batch(make_event()), Origin="https://elsewhere.example")
    assert response.status_code == 403


def test_the_rate_limit_per_shopper_cannot_be_bypassed_by_headers(proxied):
    address, _ = proxied
    batch = make_batch(*[make_event() for _ in range(50)])
    for _ in range(3):
        response = post(address, batch, "127.0.0.2")
    assert response.status_code == 429
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    assert post(address, batch, "127.0.0.2", **forged).status_code == 429
    assert post(address, batch, "127.0.0.3").status_code == 202


@pytest.mark.parametrize("page", ["metrics", "health"])
def test_metrics_and_health_are_not_public(proxied, page):
    address, relay = proxied
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert relay.http.get(page, headers=bearer).status_code == 200, "the token itself is right"
    parts = urlsplit(address)
    for path in (
        f"/nl/{page}",
        f"/nl/{page}/",
        f"/nl/{page}?live",
        f"/nl//{page}",
        f"//nl/{page}",
        f"/nl/./{page}",
        f"/nl/x/../{page}",
        f"/nl/%{ord(page[0]):x}{page[1:]}",
        f"/nl/{page.upper()}",
    ):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        connection.request("GET", path, headers=bearer)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status in (301, 302, 307, 308, 400, 404, 502), path
        assert b"neuralens_" not in body, path
        assert b"forwarding" not in body, path


def test_the_script_keeps_the_relays_compression(proxied):
    address, relay = proxied
    for encoding in ("br", "gzip", "identity"):
        headers = {"Accept-Encoding": encoding}
        through = httpx.get(f"{address}/nl/neuralens.js?v=1", headers=headers, timeout=TIMEOUT)
        direct = relay.http.get("neuralens.js?v=1", headers=headers)
        assert through.content == direct.content
        for name in ("Content-Encoding", "Cache-Control", "ETag", "Vary", "Content-Type"):
            assert through.headers.get(name) == direct.headers.get(name), name


def test_the_relay_itself_refuses_a_batch_that_is_too_large(proxied):
    address, _ = proxied
    batch = make_batch(make_event(), padding="")
    room = 48 * 1024 - len(json.dumps(batch))
    assert post(address, {**batch, "padding": "x" * room}).status_code == 202
    response = post(address, {**batch, "padding": "x" * (room + 1)})
    assert response.status_code == 413
    assert "error" in response.json()


# The proxies wait for answers for longer.
@pytest.mark.parametrize(
    "hangs",
    ["before it accepts", pytest.param("before it answers", marks=pytest.mark.nightly)],
)
def test_a_relay_that_hangs_does_not_hold_the_browsers_connections(proxy, hangs, tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as relay, socket.socket() as other:
        if hangs == "before it accepts":
            # With no other place in the backlog, the proxy's attempts to connect are dropped.
            other.connect(relay.getsockname())
        host, port = relay.getsockname()
        with proxy(f"{host}:{port}", tmp_path) as address:
            response = httpx.post(f"{address}/nl/events?b=1", content="{}", timeout=TIMEOUT)
    assert response.status_code in (502, 504)


def test_nginx_accepts_its_other_files(tmp_path):
    """That of compose.yaml also while no other container runs, whose names have no address."""
    compose = (DEPLOY / "nginx" / "compose.conf").read_text()
    included = "/etc/nginx/neuralens.conf"
    assert included in compose
    (tmp_path / "compose.conf").write_text(
        compose.replace(included, f"{DEPLOY}/nginx/neuralens.conf")
    )
    addresses = set(re.findall(r"172\.30\.0\.\d+(?=:)", compose))
    assert addresses == set(
        re.findall(r"ipv4_address: ([\d.]+)", (DEPLOY / "compose.yaml").read_text())
    )
    own = f"""include {DEPLOY}/nginx/upstream.conf;
        server {{ listen 8081; include {DEPLOY}/nginx/neuralens.conf; }}"""
    for included in (own, f"include {tmp_path}/compose.conf;"):
        path = configure_nginx(tmp_path, included)
        done = subprocess.run(
            [program("nginx"), "-t", "-e", "stderr", "-c", path, "-p", tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_caddyfile_is_formatted():
    done = subprocess.run(
        [program("caddy"), "fmt", DEPLOY / "Caddyfile"], capture_output=True, text=True, check=True
    )
    assert done.stdout == (DEPLOY / "Caddyfile").read_text()
