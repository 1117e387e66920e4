"""An event API whose responses each test defines, down to single bytes."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SUCCESS = b'{"status": "success", "message": ""}'


@dataclass(frozen=True)
class Behavior:
    """How the API responds to a request.

    ``pieces`` are written one after the other, ``pause`` seconds apart; then the connection is
    closed, or left open without a response (``hang``). ``received``: the event counts as received
    nevertheless.
    """

    pieces: tuple[bytes, ...] = ()
    pause: float = 0
    hang: bool = False
    received: bool = False


def answer(status: str, body: bytes, *headers: str) -> bytes:
    """Return the bytes of an HTTP response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HostileApi:
    """``behave(n)`` returns the response to request n, from 0; None: a success as documented."""

    def __init__(self, behave: Callable[[int], Behavior | None]) -> None:
        self.behave = behave
        self.requests = 0
        self.received: Counter[str] = Counter()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to the requests of a connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                (length,) = [
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ]
                event = json.loads(await reader.readexactly(length))
                behavior = self.behave(self.requests)
                self.requests += 1
                if behavior is None or behavior.received:
                    self.received[event["items"][0]["id"]] += 1
                if behavior is None:
                    writer.write(answer("200 OK", SUCCESS))
                    continue
                for piece in behavior.pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(behavior.pause)
                if behavior.hang:
                    await reader.read()
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@contextmanager
def hostile_api(behave: Callable[[int], Behavior | None]) -> Iterator[HostileApi]:
    """Serve the API in a thread while the context is open."""

    api = HostileApi(behave)
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def run() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(stopped.set))
        server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
        api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stopped.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait()
    try:
        yield api
    finally:
        stop[0]()
        thread.join()
