"""Fixtures of the relay's tests: a sandbox process, and relays in threads and processes."""

import math
import os
import resource
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self
from uuid import uuid4

import apsw
import httpx
import pytest
import redis
import uvicorn
from neuralens_relay import Settings, create_app
from neuralens_relay.serving import listen
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from tests.clients import connect
from tests.polling import TIMEOUT, eventually
from tests.processes import APPLICATION, KEY, RELAY, SANDBOX, Process


def make_event(**fields: Any) -> dict[str, Any]:
    """Return a valid event with a new id."""
    event = {
        "eid": str(uuid4()),
        "uid": None,
        "items": [{"id": "AV768"}],
        "event": "CLICK_PRODUCT",
        "timestamp": 1715644800,
    }
    return event | fields


def make_batch(*events: Any, **fields: Any) -> dict[str, Any]:
    """Return a valid envelope."""
    envelope = {
        "v": 1,
        "app": APPLICATION,
        "batch": str(uuid4()),
        "sent": time.time(),
        "lost": 0,
        "events": list(events),
    }
    return envelope | fields


class Client:
    """A client of a relay, for requests of pages and of operators."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = connect(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def post(self, body: Any, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else httpx.Request("POST", "/", json=body).content
        merged = {"Content-Type": "text/plain;charset=UTF-8"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.http.post("events", content=content, headers=merged)

    def send(self, *events: Any) -> dict[str, Any]:
        response = self.post(make_batch(*events))
        assert response.status_code == 202, response.text
        return response.json()

    def health(self) -> dict[str, Any]:
        return self.http.get("health").json()

    def metric(self, name: str, missing: float = 0.0) -> float:
        for line in self.http.get("metrics").text.splitlines():
            if line.startswith((f"{name} ", f"{name}{{")):
                return float(line.rsplit(" ", 1)[1])
        return missing

    def queued(self) -> float:
        """Return the number of queued events; infinity while the outbox cannot be read."""
        return self.metric("neuralens_outbox_waiting", math.inf)


class Sandbox:
    """The sandbox of the event API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = connect(url)

    def bodies(self) -> list[dict[str, Any]]:
        return [entry["body"] for entry in self.http.get("ledger").json()]

    def ids(self) -> list[str]:
        return [body["items"][0]["id"] for body in self.bodies()]

    def fail(self, **fault: Any) -> None:
        self.http.post("faults", json=fault).raise_for_status()

    def pending(self) -> list[dict[str, Any]]:
        return self.http.get("faults").json()

    def clear_faults(self) -> None:
        self.http.delete("faults").raise_for_status()

    def clear(self) -> None:
        self.clear_faults()
        self.http.delete("ledger").raise_for_status()


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(
        SANDBOX,
        environment={"NEURALENS_API_KEY": KEY, "NEURALENS_APPLICATION_ID": APPLICATION},
        cwd=tmp_path_factory.mktemp("sandbox"),
    )
    yield process
    process.end()


@pytest.fixture
def sandbox(sandbox_process: Process) -> Iterator[Sandbox]:
    sandbox = Sandbox(sandbox_process.url)
    with sandbox.http:
        sandbox.clear()
        yield sandbox


def make_environment(api: str, folder: Path) -> dict[str, str]:
    """Return the environment of a relay with short delays."""
    return {
        "NEURALENS_API_KEY": KEY,
        "NEURALENS_APPLICATION_ID": APPLICATION,
        "NEURALENS_API_URL": f"{api}/analytics/event",
        "NEURALENS_OUTBOX": f"sqlite:///{folder}/outbox.db",
        "NEURALENS_BACKOFF_BASE": "0.02",
        "NEURALENS_BACKOFF_CAP": "0.1",
        "NEURALENS_PROBE": "0.2",
        "NEURALENS_TIMEOUT": "5",
        "NEURALENS_GRACE": "5",
    }


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The environment of a relay that forwards to the sandbox."""
    return make_environment(sandbox.url, tmp_path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let no other process write to an outbox."""
    with closing(apsw.Connection(str(path))) as database:
        database.set_busy_timeout(int(TIMEOUT * 1000))
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def unused_port() -> int:
    """Return an unused port below those that systems give to connections, which may take it."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port


@pytest.fixture
def api_down(tmp_path: Path) -> dict[str, str]:
    """The environment of a relay whose API is unreachable."""
    return make_environment(f"http://127.0.0.1:{unused_port()}", tmp_path)


@pytest.fixture(scope="session")
def shared_relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A relay process shared by tests that do not inspect its outbox; its API is unreachable."""
    folder = tmp_path_factory.mktemp("shared-relay")
    environment = make_environment(f"http://127.0.0.1:{unused_port()}", folder)
    process = spawn_relay(environment, folder)
    with Client(process.url) as client:
        yield client
    assert process.end() == 0


