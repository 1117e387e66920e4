"""Connections that say nothing, that say it slowly, or what is no HTTP; and the end of a server."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx
import pytest
from neuralens_relay.connections import (
    HEADER_TIMEOUT,
    MAX_CONNECTIONS,
    MAX_HEADERS,
    RESERVED,
    count_connections,
)

from tests.clients import connect
from tests.polling import TIMEOUT
from tests.relay.conftest import make_batch, make_event

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


def test_two_thousand_quiet_connections_stop_nothing(spawn, offline):
    # As many descriptors as a process usually has, and no more to be had.
    relay, process = spawn(offline, descriptors=1024)
    with ExitStack() as opened:
        for number in range(IDLE):
            connection = opened.enter_context(open_socket(relay))
            if number % 2:
                connection.sendall(b"POST /nl/events HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        began = time.monotonic()
        relay.take(make_event())
        assert time.monotonic() - began < 5
        with connect(relay.url) as fresh:
            assert fresh.get("health").json()["ready"]
    assert process.errors().count("\n") < 20


def test_a_connection_that_says_nothing_is_closed(standing):
    with open_socket(standing) as quiet, open_socket(standing) as slow:
        slow.sendall(b"GET /nl/health HTTP/1.1\r\nHost: x\r\nX-Slow: 1")
        began = time.monotonic()
        assert read_all(quiet) == b""
        assert read_all(slow) == b""
        assert time.monotonic() - began > HEADER_TIMEOUT / 2


def test_headers_without_an_end_are_refused(standing):
    with open_socket(standing) as connection:
        connection.sendall(b"GET /nl/health HTTP/1.1\r\nHost: x\r\nX-Long: ")
        try:
            for _ in range(10 * MAX_HEADERS // 1024):
                connection.sendall(b"x" * 1024)
        except OSError:
            # It was closed: the answer may be lost with it.
            return
        assert b" 431 " in read_all(connection)


def test_what_is_no_http_is_answered_in_json_counted_and_not_logged(spawn, offline):
    relay, process = spawn(offline)
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


def test_an_upgrade_is_answered_in_plain_http(standing):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
    assert standing.http.get("health", headers=headers).status_code == 200


def test_requests_on_one_connection_are_answered_in_order(standing):
    body = json.dumps(make_batch(make_event())).encode()
    post = (
        f"POST /nl/events HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    last = b"GET /nl/health?live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with open_socket(standing) as connection:
        connection.sendall(post * 50 + last)
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 202 ") == 50
    assert answer.count(b"HTTP/1.1 200 ") == 1


def test_half_sent_bodies_are_answered_at_the_end_and_leave_no_traceback(spawn, offline):
    relay, process = spawn(offline)
    with ExitStack() as opened:
        waiting = [opened.enter_context(open_socket(relay)) for _ in range(5)]
        for connection in waiting:
            connection.sendall(
                b"POST /nl/events HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
        # Taken after them, so they are being read by now.
        relay.take(make_event())
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
def test_connections_leave_descriptors_to_the_rest(descriptors, upstream, connections):
    assert count_connections(descriptors, upstream) == connections


def test_descriptors_are_raised_to_what_the_system_allows():
    program = (
        "import resource; from neuralens_relay.connections import raise_descriptors;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512)); print(raise_descriptors(),"
        "resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stdout == "512 (512, 512)\n"
