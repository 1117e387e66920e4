"""Bounds a server's connections: their number, their idle time, and the memory of their requests.

A relay is open to anybody. Without bounds, two thousand idle connections exhaust the file
descriptors, and endless headers (Slowloris), or thousands of requests in one packet, the memory.
"""

import asyncio
import re
import resource
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import httptools
import msgspec
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

# Seconds until the headers of a connection's next request must be complete.
HEADER_TIMEOUT = 10.0
# Bytes of a request line and headers: far more than a browser sends.
MAX_HEADERS = 65536
# Bytes that a header takes beside its text, and a request beside its headers.
HEADER = 128
REQUEST = 4096
# Bytes of all requests, without bodies, that are arriving or not answered.
MAX_HELD = 64 << 20
# Requests of one connection that are not answered.
MAX_PIPELINED = 256
# Concurrent connections, if the machine allows so many.
MAX_CONNECTIONS = 16_384
# Concurrent requests.
MAX_REQUESTS = 4096
# File descriptors for the outbox, the log and the interpreter.
RESERVED = 64
# The least bytes of address space with which the relay starts and serves.
ADDRESS_SPACE = 128 << 20
# Stands for "unlimited" in the arithmetic.
UNLIMITED = 1 << 20
BUSY = "the relay is overloaded"
# With "unknown" the tracker keeps the events, because what changes its requests can be corrected.
NOT_HTTP = "unknown request: it is not HTTP"
TWO_HOSTS = "unknown host: the request has several Host headers; a proxy may add one"
UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)


def find_lack_of_memory() -> str:
    """Return why the address space does not suffice, or "".

    Below that, starting a thread may wait forever: Python's ``Thread.start`` waits for the thread,
    which may end first, for lack of memory.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY or soft >= ADDRESS_SPACE:
        return ""
    return (
        f"the address space is limited to {soft >> 20} MiB: give the relay at least"
        f" {ADDRESS_SPACE >> 20} MiB (ulimit -v {ADDRESS_SPACE >> 10})"
    )


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
    body = msgspec.json.encode({"error": BUSY})
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
    for each request that is refused because it is not valid HTTP. ``held``: bytes of requests that
    are arriving or not answered.
    """

    most: int
    on_malformed: Callable[[], None]
    idle: "OrderedDict[Connection, None]" = field(default_factory=OrderedDict)
    held: int = 0


