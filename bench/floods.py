"""Floods of a relay from one address, in a process of their own: ``python -m bench.floods``.

Arguments: the relay's address, a name in FLOODS, and the address to flood from, for
``X-Forwarded-For``. Requests are prepared and sent with plain asyncio at a fixed rate, a few
percent of a core, so that what is measured is the relay and not the competition for the processor.
Each status is printed when it first occurs; the flood ends when it is killed.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from neuralens_tracker.vocabulary import MAX_TEXT

from bench.relay import make_batch

# Prepared bodies, which are then repeated: what costs a relay is known only once it is stored.
PREPARED = 200


@dataclass(frozen=True)
class Flood:
    """A kind of flood: a number of requests per second, and the body of one.

    ``keep``: whether connections are used again; ``pause``: seconds between the first half of the
    body and the rest.
    """

    rate: float
    body: Callable[[], bytes]
    keep: bool = True
    pause: float = 0


def make_hard_batch() -> bytes:
    """Return a batch of queries that are slow to search for phone and card numbers."""
    query = ("12345 1 2 " * MAX_TEXT)[:MAX_TEXT]
    return make_batch(60, "flood").replace(b"solid wood chair", query.encode())


FLOODS = {
    "single events": Flood(500, lambda: make_batch(1, "flood")),
    "new connections": Flood(200, lambda: make_batch(1, "flood"), keep=False),
    "batches of 100": Flood(200, lambda: make_batch(100, "flood")),
    "hard queries": Flood(50, make_hard_batch),
    "no JSON": Flood(100, lambda: b"[" * 48_000),
    "64 KiB": Flood(100, lambda: make_batch(1, "flood").ljust(65_536)),
    "slow bodies": Flood(50, lambda: make_batch(1, "flood"), pause=11),
}


class Connection(asyncio.Protocol):
    """A connection that sends one request at a time."""

    def __init__(
        self, flood: Flood, idle: "list[Connection]", report: Callable[[bytes], None]
    ) -> None:
        self._flood = flood
        self._idle = idle
        self._report = report
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes) -> None:
        """Send a request, or its first half."""
        assert self._transport is not None
        if self._transport.is_closing():
            return
        if not self._flood.pause:
            self._transport.write(request)
            return
        self._transport.write(request[: len(request) // 2])
        self._rest = request[len(request) // 2 :]
        asyncio.get_running_loop().call_later(self._flood.pause, self._send_rest)

    def _send_rest(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._rest)

    def data_received(self, data: bytes) -> None:
        """Report a response's status; the body may arrive separately from the headers."""
        assert self._transport is not None
        if not data.startswith(b"HTTP/1.1 "):
            return
        self._report(data[9:12])
        if self._flood.keep and b"connection: close" not in data.lower():
            self._idle.append(self)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self in self._idle:
            self._idle.remove(self)


async def run(url: str, flood: Flood, address: str) -> None:
    """Send requests until killed."""
    parts = urlsplit(f"{url}/events")
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: text/plain\r\n"
        f"X-Forwarded-For: {address}\r\n"
    )
    bodies = [flood.body() for _ in range(PREPARED)]
    requests = itertools.cycle(
        [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    )
    idle: list[Connection] = []
    statuses: set[bytes] = set()

    def report(status: bytes) -> None:
        if status not in statuses:
            statuses.add(status)
            print(status.decode(), flush=True)

    loop = asyncio.get_running_loop()

    async def send_one() -> None:
        if not idle:
            try:
                _, connection = await loop.create_connection(
                    lambda: Connection(flood, idle, report), parts.hostname, parts.port
                )
            except OSError:
                # The relay accepts no more at the moment.
                return
        else:
            connection = idle.pop()
        connection.send(next(requests))

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as senders:
        for number in itertools.count():
            await asyncio.sleep(begin + number / flood.rate - time.perf_counter())
            senders.create_task(send_one())


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], FLOODS[sys.argv[2]], sys.argv[3]))
