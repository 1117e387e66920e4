"""Real parts for the browser tests: Chromium, a shop, a relay process and a sandbox process.

Pages come from the shop, which passes what is under /nl on to the relay as a shop's own proxy
does. So a page, the bundles and the relay share one origin, and a relay may end and come back.
"""

import asyncio
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from neuralens_build import bundles
from neuralens_build.snippet import RUNTIMES, Snippet
from neuralens_build.sources import ENTRY
from neuralens_demo.serving import Server
from neuralens_relay.serving import address, listen
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

KEY = "test-key-4711"
APPLICATION = "test-app"
PATIENCE = 10.0
# Milliseconds, where the time itself is not what a test is about.
VIEW_MS = 150
SUGGESTION_MS = 100
# Headers that hold for one connection and are not passed on. Source: RFC 9110, 7.6.1.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
# A tile that comes now, in view: once it was seen, and its event was sent, so was all before it.
SEE_CONTROL = """([id, patience]) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(id + " was not seen")), patience);
    neuralens("on", "event", (event) => {
        if (event.items[0].id === id) {
            tile.remove();
            neuralens("flush");
            resolve();
        }
    });
    const tile = document.createElement("div");
    tile.dataset.nlProduct = id;
    tile.style = "position: fixed; left: 0; top: 0; width: 8px; height: 8px; pointer-events: none";
    document.body.append(tile);
})"""
CONTROL = "control-"
LOUD = ("warning", "error")


def eventually(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return the condition's value once it is true; fail when that takes longer than patience."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {patience} s"
        time.sleep(0.01)


class Process:
    """A command of the project as a process; ``url`` is the address that it prints."""

    def __init__(self, command: str, environment: dict[str, str], folder: Path) -> None:
        self._command = command
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NEURALENS_")}
        self._environment = inherited | {"PYTHONUNBUFFERED": "1"} | environment
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start the command, in the same folder as before."""
        with (self._folder / "log").open("ab") as errors:
            self._popen = subprocess.Popen(
                [Path(sys.executable).parent / "neuralens-tracker", self._command, "--port", "0"],
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._popen.stdout
        ready, _, _ = select.select([self._popen.stdout], [], [], PATIENCE)
        line = self._popen.stdout.readline() if ready else ""
        assert "http" in line, f"{self._command} did not start: {self.log()}"
        self.url = line.split()[1]

    def log(self) -> str:
        return (self._folder / "log").read_text()

    @property
    def runs(self) -> bool:
        return self._popen.poll() is None

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        self._popen.send_signal(number)
        try:
            self._popen.wait(PATIENCE)
        finally:
            self._popen.kill()
            self._popen.wait()
            assert self._popen.stdout
            self._popen.stdout.close()


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


class Event(dict[str, Any]):
    """The body of a request to the API, as the sandbox took it."""

    @property
    def name(self) -> str:
        return str(self["event"])

    @property
    def id(self) -> str:
        return str(self["items"][0]["id"])


class Ledger:
    """What the sandbox took in this test.

    A straggler of an earlier test, known by its uid, is left out.
    """

    def __init__(self, sandbox: httpx.Client, relay: httpx.Client, strangers: set[str]) -> None:
        self._sandbox = sandbox
        self._relay = relay
        self._strangers = strangers

    def clear(self) -> None:
        self._sandbox.delete("ledger").raise_for_status()
        self._sandbox.delete("faults").raise_for_status()

    def fail(self, **fault: Any) -> None:
        """Have the next requests to the sandbox go wrong, see ``neuralens_demo.faults.Fault``."""
        self._sandbox.post("faults", json=fault).raise_for_status()

    def entries(self) -> list[Event]:
        """Return the events so far, in order, without controls."""
        events = [Event(entry["body"]) for entry in self._sandbox.get("ledger").json()]
        return [
            event
            for event in events
            if event["uid"] not in self._strangers and not event.id.startswith(CONTROL)
        ]

    def wait_for(self, count: int, patience: float = PATIENCE) -> list[Event]:
        """Wait until there are so many events at least, and return all."""
        deadline = time.monotonic() + patience
        while len(entries := self.entries()) < count:
            assert time.monotonic() < deadline, f"{len(entries)} events, not {count}: {entries}"
            time.sleep(0.02)
        return entries

    def settle(self, page: Page) -> list[Event]:
        """Wait until all that a visible page has told is here, and return it.

        A control, a tile that is inserted now, goes the whole way; what began before is ahead.
        """
        control = CONTROL + uuid4().hex
        page.evaluate(SEE_CONTROL, [control, PATIENCE * 1000])
        eventually(lambda: control in self._sandbox.get("ledger").text)
        eventually(lambda: "neuralens_outbox_waiting 0.0" in self._relay.get("metrics").text)
        return self.entries()


class BareBrowser:
    """A Chromium that nothing is attached to.

    A debugger, and Playwright is one, keeps pages visible and from being rendered ahead.
    """

    def __init__(self, command: list[str], url: str, folder: Path) -> None:
        self._url = url
        profile = folder / "profile"
        self._popen = subprocess.Popen(
            [*command, "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = profile / "DevToolsActivePort"
        eventually(lambda: port.exists() and port.read_text().count("\n"))
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port.read_text().split()[0]}/json", timeout=PATIENCE
        )

    def open(self, path: str) -> str:
        """Open a page of the shop in a new tab, in front of the others, and return the tab's id."""
        tab = self._http.put(f"new?{self._url}{path}").raise_for_status().json()
        return str(tab["id"])

    def activate(self, tab: str) -> None:
        """Bring a tab to the front."""
        self._http.get(f"activate/{tab}").raise_for_status()

    def close(self, tab: str) -> None:
        """Close a tab; the one that was in front before is in front again."""
        self._http.get(f"close/{tab}").raise_for_status()

    def end(self) -> None:
        self._http.close()
        self._popen.terminate()
        self._popen.wait(PATIENCE)


@pytest.fixture(scope="session")
def credentials() -> dict[str, str]:
    return {"NEURALENS_API_KEY": KEY, "NEURALENS_APPLICATION_ID": APPLICATION}


@pytest.fixture(scope="session")
def sandbox(
    tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, str]
) -> Iterator[Process]:
    process = Process("sandbox", credentials, tmp_path_factory.mktemp("sandbox"))
    yield process
    process.end()


