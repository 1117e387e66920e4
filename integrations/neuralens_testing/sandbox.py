"""Relay and sandbox for tests: starts the command ``dev``, or uses a running one."""

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from markupsafe import Markup
from neuralens_embed.names import RELAY_PATH
from neuralens_embed.snippet import Snippet

# Seconds until the command has started, and until a request has a response.
START_TIMEOUT, REQUEST_TIMEOUT = 30.0, 10.0
COMMAND = "from neuralens_embed.cli import main; main()"
ADDRESS = "Inspector: "
BATCHES = re.compile(r'^neuralens_batches_total\{status="(\d+)"\} (\S+)$', re.MULTILINE)


class SandboxError(RuntimeError):
    """The sandbox does not start, or does not respond."""


class Sandbox:
    """A relay with a sandbox of the API behind it, at one URL.

    ``settings`` are the environment variables of a relay of the shop's own that is to send here.
    """

    def __init__(self, url: str, application: str, settings: dict[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self.application = application
        self.settings = settings or {}

    def snippet(self, **settings: Any) -> Markup:
        """Return the snippet for a page without a proxy; ``settings`` are those of ``Snippet``."""
        return Snippet(self.application, prefix=self.url + RELAY_PATH, **settings).render()

    def ledger(self) -> list[dict[str, Any]]:
        """Return what the sandbox accepted, oldest first, each with ``sequence`` and ``body``."""
        entries: list[dict[str, Any]] = self._ask("/ledger")
        return entries

    def refusals(self) -> list[dict[str, Any]]:
        """Return what the sandbox refused, oldest first, each with ``sequence`` and ``reason``."""
        entries: list[dict[str, Any]] = self._ask("/refusals")
        return entries

    def waiting(self) -> int:
        """Return how many events the relay has yet to forward."""
        return int(self._ask(f"{RELAY_PATH}/health")["waiting"] or 0)

    def batches(self) -> Counter[int]:
        """Return how many batches the relay has answered, by HTTP status."""
        metrics = self._fetch(f"{RELAY_PATH}/metrics").decode()
        return Counter({int(status): int(float(n)) for status, n in BATCHES.findall(metrics)})

    def _ask(self, path: str) -> Any:
        try:
            return json.loads(self._fetch(path))
        except ValueError as error:
            raise SandboxError(f"{self.url}{path} is no JSON: {error}") from error

    def _fetch(self, path: str) -> bytes:
        try:
            with urlopen(Request(self.url + path), timeout=REQUEST_TIMEOUT) as response:  # noqa: S310
                content: bytes = response.read()
                return content
        except (URLError, OSError) as error:
            raise SandboxError(f"the sandbox at {self.url} does not respond: {error}") from error


@contextmanager
def start_sandbox(application: str) -> Iterator[Sandbox]:
    """Run relay and sandbox on a free port, as a context manager; raises SandboxError.

    Each process that runs tests has its own, so that tests may run side by side.
    """
    # A file, because nobody reads a pipe in the meantime: a full one would stop the relay.
    with TemporaryFile("w+") as log:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, and nothing from outside
            [sys.executable, "-u", "-c", COMMAND, "dev", "--app-id", application, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield read_introduction(process, application, log)
        finally:
            process.terminate()
            process.communicate()


def read_introduction(process: "subprocess.Popen[str]", application: str, log: IO[str]) -> Sandbox:
    """Return the sandbox at the URLs that the command prints, once it responds."""
    assert process.stdout  # noqa: S101 - asked for above
    url, settings = "", {}
    # Kill a command that hangs, which also ends reading from it.
    timer = threading.Timer(START_TIMEOUT, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if line.startswith(ADDRESS):
                url = line.removeprefix(ADDRESS).split()[0]
            name, _, value = line.strip().partition("=")
            if name.startswith("NEURALENS_"):
                settings[name] = value
            if name == "NEURALENS_API_KEY":
                return Sandbox(url, application, settings)
    finally:
        timer.cancel()
    process.wait()
    log.seek(0)
    raise SandboxError(f"the sandbox does not start: {log.read().strip()}")
