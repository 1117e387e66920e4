"""The shop's server, which serves pages and forwards /nl to the relay."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from neuralens_demo.serving import Server
from neuralens_relay.serving import address, listen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.polling import eventually
from tests.processes import Process
from tests.proxy import forward

# What a fault may do instead of responding to a batch with a status.
RESET = "reset"
HANG = "hang"
CUT = "cut"
# Forward a body that is not JSON any more.
DAMAGE = "damage"
# The relay's response, but with status 200, or without its cookie.
PLAIN_200 = "200"
NO_COOKIE = "no cookie"
# Seconds for which a page waits for the outcome of a batch, at least.
OUTCOME_TIMEOUT = 10
Fault = Callable[[Request, bytes], int | str | None]


@dataclass
class Post:
    """A batch that a page sent to the relay, and the status of the response."""

    batch: dict[str, Any]
    status: int
    headers: dict[str, str]
    size: int

    @property
    def eids(self) -> set[str]:
        """The ids of its events."""
        return {event["eid"] for event in self.batch["events"]}


def premature(posts: list[Post]) -> list[Post]:
    """Return the posts that repeat an event before its outcome can be known.

    On a busy machine, a page may be right to repeat what was not answered for so long.
    """
    return [
        again
        for number, again in enumerate(posts)
        for post in posts[:number]
        if post.eids & again.eids
        and abs(again.batch["sent"] - post.batch["sent"]) < OUTCOME_TIMEOUT
    ]


@dataclass
class Shop:
    """The shop's server.

    ``batches`` are those that pages sent, from the moment they arrived; ``posts`` those that got a
    response, before which the sandbox may have their events. ``outage`` is a status with which it
    responds in place of the relay, with the relay's ``error`` if there is one; ``fault`` determines
    what happens to each batch; ``delay`` is the latency of batches in seconds.
    """

    relay: Process
    url: str = ""
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    requested_paths: list[str] = field(default_factory=list)
    outage: int | None = None
    error: str = ""
    delay: float = 0
    fault: Fault | None = None
    refused: int = 0

    def reset(self) -> None:
        """Reset the state for a new test."""
        self.pages.clear()
        self.batches.clear()
        self.posts.clear()
        self.requested_paths.clear()
        self.outage = None
        self.error = ""
        self.delay = 0
        self.fault = None
        self.refused = 0

    def put(self, path: str, html: str, headers: dict[str, str] | None = None) -> None:
        """Serve a page from now on, for any query string."""
        self.pages[path] = (html, headers or {})

    def wait_for_request(self, path: str) -> None:
        """Wait until a page, or a script of one, has requested a path outside /nl."""
        eventually(lambda: path in self.requested_paths)

    async def show(self, request: Request) -> Response:
        """Respond with a page, whose headers allow the back/forward cache."""
        self.requested_paths.append(request.url.path)
        html, headers = self.pages.get(request.url.path, ("", {}))
        status = 200 if request.url.path in self.pages else 404
        return HTMLResponse(html, status, {"Cache-Control": "no-cache", **headers})

    async def forward(self, request: Request) -> Response:
        """Forward a request to the relay, and return its response."""
        body = await request.body()
        if request.method == "POST":
            batch = json.loads(body)
            self.batches.append(batch)
            await asyncio.sleep(self.delay)
        fault = self.fault(request, body) if self.fault and request.method == "POST" else None
        if fault is not None:
            response = await self._inject(request, fault)
        elif self.outage is not None:
            response = self._refuse(self.outage)
        else:
            response = await self._forward_to_relay(request, body)
        if request.method == "POST":
            post = Post(batch, response.status_code, dict(request.headers), len(body))
            self.posts.append(post)
        return response

    async def _inject(self, request: Request, fault: int | str) -> Response:
        """Respond with a status, or do what one of the words above says."""
        self.refused += 1
        # The server's transport: ``receive`` is a bound method of its request cycle.
        transport = request.receive.__self__.transport  # type: ignore[attr-defined]
        if fault == RESET:
            transport.abort()
            return Response(status_code=502)
        if fault == DAMAGE:
            return await self._forward_to_relay(request, await request.body() + b"}")
        if fault == CUT:
            response = await self._forward_to_relay(request, await request.body())

            async def begin() -> AsyncIterator[bytes]:
                yield response.body[:5]
                # Until the browser has the beginning.
                await asyncio.sleep(0.1)
                transport.abort()

            return StreamingResponse(begin(), response.status_code)
        if fault == PLAIN_200:
            response = await self._forward_to_relay(request, await request.body())
            response.status_code = 200
            return response
        if fault == NO_COOKIE:
            response = await self._forward_to_relay(request, await request.body())
            del response.headers["Set-Cookie"]
            return response
        if fault == HANG:
            return await self.hang(request)
        return Response(status_code=int(fault))

    async def hang(self, request: Request) -> Response:
        """Wait until the client has disconnected."""
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response(status_code=503)

    def _refuse(self, status: int) -> Response:
        """Respond as a proxy does, or with ``error`` as the relay does."""
        if self.error:
            return Response(
                json.dumps({"error": self.error}), status, media_type="application/json"
            )
        return Response(status_code=status)

    async def _forward_to_relay(self, request: Request, body: bytes) -> Response:
        path = request.url.path.removeprefix("/nl")
        session: aiohttp.ClientSession = request.app.state.session
        try:
            return await forward(session, request, self.relay.url + path, body)
        except aiohttp.ClientError:
            return Response(status_code=502)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> Any:
        """Hold the HTTP session to the relay."""
        # A request on a connection that the relay just closes, because it was idle, would fail.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(
            connector=connector, auto_decompress=False
        ) as app.state.session:
            yield


@pytest.fixture(scope="session")
def shop_server(relay_process: Process) -> Iterator[Shop]:
    shop = Shop(relay_process)
    app = Starlette(
        routes=[
            Route("/nl/{path:path}", shop.forward, methods=["GET", "POST"]),
            Route("/hang", shop.hang, methods=["POST"]),
            Route("/{path:path}", shop.show),
        ],
        lifespan=shop.lifespan,
    )
    with listen("127.0.0.1", 0) as listener:
        shop.url = address(listener)
        server = Server(app, listener)
        thread = threading.Thread(target=asyncio.run, args=(server.run_until_signaled(),))
        thread.start()
        eventually(lambda: server.started or not thread.is_alive())
        yield shop
        server.should_exit = True
        thread.join()


@pytest.fixture
def shop(shop_server: Shop, relay: Process) -> Shop:
    """The shop, with no page yet."""
    shop_server.reset()
    return shop_server
