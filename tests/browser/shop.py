"""The shop's server: its pages, and what is under /nl passed on to the relay."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from neuralens_demo.serving import Server
from neuralens_relay.serving import address, listen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.browser.servers import Process
from tests.polling import eventually

# Headers that hold for one connection and are not passed on. Source: RFC 9110, 7.6.1.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Post:
    """A batch that a page sent to the relay, and the status it was answered with."""

    batch: dict[str, Any]
    status: int
    headers: dict[str, str]


@dataclass
class Shop:
    """The shop's server. ``outage`` is the status that it answers with in the relay's place."""

    relay: Process
    url: str = ""
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    outage: int | None = None

    def forget(self) -> None:
        """Begin a new test."""
        self.pages.clear()
        self.posts.clear()
        self.asked.clear()
        self.outage = None

    def put(self, path: str, html: str, headers: dict[str, str] | None = None) -> None:
        """Serve a page from now on; what stands behind a ? does not matter."""
        self.pages[path] = (html, headers or {})

    def wait_for_request(self, path: str) -> None:
        """Wait until a page, or a script of one, has asked for a path outside /nl."""
        eventually(lambda: path in self.asked)

    async def show(self, request: Request) -> Response:
        """Answer with a page; a page that was left must not be refused the back/forward cache."""
        self.asked.append(request.url.path)
        html, headers = self.pages.get(request.url.path, ("", {}))
        status = 200 if request.url.path in self.pages else 404
        return HTMLResponse(html, status, {"Cache-Control": "no-cache", **headers})

    async def forward(self, request: Request) -> Response:
        """Pass a request on to the relay, and its answer back."""
        body = await request.body()
        answer = (
            await self._ask_relay(request, body)
            if self.outage is None
            else Response(status_code=self.outage)
        )
        if request.method == "POST":
            self.posts.append(Post(json.loads(body), answer.status_code, dict(request.headers)))
        return answer

    async def _ask_relay(self, request: Request, body: bytes) -> Response:
        path = request.url.path.removeprefix("/nl")
        session: aiohttp.ClientSession = request.app.state.session
        try:
            async with session.request(
                request.method,
                f"{self.relay.url}{path}",
                params=request.query_params,
                data=body,
                headers={k: v for k, v in request.headers.items() if k not in HOP_BY_HOP},
            ) as answer:
                response = Response(await answer.read(), answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in HOP_BY_HOP:
                        response.headers.append(name, value)
                return response
        except aiohttp.ClientError:
            return Response(status_code=502)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> Any:
        """Hold the connections to the relay."""
        async with aiohttp.ClientSession(auto_decompress=False) as app.state.session:
            yield


@pytest.fixture(scope="session")
def shop_server(relay_process: Process) -> Iterator[Shop]:
    shop = Shop(relay_process)
    app = Starlette(
        routes=[
            Route("/nl/{path:path}", shop.forward, methods=["GET", "POST"]),
            Route("/{path:path}", shop.show),
        ],
        lifespan=shop.lifespan,
    )
    with listen("127.0.0.1", 0) as listener:
        shop.url = address(listener)
        server = Server(app, listener)
        thread = threading.Thread(target=asyncio.run, args=(server.run_until_told(),))
        thread.start()
        eventually(lambda: server.started or not thread.is_alive())
        yield shop
        server.should_exit = True
        thread.join()


@pytest.fixture
def shop(shop_server: Shop, relay: Process) -> Shop:
    """The shop, with no page yet."""
    shop_server.forget()
    return shop_server
