"""What the sandbox of the API took from the shopper of a test."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page

from tests.clients import connect
from tests.polling import PATIENCE, eventually
from tests.processes import Process

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

    def __init__(
        self, http: httpx.Client, sandbox: Process, relay: Process, strangers: set[str]
    ) -> None:
        self._http = http
        self._sandbox = sandbox
        self._relay = relay
        self._strangers = strangers

    def clear(self) -> None:
        self._http.delete(f"{self._sandbox.url}/ledger").raise_for_status()
        self._http.delete(f"{self._sandbox.url}/faults").raise_for_status()

    def fail(self, **fault: Any) -> None:
        """Have the next requests to the sandbox go wrong, see ``neuralens_demo.faults.Fault``."""
        self._http.post(f"{self._sandbox.url}/faults", json=fault).raise_for_status()

    def entries(self) -> list[Event]:
        """Return the events so far, in order, without controls."""
        events = [
            Event(entry["body"]) for entry in self._http.get(f"{self._sandbox.url}/ledger").json()
        ]
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
        eventually(lambda: control in self._http.get(f"{self._sandbox.url}/ledger").text)
        eventually(lambda: self.metric("neuralens_outbox_waiting") == 0)
        return self.entries()

    def metric(self, name: str) -> float:
        """Return a metric of the relay, which may have another address than when it was ended."""
        lines = self._http.get(f"{self._relay.url}/metrics").text.splitlines()
        (value,) = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
        return float(value)


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
    with connect() as http:
        ledger = Ledger(http, sandbox, relay, strangers)
        ledger.clear()
        yield ledger