@pytest.fixture(scope="session")
def relay_process(
    tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, str], sandbox: Process
) -> Iterator[Process]:
    environment = {
        "NEURALENS_API_URL": f"{sandbox.url}/analytics/event",
        # One after the other, so that the ledger is in the order in which the events came.
        "NEURALENS_CONCURRENCY": "1",
        "NEURALENS_BACKOFF_BASE": "0.02",
        "NEURALENS_BACKOFF_CAP": "0.1",
        "NEURALENS_PROBE": "0.2",
        "NEURALENS_RATE_LIMIT": "0",
    }
    folder = tmp_path_factory.mktemp("relay")
    process = Process("relay", credentials | environment, folder)
    yield process
    process.end()


@pytest.fixture
def relay(relay_process: Process) -> Iterator[Process]:
    """The relay; a test that ends it need not start it again."""
    yield relay_process
    if not relay_process.runs:
        relay_process.start()


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


def built_runtimes() -> list[str]:
    """Return the runtimes whose bundles were built; the default one in any case."""
    try:
        files = bundles.manifest()
    except bundles.NotBuiltError:
        files = {}
    return [name for name, file in RUNTIMES.items() if file in files or name == "javascript"]


@pytest.fixture(params=built_runtimes())
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def strangers() -> set[str]:
    """The uids of earlier tests."""
    return set()


@pytest.fixture
def uid(strangers: set[str]) -> Iterator[str]:
    """The shopper of this test, unless a page is shown with another one, or None."""
    made = f"shopper-{uuid4().hex[:8]}"
    yield made
    strangers.add(made)