class RefusedError(Exception):
    """Stops the parser: the request is refused with ``status``, and its connection closed."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Connection(HttpToolsProtocol):
    """A connection with a timeout for request headers; made by ``bound``."""

    bounds: ClassVar[Bounds]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._served = self.app
        self._timer: asyncio.TimerHandle | None = None
        # Bytes of an incomplete request line and headers; the same in memory, without the last of
        # them; and of this connection's requests that are arriving or not answered.
        self._received = 0
        self._size = 0
        self._held = 0
        # Bytes of responses that the client had not read when it was last checked.
        self._unread = 0
        self._refused = False
        # The end of what has arrived of a head, from its last line break on.
        self._rest = b""
        # The request that is being answered.
        self._current: RequestResponseCycle | None = None

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
        self._hold(0)
        if self._current is not None:
            # uvicorn tells only the last of several requests.
            self._current.disconnected = True
            self._current.message_event.set()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes; refuse excessive headers or requests, and anything but HTTP."""
        self._unset_keepalive_if_required()
        if self._refused:
            return
        size = len(data)
        if self._timer is not None:
            data, self._rest = split_head(self._rest + data)
        try:
            self.parser.feed_data(data)
            if self._timer is not None:
                self._received += size
                self._check_size(self._received)
                self._hold(max(self._received, self._size))
                if not self._make_room():
                    raise RefusedError(503, BUSY)
        except httptools.HttpParserUpgrade:
            # By CONNECT, or in a request that was sent before the last was answered: it is answered
            # without its body.
            return
        except RefusedError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            # Raised by the parser itself, or by one of the methods that it calls.
            refused = RefusedError(400, NOT_HTTP)
            if isinstance(error.__context__, RefusedError):
                refused = error.__context__
            self._refuse(refused)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether there is a response to send, which the client may be waiting for."""
        if not self._answering() or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """Begin to parse a request."""
        super().on_message_begin()
        self._size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parse a header."""
        super().on_header(name, value)
        self._size += len(name) + len(value) + HEADER
        self._check_size(self._size)

    def on_headers_complete(self) -> None:
        """Begin a request."""
        # Requests of this connection that are not answered; while none was, it is this one's head.
        others = self._held if self._timer is None else 0
        self._stop_waiting()
        self._hold(others + REQUEST + self._size)
        if len(self.pipeline) >= MAX_PIPELINED or not self._make_room():
            raise RefusedError(503, BUSY)
        if sum(name == b"host" for name, _ in self.headers) > 1:
            # A proxy may have decided by another one than the relay would.
            raise RefusedError(400, TWO_HOSTS)
        self.app = self._served if len(self.tasks) < MAX_REQUESTS else answer_busy
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._current = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._await_request()

    def close(self) -> None:
        """Close the connection: its next request has not arrived in time, or others need room."""
        self._stop_waiting()
        self._hold(0)
        self.transport.abort()

    def _await_request(self) -> None:
        self._stop_waiting()
        self._received = self._unread = 0
        self._rest = b""
        self._hold(0)
        self.bounds.idle[self] = None
        self._timer = self.loop.call_later(HEADER_TIMEOUT, self._expire)

    def _expire(self) -> None:
        """Close the connection, unless the client is reading a response."""
        before, self._unread = self._unread, self.transport.get_write_buffer_size()
        if self._unread in (0, before):
            self.close()
        else:
            self._timer = self.loop.call_later(HEADER_TIMEOUT, self._expire)

    def _check_size(self, size: int) -> None:
        if size > MAX_HEADERS:
            raise RefusedError(431, f"the headers are over {MAX_HEADERS} bytes")

    def _hold(self, size: int) -> None:
        """Set the size in memory of this connection's requests."""
        self.bounds.held += size - self._held
        self._held = size

    def _make_room(self) -> bool:
        """Close others while all take too much memory; return whether it helps.

        First the slowest of those that send headers, then the largest: neither those that pipeline
        nor those that send endless bodies must keep others out.
        """
        while self.bounds.held > MAX_HELD:
            slow = (each for each in self.bounds.idle if each is not self and each._held)
            every = cast("set[Connection]", self.connections)
            other = next(slow, None) or max(every, key=lambda each: each._held)
            if other is self:
                return False
            other.close()
        return True

    def _answering(self) -> bool:
        """Return whether the last complete request is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_waiting(self) -> None:
        self.bounds.idle.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, error: RefusedError) -> None:
        """Answer the requests before the refused one, refuse it, and close the connection."""
        self._refused = True
        self._stop_waiting()
        self.bounds.on_malformed()
        last: RequestResponseCycle | None = self.cycle
        if self.pipeline and self.cycle.more_body:
            # The last one cannot be answered.
            self.pipeline.popleft()
            last = self.pipeline[0][0] if self.pipeline else self._current
        if last is not None and not last.response_complete and not last.more_body:
            # A response now would be taken for that of an earlier request.
            last.keep_alive = False
            return
        body = msgspec.json.encode({"error": str(error)})
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(
            STATUS_LINE[error.status] + head.encode() + b"connection: close\r\n\r\n" + body
        )
        self.transport.close()


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """Return the complete lines of a head, without ``Upgrade`` headers, and the incomplete one.

    No other protocol is supported, and the parser would skip the body: Java's HTTP client, for one,
    offers HTTP/2 in this way with each POST. What follows the head is returned with its lines.
    """
    head, end, body = data.partition(b"\r\n\r\n")
    if end:
        return UPGRADE.sub(b"", head) + end + body, b""
    # The line break before an incomplete line belongs to it, as in UPGRADE.
    at = data.rfind(b"\r\n")
    if at < 0:
        at = len(data.removesuffix(b"\r"))
    return UPGRADE.sub(b"", data[:at]), data[at:]


def bound(most: int, on_malformed: Callable[[], None]) -> type[Connection]:
    """Return a protocol class for one server with these ``Bounds``."""

    class BoundConnection(Connection):
        bounds = Bounds(most, on_malformed)

    return BoundConnection


class Server(uvicorn.Server):
    """A server that, on shutdown, first ends requests whose bodies are still arriving.

    It shuts down after ``stop``; signals are the caller's.
    """

    def __init__(self, config: uvicorn.Config, stop_reading: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop_reading = stop_reading

    def stop(self, *_: object) -> None:
        """Shut down soon; a handler for signals, of which each after the first has no effect."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: uvicorn would raise them again at its end, amid what still runs."""
        yield

    async def shutdown(self, sockets: Any = None) -> None:
        """Shut down."""
        self._stop_reading()
        await super().shutdown(sockets)
