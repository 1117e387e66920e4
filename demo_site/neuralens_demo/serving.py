"""Runs several ASGI applications in one process until Ctrl-C, with a graceful shutdown."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import uvicorn

# Seconds for connections to finish on shutdown.
GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to ``serve``."""

    def __init__(
        self, app: Any, listener: socket.socket, closing: Callable[[], None] = lambda: None
    ) -> None:
        """Take a listening socket; ``closing`` is called on shutdown, to end streaming requests."""
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._listener = listener
        self._closing = closing
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers, because ``serve`` handles signals for all servers."""
        yield

    async def run_until_signaled(self) -> None:
        """Serve until ``should_exit`` is set."""
        await self.serve(sockets=[self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set ``ready``."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streaming requests, then let the others finish."""
        self._closing()
        await super().shutdown(sockets)


async def serve(servers: Sequence[Server], ready: Callable[[], None]) -> None:
    """Run the servers until SIGINT or SIGTERM, then stop them one after the other, in order.

    ``ready`` is called once all are started. If one fails, the others are stopped.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = []
    for server in servers:
        task = asyncio.create_task(server.run_until_signaled())
        task.add_done_callback(lambda _: stop.set())
        running.append(task)
    announcement = asyncio.create_task(announce(servers, ready))
    await stop.wait()
    announcement.cancel()
    for server, task in zip(servers, running, strict=True):
        server.should_exit = True
        await task


async def announce(servers: Sequence[Server], ready: Callable[[], None]) -> None:
    """Call ``ready`` once all servers are started."""
    for server in servers:
        await server.ready.wait()
    ready()