@pytest.fixture
def ledger(sandbox: Process, relay: Process, strangers: set[str]) -> Iterator[Ledger]:
    with (
        httpx.Client(base_url=sandbox.url, timeout=PATIENCE) as taken,
        httpx.Client(base_url=relay.url, timeout=PATIENCE) as relayed,
    ):
        ledger = Ledger(taken, relayed, strangers)
        ledger.clear()
        yield ledger


@pytest.fixture
def tag(runtime: str, uid: str) -> Callable[..., Markup]:
    """Return the embed snippet: ``tag(view_ms=1000, stub=True, ...)``, see ``Snippet``."""

    def tag(**settings: Any) -> Markup:
        usual = {"uid": uid, "view_ms": VIEW_MS, "suggestion_ms": SUGGESTION_MS}
        return Snippet(APPLICATION, runtime=runtime, **{**usual, **settings}).render()

    return tag


@pytest.fixture
def context(chromium: Browser, shop: Shop) -> Iterator[BrowserContext]:
    """A browser profile of its own."""
    with chromium.new_context(
        base_url=shop.url, viewport={"width": 1000, "height": 800}
    ) as context:
        yield context


@pytest.fixture
def bare_browser(
    shop: Shop, chromium_options: dict[str, Any], tmp_path: Path
) -> Iterator[BareBrowser]:
    command = [chromium_options["executable_path"], *chromium_options["args"]]
    browser = BareBrowser(command, shop.url, tmp_path)
    yield browser
    browser.end()


@pytest.fixture
def put(shop: Shop, tag: Callable[..., Markup]) -> Callable[..., str]:
    """Serve a page of the folder pages/, or one with the given body, and return its path.

    ``values`` are for the template; the other named arguments are settings of the tag.
    """

    def put(
        source: str,
        path: str = "/",
        headers: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        **settings: Any,
    ) -> str:
        if source.endswith(".html"):
            template, given = TEMPLATES.get_template(source), values or {}
        else:
            template, given = TEMPLATES.get_template("layout.html"), {"body": Markup(source)}
        shop.put(path, template.render(tag=tag(**settings), **given), headers)
        return path

    return put


@pytest.fixture
def show(put: Callable[..., str], context: BrowserContext) -> Callable[..., Page]:
    """Serve a page as ``put`` does, open it in a tab, a new one if none is given, and wait for
    the tracker.

    ``page.said`` are the warnings and errors on its console, and what was thrown into it.
    """

    def show(source: str, path: str = "/", tab: Page | None = None, **given: Any) -> Page:
        put(source, path, **given)
        page = tab or context.new_page()
        page.said = []
        page.on("console", lambda line: page.said.append(line.text) if line.type in LOUD else None)
        page.on("pageerror", lambda error: page.said.append(f"thrown: {error}"))
        page.goto(path)
        page.wait_for_function("() => window.neuralens && neuralens.version")
        return page

    return show


# What the tests of the runtimes' adapters need: no relay, but a server that a test fills itself.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".py": "text/x-python",
    ".wasm": "application/wasm",
}
# What the program of boundary/main.py finds on every runtime, before anybody clicks.
FINDINGS = {
    "tag": "APP",
    "text": "é\U0001f600",
    "length": 2,
    "flag": True,
    "list": ["a!", "b!"],
    "half": 1,
    "missing is None": True,
    "null is None": True,
    "same": True,
    "not the same": False,
    "not none": False,
    "plain": '{"a":true,"b":[1]}',
    "clock": True,
    "largest": True,
    "lowest": True,
    "small": 2,
    "parsed": {
        "a": [1, 2.5, {"b": None}],
        "é": True,
        "t": 1715644800.25,
        "n": 1715644800123,
    },
    "sum": 3.5,
    "none inside": True,
    "again": True,
    "keys": {"constructor": 1, "7": "x"},
    "broken": True,
    "tiles": ["one", "two"],
    "no attribute": True,
    "no such class": True,
    "storage": True,
    "stored": "value",
    "not stored": True,
    "seen": ["one"],
    "answer": 200,
}
BODY = """
<div data-tile="one" style="height: 50px">One</div>
<div style="height: 4000px"></div>
<div data-tile="two" style="height: 50px">Two</div>
"""


