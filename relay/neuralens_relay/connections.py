"""How many connections a server keeps, and for how long one may say nothing.

A relay is open to anybody. Without these bounds two thousand connections on which nothing is ever
sent take every descriptor, and headers without an end take all memory.
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

# Seconds that a connection gets until the headers of its next request are there.
HEADER_TIMEOUT = 10.0
# Bytes of a request's address and headers: far more than a browser sends.
MAX_HEADERS = 65536
# Connections kept at once, where the machine allows so many.
MAX_CONNECTIONS = 16_384
# Requests answered at once.
MAX_REQUESTS = 4096
# Descriptors that the outbox, the log and the interpreter need.
RESERVED = 64
# A limit of this size or above is no limit; a bound is needed for the arithmetic.
UNLIMITED = 1 << 20


def raise_descriptors() -> int:
    """Let the process have as many open files as the system allows; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        # Some systems have a lower bound of their own than the one they name.
        hard = soft
    return UNLIMITED if hard == resource.RLIM_INFINITY else min(hard, UNLIMITED)


def count_connections(descriptors: int, upstream: int) -> int:
    """Return how many connections to keep, when ``upstream`` more lead to the API."""
    free = max(descriptors - upstream - RESERVED, descriptors // 4)
    return min(free, MAX_CONNECTIONS)


async def answer_busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request beyond MAX_REQUESTS: nothing is wrong with it, so it is for later."""
    body = msgspec.json.encode({"error": "the relay has too much to do"})
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
    """The bounds of one server: how many connections it keeps, and which of them are quiet.

    ``quiet``: connections whose next request has not begun, the longest quiet first.
    ``note_malformed`` is told of each request that is refused before it is one.
    """

    most: int
    note_malformed: Callable[[], None]
    quiet: "OrderedDict[Connection, None]" = field(default_factory=OrderedDict)


class Connection(HttpToolsProtocol):
    """One connection, from which requests are awaited only so long: see ``bound``."""

    bounds: ClassVar[Bounds]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._served = self.app
        self._timer: asyncio.TimerHandle | None = None
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection; the one that has been quiet for longest makes room for it."""
        if len(self.connections) >= self.bounds.most:
            if not self.bounds.quiet:
                transport.abort()
                return
            self.bounds.quiet.popitem(last=False)[0].close()
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; headers may not go on for ever, and what is no HTTP is refused."""
        self._unset_keepalive_if_required()
        if self._timer is not None:
            self._received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing but HTTP/1.1 is spoken here: the request is answered in that.
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
        """Close a connection on which no request has come in time."""
        self._stop_waiting()
        self.transport.abort()

    def _await_request(self) -> None:
        self._stop_waiting()
        self._received = 0
        self.bounds.quiet[self] = None
        self._timer = self.loop.call_later(HEADER_TIMEOUT, self.close)

    def _stop_waiting(self) -> None:
        self.bounds.quiet.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, reason: str) -> None:
        self._stop_waiting()
        self.bounds.note_malformed()
        body = msgspec.json.encode({"error": reason})
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(
            STATUS_LINE[status] + head.encode() + b"connection: close\r\n\r\n" + body
        )
        self.transport.close()


def bound(most: int, note_malformed: Callable[[], None]) -> type[Connection]:
    """Return the protocol of one server: see ``Bounds``."""

    class BoundConnection(Connection):
        bounds = Bounds(most, note_malformed)

    return BoundConnection


class Server(uvicorn.Server):
    """A server that, told to stop, first says so to requests whose bodies still arrive."""

    def __init__(self, config: uvicorn.Config, stop_reading: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop_reading = stop_reading

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop."""
        self._stop_reading()
        await super().shutdown(sockets)