def spawn_relay(
    environment: dict[str, str], folder: Path, descriptors: int | None = None
) -> Process:
    """Start a relay process with at most ``descriptors`` file descriptors."""
    return Process(RELAY, environment=environment, cwd=folder, descriptors=descriptors)


@contextmanager
def redis_server(folder: Path, port: int, *more: str) -> Iterator[str]:
    """Run a Redis that writes to disk before it responds; ``more`` are further arguments."""
    settings = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--dir", str(folder), *settings, *more],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            eventually(lambda: is_up(client))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        # It ignores SIGTERM while it writes its first append-only file, as a new replica does.
        process.kill()
        process.wait(TIMEOUT)


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis"), unused_port()) as address:
        yield address


def is_up(client: redis.Redis) -> bool:
    """Return whether Redis responds."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture
def redis_address(redis_process: str) -> str:
    """The address of an empty Redis."""
    with redis.Redis.from_url(redis_process) as client:
        client.flushall()
    return redis_process


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """A folder of bundles with a small, a large and a nested file."""
    folder = tmp_path / "dist"
    (folder / "pyscript").mkdir(parents=True)
    (folder / "neuralens.js").write_text("(function(){" + "track();" * 400 + "})()")
    (folder / "pyscript" / "core.wasm").write_bytes(bytes(range(256)) * 1000)
    (folder / "pyscript" / "packed.zip").write_bytes(bytes(range(256)))
    (folder / "secret.txt").write_text("not in the manifest")
    (folder / "neuralens.js.map").write_text('{"version": 3}')
    names = ["neuralens.js", "neuralens.js.map", "pyscript/core.wasm", "pyscript/packed.zip"]
    manifest = ", ".join(f'"{name}": {{}}' for name in names)
    (folder / "manifest.json").write_text("{" + manifest + "}")
    return folder


class QuietServer(uvicorn.Server):
    """A server for threads, without signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def serving(app: ASGIApp, lifespan: str = "on", **more: Any) -> Iterator[str]:
    """Serve an application on a port, and yield its address; ``more`` is for uvicorn."""
    config = uvicorn.Config(
        app, log_config=None, lifespan=lifespan, timeout_graceful_shutdown=5, **more
    )
    server = QuietServer(config)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        eventually(lambda: server.started or not thread.is_alive())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def start(bundles: Path) -> Iterator[Callable[[dict[str, str]], Client]]:
    """Return a function that starts a relay in a thread, from an environment."""
    with ExitStack() as running:

        def start_relay(environment: dict[str, str]) -> Client:
            app = create_app(Settings.from_environment(environment), bundles)
            return running.enter_context(Client(running.enter_context(serving(app))))

        yield start_relay


@pytest.fixture
def start_lazily(bundles: Path) -> Iterator[Callable[[dict[str, str]], Client]]:
    """Return a function that starts a relay mounted at /nl without lifespan events."""
    with ExitStack() as running:

        def start_mounted(environment: dict[str, str]) -> Client:
            app = create_app(Settings.from_environment(environment), bundles)
            site = Starlette(routes=[Mount("/nl", app)])
            running.callback(app.state.relay.close)
            url = running.enter_context(serving(site))
            return running.enter_context(Client(f"{url}/nl"))

        yield start_mounted


@pytest.fixture
def relay(start: Callable[[dict[str, str]], Client], environment: dict[str, str]) -> Client:
    """A relay that forwards to the sandbox."""
    return start(environment)


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., tuple[Client, Process]]]:
    """Return a function that starts a relay process."""
    with ExitStack() as running:

        def spawn(
            environment: dict[str, str], descriptors: int | None = None
        ) -> tuple[Client, Process]:
            process = spawn_relay(environment, tmp_path, descriptors)
            running.callback(process.end, signal.SIGKILL)
            return running.enter_context(Client(process.url)), process

        yield spawn


@contextmanager
def amid(code: CodeType, *changes: Callable[[], object]) -> Iterator[None]:
    """Make one change before each of the first lines that a function executes in this thread.

    Another thread may make them at any moment.
    """
    left = iter(changes)

    def change(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            next(left, int)()
        return change

    former = sys.gettrace()
    sys.settrace(lambda frame, *_: change if frame.f_code is code else None)
    try:
        yield
    finally:
        sys.settrace(former)
