"""The relay's balance accounts for every event of a journey with losses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.ledger import JOURNAL
from tests.polling import eventually
from tests.processes import RELAY, Process

SHUT = """() => {
    const { sendBeacon } = navigator;
    const { fetch } = window;
    navigator.sendBeacon = () => false;
    window.fetch = () => Promise.reject(new TypeError("shut"));
    window.open_again = () => Object.assign(window, { fetch }) && delete navigator.sendBeacon;
}"""
TRACK = """([count, name]) => { for (let place = 0; place < count; place += 1)
    neuralens("track", "SHARE", { id: name + place }); }"""


@pytest.fixture
def read_balance(shop, relay_process, sandbox, credentials, tmp_path):
    """Return a function that reads the balance of this test's own relay."""
    environment = {"NEURALENS_API_URL": f"{sandbox.url}/analytics/event"} | credentials
    own = Process(RELAY, environment=environment, cwd=tmp_path)
    shop.relay = own

    def read():
        done = subprocess.run(
            [Path(sys.executable).parent / "neuralens-tracker", "relay", "--balance", "--json"],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        days = [json.loads(line) for line in done.stdout.splitlines()]
        total = dict.fromkeys(("tracked", "stored", "duplicate", "out"), 0)
        lost = {}
        for day in days:
            for name in total:
                total[name] += day[name]
            for reason, count in day["lost"].items():
                lost[reason] = lost.get(reason, 0) + count
        return {**total, "lost": lost}

    yield read
    shop.relay = relay_process
    own.end()


def test_a_journey_with_losses(show, shop, read_balance):
    page = show("")
    # Refused permanently by the relay.
    shop.outage, shop.error = 400, "no batch"
    page.evaluate(TRACK, [2, "refused"])
    page.evaluate("neuralens('flush')")
    eventually(lambda: page.evaluate(JOURNAL) == [])
    shop.outage = None
    # More than a browser queues.
    page.evaluate(SHUT)
    page.evaluate(TRACK, [1003, "over"])
    page.evaluate("open_again()")
    # Corrupted in storage, by a previous page.
    page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((key) => key.startsWith("nl:e:"));
            localStorage.setItem(key, "{[");
            navigator.sendBeacon = () => true;
            window.fetch = () => new Promise(() => {});
        }"""
    )
    page = show("", path="/next", tab=page)
    page.evaluate(TRACK, [1, "last"])
    wanted = {"overflow": 3, "refused": 2, "storage": 1}
    eventually(lambda: page.evaluate(JOURNAL) == [], 60)
    assert read_balance() == {
        "tracked": 1006,
        "stored": 1000,
        "duplicate": 0,
        "out": 0,
        "lost": wanted,
    }
