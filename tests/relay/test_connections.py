"""Idle, slow and malformed connections, and graceful shutdown."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import httpx
import pytest
from neuralens_relay import Settings, create_app
from neuralens_relay.connections import (
    HEADER_TIMEOUT,
    MAX_CONNECTIONS,
    MAX_HEADERS,
    MAX_PIPELINED,
    RESERVED,
    bound,
    count_connections,
)
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from tests.clients import connect
from tests.polling import TIMEOUT
from tests.relay.conftest import Client, make_batch, make_environment, make_event, serving

IDLE = 2000


def open_socket(client):
    url = httpx.URL(client.url)
    return socket.create_connection((url.host, url.port), timeout=TIMEOUT)


def read_all(connection):
    answer = b""
    try:
        while received := connection.recv(65536):
            answer += received
    except ConnectionResetError:
        return answer
    return answer


def test_two_thousand_idle_connections_do_not_block_others(spawn, api_down):
    # The usual number of file descriptors, as a hard limit.
    relay, process = spawn(api_down, descriptors=1024)
    with ExitStack() as opened:
        for number in range(IDLE):
            connection = opened.enter_context(open_socket(relay))
            if number % 2:
                connection.sendall(b"POST /nl/events HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        began = time.monotonic()
        relay.send(make_event())
        assert time.monotonic() - began < 5
        with connect(relay.url) as fresh:
            assert fresh.get("health").json()["ready"]
    assert process.errors().count("\n") < 20


def test_an_idle_connection_is_closed(shared_relay):
    with open_socket(shared_relay) as quiet, open_socket(shared_relay) as slow:
        slow.sendall(b"GET /nl/health HTTP/1.1\r\nHost: x\r\nX-Slow: 1")
        began = time.monotonic()
        assert read_all(quiet) == b""
        assert read_all(slow) == b""
        assert time.monotonic() - began > HEADER_TIMEOUT / 2


def test_headers_without_an_end_are_refused(shared_relay):
    with open_socket(shared_relay) as connection:
        connection.sendall(b"GET /nl/health HTTP/1.1\r\nHost: x\r\nX-Long: ")
        try:
            for _ in range(10 * MAX_HEADERS // 1024):
                connection.sendall(b"x" * 1024)
        except OSError:
            # The connection was closed, and the response may be lost.
            return
        assert b" 431 " in read_all(connection)


def test_malformed_requests_are_refused_counted_and_not_logged(spawn, api_down):
    relay, process = spawn(api_down)
    hello = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    for rubbish in [hello.read(), b"\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] * 20:
        with open_socket(relay) as connection:
            connection.sendall(rubbish)
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 ")
            assert "HTTP" in json.loads(body)["error"]
    assert relay.metric("neuralens_requests_malformed_total") == 60
    assert process.errors().count("\n") < 20


def test_an_upgrade_request_gets_a_plain_response(shared_relay):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
    assert shared_relay.http.get("health", headers=headers).status_code == 200


def test_requests_on_one_connection_are_answered_in_order(shared_relay):
    body = json.dumps(make_batch(make_event())).encode()
    post = (
        f"POST /nl/events HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    last = b"GET /nl/health?live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with open_socket(shared_relay) as connection:
        connection.sendall(post * 50 + last)
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 202 ") == 50
    assert answer.count(b"HTTP/1.1 200 ") == 1


HEAD = b"GET /nl/health?live HTTP/1.1\r\nHost: x\r\n"


def test_one_packet_does_not_make_any_number_of_requests(shared_relay):
    with open_socket(shared_relay) as connection:
        connection.sendall((HEAD + b"\r\n") * 5 * MAX_PIPELINED)
        answer = read_all(connection)
    # Those that came before are answered, and then the connection is closed.
    assert MAX_PIPELINED <= answer.count(b"HTTP/1.1 200 ") <= 2 * MAX_PIPELINED
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 ")


def test_what_follows_a_request_does_not_answer_it(shared_relay):
    with open_socket(shared_relay) as connection:
        connection.sendall(HEAD + b"\r\nrubbish\r\n\r\n")
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 ") == 1


def post(headers=b"", body=None):
    body = body or json.dumps(make_batch(make_event())).encode()
    return b"POST /nl/events HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (
        headers,
        len(body),
        body,
    )


def test_requests_before_a_malformed_one_are_answered(shared_relay):
    wrong = b"POST /nl/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    with open_socket(shared_relay) as connection:
        connection.sendall(post() * 3 + wrong)
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 202 ") == 3


def test_a_client_that_sends_no_more_is_answered(shared_relay):
    with open_socket(shared_relay) as connection:
        connection.sendall(post() * 3)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).count(b"HTTP/1.1 202 ") == 3


def test_clients_that_leave_are_not_logged(spawn, api_down):
    relay, process = spawn(api_down)
    for number in range(100):
        with open_socket(relay) as connection:
            connection.sendall(post() * 3 + HEAD + b"\r\n" * (number % 3))
    relay.send(make_event())
    assert process.errors().count("\n") < 20


@pytest.mark.parametrize("other", [b"x", b"y"], ids=["same", "another"])
def test_a_request_has_one_host(shared_relay, other):
    with open_socket(shared_relay) as connection:
        connection.sendall(post() + post(headers=b"Host: " + other + b"\r\n"))
        answer = read_all(connection)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"202"]
    with open_socket(shared_relay) as connection:
        connection.sendall(post(headers=b"host: " + other + b"\r\n"))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    # With that word the tracker keeps its events.
    assert b'{"error":"unknown host: the request has several Host headers' in answer


def test_what_is_not_http_is_not_refused_for_good(shared_relay):
    """As a request with a cookie that contains a control character."""
    with open_socket(shared_relay) as connection:
        connection.sendall(post(headers=b"Cookie: city=a\x01b\r\n"))
        assert b'{"error":"unknown request: ' in read_all(connection)


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


def test_an_offer_of_http_2_does_not_hide_the_body(shared_relay):
    with open_socket(shared_relay) as connection:
        connection.sendall(post(headers=OFFER) + post())
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).count(b"HTTP/1.1 202 ") == 2


@pytest.mark.parametrize(
    "headers", [b"X: " + b"x" * MAX_HEADERS + b"\r\n", b"X: 1\r\n" * 1000], ids=["long", "many"]
)
def test_excessive_headers_in_one_packet_are_refused(shared_relay, headers):
    with open_socket(shared_relay) as connection:
        connection.sendall(HEAD + headers + b"\r\n")
        assert b" 431 " in read_all(connection)


def chunked(trailer=b"", headers=b""):
    body = json.dumps(make_batch(make_event())).encode()
    head = b"POST /nl/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + headers
    return head + b"\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer)


@pytest.fixture(scope="module")
def bytewise_relay(tmp_path_factory):
    """A relay that receives each byte alone."""

    class Bytewise(bound(99, lambda: None)):
        def data_received(self, data):
            for byte in data:
                super().data_received(bytes([byte]))

    folder = tmp_path_factory.mktemp("bytewise")
    app = create_app(Settings.from_environment(make_environment("http://127.0.0.1:1", folder)))
    site = Starlette(routes=[Mount("/nl", app)], lifespan=app.state.relay.lifespan)
    with serving(site, http=Bytewise) as url, Client(f"{url}/nl") as client:
        yield client


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEAD + b"\r\n", 200),
        (HEAD + OFFER + b"\r\n", 200),
        (b"\r\n" + HEAD + b"\r\n", 200),
        (b"HEAD /nl/neuralens.js HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /nl/none?a=%0d%0a HTTP/1.0\r\nHost: x\r\n\r\n", 404),
        (b"OPTIONS /nl/events HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n", 204),
        (post(), 202),
        (post(headers=OFFER), 202),
        (post(headers=b"uPGRADE:\r\nConnection: upgrade\r\n"), 202),
        (post(headers=b"X: a\r\nUpgrade: " + b"x" * 2000 + b"\r\nConnection: upgrade\r\n"), 202),
        (post(headers=b"Expect: 100-continue\r\n"), 202),
        (post(headers=b"Upgrade-Insecure-Requests: 1\r\nX-Upgrade: y\r\n"), 202),
        (chunked(), 202),
        (chunked(headers=OFFER), 202),
        (chunked(trailer=b"X-End: 1\r\n", headers=b"Trailer: X-End\r\n"), 202),
        # Nothing is dropped from a body.
        (post(body=b"\r\nupgrade: h2c\r\n\r\n"), 400),
        (b"GET /nl/health HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400),
    ],
)
def test_a_request_may_arrive_byte_by_byte(bytewise_relay, request_, status):
    with open_socket(bytewise_relay) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        answers = re.findall(rb"HTTP/1\.1 (\d+)", read_all(connection))
    assert [answer for answer in answers if answer != b"100"] == [str(status).encode()]


def test_slow_headers_give_way_to_later_ones(monkeypatch):
    size = MAX_HEADERS // 2
    monkeypatch.setattr("neuralens_relay.connections.MAX_HELD", 4 * size)
    with (
        serving(PlainTextResponse("x" * 9), "off", http=bound(99, lambda: None)) as url,
        Client(url) as client,
        ExitStack() as opened,
    ):
        slow = [opened.enter_context(open_socket(client)) for _ in range(8)]
        for each in slow:
            each.sendall(HEAD + b"X: ".ljust(size, b"x"))
            # In this order.
            assert client.http.get("").text == "x" * 9
        assert [read_all(each) for each in slow[:4]] == [b""] * 4
        for each in slow[-3:]:
            each.sendall(b"\r\nConnection: close\r\n\r\n")
            assert b" 200 " in read_all(each)


async def read_body(scope, receive, send):
    with suppress(ClientDisconnect):
        await Request(scope, receive).body()
        await PlainTextResponse("read")(scope, receive, send)


def test_large_requests_without_a_body_give_way_to_others(monkeypatch):
    size = MAX_HEADERS // 2
    monkeypatch.setattr("neuralens_relay.connections.MAX_HELD", 4 * size)
    with (
        serving(read_body, "off", http=bound(99, lambda: None)) as url,
        Client(url) as client,
        ExitStack() as opened,
    ):
        large = [opened.enter_context(open_socket(client)) for _ in range(8)]
        for each in large:
            each.sendall(post(headers=b"X: ".ljust(size, b"x") + b"\r\n")[:-1])
            # In this order, and not held up by them.
            assert client.http.post("", content=b"small").text == "read"
        answers = []
        for each in large:
            # To those that were not closed.
            with suppress(OSError):
                each.sendall(b"}")
                each.shutdown(socket.SHUT_WR)
            answers.append(read_all(each))
        assert 1 <= sum(b" 200 " in answer for answer in answers) <= 4


def test_a_response_may_be_read_slowly(monkeypatch):
    monkeypatch.setattr("neuralens_relay.connections.HEADER_TIMEOUT", 0.2)
    size = 1 << 20

    class Narrow(bound(99, lambda: None)):
        def connection_made(self, transport):
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            super().connection_made(transport)

    with (
        serving(PlainTextResponse("x" * size), "off", http=Narrow) as url,
        Client(url) as client,
        open_socket(client) as connection,
    ):
        connection.sendall(HEAD + b"\r\n")
        answer = b""
        began = time.monotonic()
        while answer.count(b"x") < size:
            received = connection.recv(65536)
            assert received
            answer += received
            time.sleep(0.05)
        assert time.monotonic() - began > 0.6
        # Until nothing is read any more.
        assert read_all(connection) == b""


def test_incomplete_bodies_at_shutdown_get_a_response_without_a_traceback(spawn, api_down):
    relay, process = spawn(api_down)
    with ExitStack() as opened:
        waiting = [opened.enter_context(open_socket(relay)) for _ in range(5)]
        for connection in waiting:
            connection.sendall(
                b"POST /nl/events HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
        # Accepted after them, so they are being read.
        relay.send(make_event())
        relay.http.close()
        process.popen.send_signal(signal.SIGTERM)
        answers = [read_all(connection) for connection in waiting]
    assert all(b"HTTP/1.1 503 " in answer for answer in answers)
    assert process.popen.wait(30) == 0
    assert "Traceback" not in process.errors()


@pytest.mark.parametrize(
    ("descriptors", "upstream", "connections"),
    [
        (1024, 32, 1024 - 32 - RESERVED),
        (1 << 20, 1000, MAX_CONNECTIONS),
        (256, 1000, 64),
    ],
)
def test_connections_leave_file_descriptors_for_other_uses(descriptors, upstream, connections):
    assert count_connections(descriptors, upstream) == connections


def test_descriptors_are_raised_to_the_hard_limit():
    program = (
        "import resource; from neuralens_relay.connections import raise_descriptors;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512)); print(raise_descriptors(),"
        "resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stdout == "512 (512, 512)\n"
