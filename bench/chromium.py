"""Chromium, a new one for each sample: nothing is warm, and no sample rests on another."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
from playwright.sync_api import Browser, Page, Playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
# The first is what the browser's own developer tools draw their tasks from.
TRACED = ["disabled-by-default-devtools.timeline", "blink.user_timing"]


@contextmanager
def fresh_page(playwright: Playwright) -> Iterator[Page]:
    """Start a browser and give its only page."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise click.ClickException("there is no browser: install Chromium")
    browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
    try:
        yield browser.new_page()
    finally:
        browser.close()


def slow_down(page: Page, rate: int) -> None:
    """Make the page's processor ``rate`` times slower."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": rate})


@dataclass
class Trace:
    """The tasks of a page's main thread, in milliseconds, once the block is left."""

    tasks: list[float]


@contextmanager
def traced(page: Page, begin: str, end: str) -> Iterator[Trace]:
    """Trace what the block does; keep the tasks that began between two performance marks.

    The task in which the first mark is set counts too.
    """
    browser: Browser | None = page.context.browser
    assert browser is not None
    trace = Trace([])
    browser.start_tracing(page=page, categories=TRACED)
    yield trace
    events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = {event["name"]: event for event in events if event["name"] in (begin, end)}
    first, last = marks[begin], marks[end]
    trace.tasks = [
        event["dur"] / 1000
        for event in events
        if (event["name"], event["ph"]) == ("RunTask", "X")
        and (event["pid"], event["tid"]) == (first["pid"], first["tid"])
        and event["ts"] + event["dur"] > first["ts"]
        and event["ts"] < last["ts"]
    ]
