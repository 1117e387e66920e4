"""A program that tests a runtime's adapter in place of the tracker, and its expected findings."""

import json
from pathlib import Path

import pytest
from neuralens_build.sources import ENTRY

from tests.polling import eventually

# The findings of boundary/main.py on every runtime, before any click.
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


@pytest.fixture(scope="module")
def program():
    """Return the modules of the program, with the given adapter."""

    def program(adapter):
        root = Path(__file__).parents[3] / "tracker" / "neuralens_tracker" / "web"
        return {
            "neuralens_tracker": "",
            ENTRY: "from neuralens_tracker.main import start\n",
            "neuralens_tracker.main": Path(__file__).with_name("main.py").read_text(),
            "neuralens_tracker.web.ffi": (root / f"ffi_{adapter}.py").read_text(),
        }

    return program


@pytest.fixture
def until():
    """Wait until an expression is true in the page.

    Playwright's own waiting needs eval, which a strict policy forbids.
    """

    return lambda page, expression: eventually(lambda: page.evaluate(expression))


@pytest.fixture
def findings(until):
    """Wait until all findings are there, and return them."""

    def findings(page):
        names = json.dumps(list(FINDINGS))
        until(page, f"'found' in window && {names}.every((name) => name in found)")
        return {name: json.loads(text) for name, text in page.evaluate("found").items()}

    return findings


@pytest.fixture
def new_globals():
    """Return the globals that were added to a page since before its first script."""

    def new_globals(page):
        return page.evaluate(
            "Object.getOwnPropertyNames(window)"
            ".filter((name) => name !== 'before' && !before.globals.includes(name)).sort()"
        )

    return new_globals
