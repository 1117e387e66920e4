"""A small shop with its relay and a sandbox of the API, each served on its own port."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from neuralens_demo import contract, sandbox
from neuralens_demo.ledger import Ledger
from neuralens_demo.serving import Server
from neuralens_embed.snippet import Snippet
from neuralens_relay import Settings, create_app
from neuralens_relay.serving import address, listen
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from tests.polling import TIMEOUT, eventually
from tests.proxy import forward

APPLICATION, KEY = "shop-app", "shop-key-4711"
HERE = Path(__file__).parent
PER_PAGE = 4
NAMES = ["oak chair", "elm chair", "ash chair", "fir chair", "bay chair", "yew chair", "tea chair"]
TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)


@dataclass(frozen=True)
class Product:
    """A product of the shop: its position in the catalog, and its name."""

    position: int
    name: str


CATALOG = [Product(position, name) for position, name in enumerate(NAMES)]


def tag(shop: "Shop", **settings: Any) -> str:
    """Return the snippet of the shop, with short viewability thresholds."""
    thresholds = {"view_ms": 100, "suggestion_ms": 100}
    return str(Snippet(APPLICATION, **{**thresholds, **settings}))


@dataclass(frozen=True)
class Shop:
    """Configuration of the shop; a field that is not the default is a fault, or a valid variant.

    ``tag`` renders the snippet, ``identify`` the id of a product. ``forward`` maps a path under /nl
    to the path that the proxy requests from the relay, None to forward nothing; ``intercept``
    returns the response to a request that does not reach the proxy, or None, ``gate`` to one that
    does not reach the shop at all; ``host`` replaces the Host header, "" to forward the shop's.
    ``policy`` is the Content-Security-Policy, ``reported_policy`` one that only reports,
    ``headers`` are others of pages. ``cached`` replaces the script unless the request bypasses
    caches. ``banner`` asks for consent, "own" or that of a "platform"; its answer is passed to the
    tracker if ``grants``, and changes tags whose type is text/plain. A search takes ``delay``
    seconds, every page ``slowness``. ``misspelled`` is the product's attribute. ``rewrite`` changes
    the HTML of a page, given the path; ``alter`` changes the relay's responses.
    """

    tag: Callable[["Shop"], str] = tag
    misspelled: bool = False
    identify: Callable[[Product], str] = lambda product: f"CH-{product.position}"
    forward: Callable[[str], str | None] = lambda path: path
    intercept: Callable[[Request], Response | None] = lambda request: None
    gate: Callable[[Request], Response | None] = lambda request: None
    alter: Callable[[Request, Response], Response] = lambda request, response: response
    rewrite: Callable[[str, str], str] = lambda path, html: html
    host: str = ""
    policy: str = ""
    reported_policy: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cached: bytes = b""
    offset: bool = True
    clone: bool = False
    single_page: bool = False
    context: bool = True
    signal: bool = False
    banner: str = ""
    grants: bool = True
    delay: float = 0
    slowness: float = 0
    relay: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    relay_url: str = ""


class Site:
    """The pages of a shop, and its proxy."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/search", self.search),
                Route("/suggest", self.suggest),
                Route("/chairs/{position:int}", self.chair),
                Route("/shop.js", self.script),
                Route("/nl/{path:path}", self.proxy, methods=["GET", "POST"]),
            ],
            middleware=[Middleware(BaseHTTPMiddleware, self.guard)],
        )

    async def guard(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer a request in the shop's place, or pass it on."""
        if request.url.path in ("/", "/search") or request.url.path.startswith("/chairs/"):
            await asyncio.sleep(self.shop.slowness)
        return self.shop.gate(request) or await call_next(request)

    def show(self, request: Request, template: str, **values: Any) -> Response:
        text = TEMPLATES.get_template(template).render(
            tag=Markup(self.shop.tag(self.shop)), shop=self.shop, **values
        )
        text = self.shop.rewrite(request.url.path, text)
        headers = {"Cache-Control": "no-cache", **self.shop.headers}
        if self.shop.policy:
            headers["Content-Security-Policy"] = self.shop.policy
        if self.shop.reported_policy:
            headers["Content-Security-Policy-Report-Only"] = self.shop.reported_policy
        return HTMLResponse(text, headers=headers)

    async def home(self, request: Request) -> Response:
        return self.show(request, "home.html", products=CATALOG[:2])

    async def search(self, request: Request) -> Response:
        await asyncio.sleep(self.shop.delay)
        query, page = request.query_params.get("q", ""), int(request.query_params.get("page", 1))
        found = [product for product in CATALOG if query in product.name]
        start = (page - 1) * PER_PAGE
        following = f"/search?q={quote(query)}&page={page + 1}"
        return self.show(
            request,
            "search.html",
            query=query,
            products=found[start : start + PER_PAGE],
            start=start,
            following=following if found[start + PER_PAGE :] else "",
        )

    async def suggest(self, request: Request) -> Response:
        return JSONResponse(["chair", "oak chair"])

    async def chair(self, request: Request) -> Response:
        return self.show(request, "chair.html", product=CATALOG[request.path_params["position"]])

    async def script(self, request: Request) -> Response:
        return FileResponse(HERE / "templates" / "shop.js")

    async def proxy(self, request: Request) -> Response:
        """Forward a request to the relay, as the shop's proxy is configured."""
        if intercepted := self.shop.intercept(request):
            return intercepted
        path = self.shop.forward(request.url.path)
        if path is None:
            return HTMLResponse("<h1>Not found</h1>", 404)
        if self.shop.cached and path.endswith(".js") and "neuralens-verify" not in str(request.url):
            return Response(self.shop.cached, media_type="text/javascript")
        headers = {"host": self.shop.host} if self.shop.host else {}
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            url, body = self.shop.relay_url + path, await request.body()
            response = await forward(session, request, url, body, headers)
        return self.shop.alter(request, response)


def relay_settings(shop: Shop, api: str, folder: Path) -> Settings:
    """Return the settings of a shop's relay, given the URL of the sandbox."""
    settings = {
        "api_key": KEY,
        "application_id": APPLICATION,
        "api_url": api + contract.PATH,
        "outbox": f"sqlite:///{folder / 'outbox.db'}",
        "backoff_base": 0.02,
        **shop.relay,
    }
    if "allowed_origins" in shop.relay:
        settings["allowed_origins"] = tuple(
            origin.format(shop=shop.url) for origin in shop.relay["allowed_origins"]
        )
    settings["api_url"] = settings["api_url"].format(api=api)
    return Settings(**settings)


@contextmanager
def serving(shop: Shop, folder: Path) -> Iterator[Shop]:
    """Serve a shop with its relay and its sandbox, each on its own port."""

    with (
        listen("127.0.0.1", 0) as front,
        listen("127.0.0.1", 0) as back,
        listen("127.0.0.1", 0) as api,
    ):
        ledger = Ledger()
        shop = replace(shop, url=address(front), relay_url=address(back))
        relay = create_app(relay_settings(shop, address(api), folder))
        api_app = sandbox.create_app(KEY, APPLICATION, ledger)
        apps = [
            (Site(shop).app(), front),
            (Starlette(routes=[Mount("/nl", relay)], lifespan=relay.state.relay.lifespan), back),
            (api_app, api),
        ]
        servers = [Server(app, listener, ledger.close) for app, listener in apps]

        async def run() -> None:
            await asyncio.gather(*(server.run_until_signaled() for server in servers))

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        try:
            eventually(lambda: all(s.started for s in servers) or not thread.is_alive())
            for fault in shop.faults:
                httpx.post(f"{address(api)}/faults", json=fault, timeout=TIMEOUT).raise_for_status()
            yield shop
        finally:
            for server in servers:
                server.should_exit = True
            thread.join()
