"""Fixtures of the demo: runs it as a process, with placeholder bundles."""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from neuralens_demo.demonstration import APPLICATION

from tests.clients import CERTIFICATES
from tests.polling import TIMEOUT

SCRIPT = b"/* stands in for the built script */"
CHART_LIBRARY = Path(__file__).parents[2] / "node_modules/chart.js/dist/chart.umd.min.js"
# The command, with the bundles in a folder of the test.
COMMAND = """
import pathlib, sys
from neuralens_embed import bundles
bundles.CHECKOUT = pathlib.Path(sys.argv.pop(1))
from neuralens_demo.cli import demo

demo()
"""


class Demo:
    """A running demo; ``url`` is the shop's address, without a trailing slash."""

    def __init__(self, process, url, ledger):
        self.process, self.url, self.ledger_url = process, url, ledger

    def ledger(self):
        return [
            entry["body"]
            for entry in httpx.get(self.ledger_url, timeout=TIMEOUT, verify=CERTIFICATES).json()
        ]

    def interrupt(self):
        """Send SIGINT, wait for the end, and return the output since the start."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=TIMEOUT)

    def send(self, *events):
        """Post a batch to the relay as the tracker does."""
        name = str(uuid.uuid4())
        batch = {"v": 1, "app": APPLICATION, "batch": name, "sent": time.time(), "lost": 0}
        response = httpx.post(
            f"{self.url}/nl/events?b={name}",
            content=json.dumps(batch | {"events": events}),
            headers={"Content-Type": "text/plain", "Origin": self.url},
            timeout=TIMEOUT,
            verify=CERTIFICATES,
        )
        assert response.status_code == 202, response.text
        assert response.json()["accepted"] == len(events)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A checkout with all files that the demo needs."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "pyproject.toml").touch()
    (folder / "dist" / "demo").mkdir(parents=True)
    shutil.copy(CHART_LIBRARY, folder / "dist" / "demo" / "chart.js")
    digest = base64.b64encode(hashlib.sha384(SCRIPT).digest()).decode()
    entry = {
        "bytes": len(SCRIPT),
        "brotli": 1,
        "integrity": f"sha384-{digest}",
        "runtime": "javascript",
        "version": "0",
    }
    for place in (folder / "dist", folder / "dist" / "demo"):
        (place / "neuralens.js").write_bytes(SCRIPT)
        (place / "manifest.json").write_text(json.dumps({"neuralens.js": entry}))
    return folder


@pytest.fixture(scope="session")
def run_demo(built) -> Callable:
    """Return a context manager that runs a demo; ``temporary`` is its TMPDIR."""

    @contextmanager
    def run(*options, temporary=None):
        folder = str(temporary or tempfile.gettempdir())
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(built), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "TMPDIR": folder},
        )
        try:
            lines = [process.stdout.readline() for _ in range(3)]
            shop, _, ledger = (re.search(r"http://\S+", line)[0] for line in lines)
            yield Demo(process, shop.rstrip("/"), ledger)
        finally:
            process.kill()
            process.communicate()

    return run


@pytest.fixture(scope="session")
def try_demo(built) -> Callable:
    """Return a function that runs a demo that fails to start; ``folder`` is its checkout."""

    def start(*options, folder=built):
        return subprocess.run(
            [sys.executable, "-c", COMMAND, str(folder), *options],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )

    return start


@pytest.fixture(scope="session")
def demo(run_demo):
    """A demo that is shared by tests; each uses its own shopper."""
    with run_demo() as started:
        yield started
