"""The events that the sandbox of the API has received from a test's shopper."""

import math
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page

from tests.clients import connect
from tests.polling import TIMEOUT, eventually, pause
from tests.processes import Process

# Inserts a control tile into the viewport, and flushes its event once it was seen.
AWAIT_CONTROL = """([id, timeout]) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(id + " was not seen")), timeout);
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
# The storage keys of the events whose outcome the page does not know yet; none without storage.
JOURNAL = """() => {
    try {
        return Object.keys(localStorage).filter((key) => key.startsWith("nl:e:"));
    } catch {
        return [];
    }
}"""


class Event(dict[str, Any]):
    """The body of a request to the API, as the sandbox received it."""

    @property
    def name(self) -> str:
        return str(self["event"])

    @property
    def id(self) -> str:
        return str(self["items"][0]["id"])


class Ledger:
    """The events that the sandbox received in this test.

    Late events of earlier tests, recognized by their uids, are ignored.
    """

    def __init__(
        self, http: httpx.Client, sandbox: Process, relay: Process, earlier_uids: set[str]
    ) -> None:
        self._http = http
        self._sandbox = sandbox
        self._relay = relay
        self._earlier_uids = earlier_uids

    def clear(self) -> None:
        self._http.delete(f"{self._sandbox.url}/ledger").raise_for_status()
        self._http.delete(f"{self._sandbox.url}/faults").raise_for_status()

    def fail(self, **fault: Any) -> None:
        """Inject faults into the sandbox's next responses, see ``neuralens_demo.faults.Fault``."""
        self._http.post(f"{self._sandbox.url}/faults", json=fault).raise_for_status()

    def entries(self) -> list[Event]:
        """Return the events so far, in order, without control tiles."""
        events = [
            Event(entry["body"]) for entry in self._http.get(f"{self._sandbox.url}/ledger").json()
        ]
        return [
            event
            for event in events
            if event["uid"] not in self._earlier_uids and not event.id.startswith(CONTROL)
        ]

    def wait_for(self, count: int, timeout: float = TIMEOUT) -> list[Event]:
        """Wait for at least ``count`` events, and return all."""
        start = time.monotonic()
        while len(entries := self.entries()) < count:
            waited = time.monotonic() - start
            assert waited < timeout, f"{len(entries)} events, not {count}: {entries}"
            pause(waited)
        return entries

    def wait_for_all(self, page: Page) -> list[Event]:
        """Wait until all events that a visible page has captured have arrived, and return them.

        Waits for the event of a control tile, which is captured after all previous ones, and for
        an empty journal, because batches may arrive in another order than they were sent.
        """
        control = CONTROL + uuid4().hex
        page.evaluate(AWAIT_CONTROL, [control, TIMEOUT * 1000])
        eventually(lambda: control in self._http.get(f"{self._sandbox.url}/ledger").text)
        eventually(lambda: page.evaluate(JOURNAL) == [])
        eventually(lambda: self.metric("neuralens_outbox_waiting") == 0)
        return self.entries()

    def metric(self, name: str) -> float:
        """Return a metric of the relay, whose address may change when it is restarted.

        NaN if it is omitted, as those of an outbox that cannot be read at the moment.
        """
        lines = self._http.get(f"{self._relay.url}/metrics").text.splitlines()
        values = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
        return float(values[0]) if values else math.nan


@pytest.fixture(scope="session")
def earlier_uids() -> set[str]:
    """The uids of earlier tests."""
    return set()


@pytest.fixture
def uid(earlier_uids: set[str]) -> Iterator[str]:
    """The uid of this test's shopper, unless a page is shown with another one, or None."""
    made = f"shopper-{uuid4().hex[:8]}"
    yield made
    earlier_uids.add(made)


@pytest.fixture
def ledger(sandbox: Process, relay: Process, earlier_uids: set[str]) -> Iterator[Ledger]:
    with connect() as http:
        ledger = Ledger(http, sandbox, relay, earlier_uids)
        ledger.clear()
        yield ledger
