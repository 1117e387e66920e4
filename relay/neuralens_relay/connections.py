"""Bounds a server's connections: their number, their idle time, and the size of headers.

A relay is open to anybody. Without bounds, two thousand idle connections exhaust the file
descriptors, and endless headers exhaust the memory (Slowloris).
"""

import asyncio
import resource
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httptools
import msgspec
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

# Seconds until the headers of a connection's next request must be complete.
HEADER_TIMEOUT = 10.0
# Bytes of a request line and headers: far more than a browser sends.
MAX_HEADERS = 65536
# Concurrent connections, if the machine allows so many.
MAX_CONNECTIONS = 16_384
# Concurrent requests.
MAX_REQUESTS = 4096
# File descriptors for the outbox, the log and the interpreter.
RESERVED = 64
# Stands for "unlimited" in the arithmetic.
UNLIMITED = 1 << 20


def raise_descriptors() -> int:
    """Raise the soft limit of open files to the hard limit; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        # Some systems (macOS) have a lower limit than the one they report.
        hard = soft
    return UNLIMITED if hard == resource.RLIM_INFINITY else min(hard, UNLIMITED)


def count_connections(descriptors: int, upstream: int) -> int:
    """Return the limit of connections, besides ``upstream`` connections to the API."""
    free = max(descriptors - upstream - RESERVED, descriptors // 4)
    return min(free, MAX_CONNECTIONS)


async def answer_busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with 503 to a request beyond MAX_REQUESTS."""
    body = msgspec.json.encode({"error": "the relay is overloaded"})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Bounds:
    """The limit of one server's connections, and which of them are idle.

    ``idle``: connections between requests, least recently used first. ``on_malformed`` is called
    for each request that is refused because it is not valid HTTP.
    """

    most: int
    on_malformed: Callable[[], None]
    idle: "OrderedDict[Connection, None]" = field(default_factory=OrderedDict)


class Connection(HttpToolsProtocol):
    """A connection with a timeout for request headers; made by ``bound``."""

    bounds: ClassVar[Bounds]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._served = self.app
        self._timer: asyncio.TimerHandle | None = None
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, evicting the longest idle one if the limit is reached."""
        if len(self.connections) >= self.bounds.most:
            if not self.bounds.idle:
                transport.abort()
                return
            self.bounds.idle.popitem(last=False)[0].close()
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes; refuse excessive headers and anything but HTTP."""
        self._unset_keepalive_if_required()
        if self._timer is not None:
            self._received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is supported: the request is answered in HTTP/1.1.
            return
        except httptools.HttpParserError:
            self._refuse(400, "the request is not HTTP")
            return
        if self._timer is not None and self._received > MAX_HEADERS:
            self._refuse(431, f"the headers are over {MAX_HEADERS} bytes")

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._stop_waiting()
        self.app = self._served if len(self.tasks) < MAX_REQUESTS else answer_busy
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._await_request()

    def close(self) -> None:
        """Close the connection, because no request has arrived in time."""
        self._stop_waiting()
        self.transport.abort()

    def _await_request(self) -> None:
        self._stop_waiting()
        self._received = 0
        self.bounds.idle[self] = None
        self._timer = self.loop.call_later(HEADER_TIMEOUT, self.close)

    def _stop_waiting(self) -> None:
        self.bounds.idle.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, reason: str) -> None:
        self._stop_waiting()
        self.bounds.on_malformed()
        body = msgspec.json.encode({"error": reason})
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(
            STATUS_LINE[status] + head.encode() + b"connection: close\r\n\r\n" + body
        )
        self.transport.close()


def bound(most: int, on_malformed: Callable[[], None]) -> type[Connection]:
    """Return a protocol class for one server with these ``Bounds``."""

    class BoundConnection(Connection):
        bounds = Bounds(most, on_malformed)

    return BoundConnection


class Server(uvicorn.Server):
    """A server that, on shutdown, first ends requests whose bodies are still arriving."""

    def __init__(self, config: uvicorn.Config, stop_reading: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop_reading = stop_reading

    async def shutdown(self, sockets: Any = None) -> None:
        """Shut down."""
        self._stop_reading()
        await super().shutdown(sockets)