class Site:
    """An HTTP server; ``files`` maps paths to (content, headers), ``posts`` keeps what came."""

    def __init__(self):
        self.files, self.requests, self.posts = {}, [], queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                path = self.path.partition("?")[0]
                if path == "/favicon.ico":
                    return self.answer(200, b"", {})
                site.requests.append(path)
                content, headers = site.files.get(path, (b"", {}))
                return self.answer(200 if path in site.files else 404, content, headers)

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                site.posts.put(json.loads(self.rfile.read(length)))
                self.answer(202, b"{}", {})

            def answer(self, status, content, headers):
                path = self.path.partition("?")[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Type", TYPES.get(Path(path).suffix, TYPES[".html"]))
                # For pages of no origin, whose modules are fetched from another.
                self.send_header("Access-Control-Allow-Origin", "*")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def put(self, path, content, policy=None):
        content = content.encode() if isinstance(content, str) else content
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.files[path] = (content, headers)

    def put_page(self, head, policy=None):
        self.put("/", f"<!doctype html><html><head>{head}</head><body>{BODY}</body></html>", policy)

    def wait_for_post(self):
        return self.posts.get(timeout=10)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site():
    served = Site()
    yield served
    served.close()


@pytest.fixture
def visit(chromium, site):
    """Open the site's page; what is thrown into it fails the test.

    ``before.globals`` are the globals before its first script.
    """
    context = chromium.new_context()
    thrown = []

    def visit():
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.add_init_script("window.before = { globals: Object.getOwnPropertyNames(window) }")
        page.goto(site.url + "/")
        return page

    yield visit
    context.close()
    assert thrown == []


@pytest.fixture(scope="module")
def program():
    """Return the modules of the program that tries an adapter, with the given one."""

    def program(adapter):
        root = Path(__file__).parents[2] / "tracker" / "neuralens_tracker" / "web"
        return {
            "neuralens_tracker": "",
            ENTRY: "from neuralens_tracker.main import start\n",
            "neuralens_tracker.main": (Path(__file__).parent / "boundary/main.py").read_text(),
            "neuralens_tracker.web.ffi": (root / f"ffi_{adapter}.py").read_text(),
        }

    return program


@pytest.fixture
def until():
    """Wait until an expression is true in the page.

    Playwright's own waiting makes a function from text there, which a strict policy forbids.
    """

    def until(page, expression, seconds=20):
        deadline = time.monotonic() + seconds
        while not page.evaluate(expression):
            assert time.monotonic() < deadline, f"{expression} did not come true"
            page.wait_for_timeout(20)

    return until


@pytest.fixture
def findings(until):
    """Wait until the program has found everything, and return it."""

    def findings(page):
        names = json.dumps(list(FINDINGS))
        until(page, f"'found' in window && {names}.every((name) => name in found)")
        return {name: json.loads(text) for name, text in page.evaluate("found").items()}

    findings.expected = FINDINGS
    return findings


@pytest.fixture
def new_globals():
    """Return the names that a page has now and had not before its first script."""

    def new_globals(page):
        return page.evaluate(
            "Object.getOwnPropertyNames(window)"
            ".filter((name) => name !== 'before' && !before.globals.includes(name)).sort()"
        )

    return new_globals


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most tests of the two heavy runtimes to the night: all of them take half an hour.

    The journey always runs on all three, and what Brython's early part keeps in any case.
    """
    for item in items:
        callspec = getattr(item, "callspec", None)
        runtime = callspec.params.get("runtime") if callspec else None
        always = item.path.name == "test_journey.py" or (
            item.path.name == "test_early.py" and runtime == "brython"
        )
        here = item.path.is_relative_to(Path(__file__).parent)
        if here and not always and runtime in ("brython", "pyscript"):
            item.add_marker("nightly")
