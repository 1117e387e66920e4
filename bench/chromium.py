"""Chromium, started anew for each sample, so that samples are cold and independent."""

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
# The first category contains the tasks that the developer tools show.
TRACED = ["disabled-by-default-devtools.timeline", "blink.user_timing"]


@contextmanager
def fresh_page(playwright: Playwright) -> Iterator[Page]:
    """Start a browser and yield its only page."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        raise click.ClickException("no browser was found on PATH: install Chromium")
    browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
    try:
        yield browser.new_page()
    finally:
        browser.close()


def slow_down(page: Page, rate: int) -> None:
    """Throttle the page's CPU by a factor of ``rate``."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": rate})


@dataclass
class Trace:
    """The main thread's tasks, available after the block.

    ``tasks`` are their durations, ``processor`` is the processor time of all, in milliseconds.
    """

    tasks: list[float]
    processor: float = 0


@contextmanager
def traced(page: Page, begin: str, end: str) -> Iterator[Trace]:
    """Trace the block, and keep the tasks between two performance marks.

    The task in which the first mark is set is included.
    """
    browser: Browser | None = page.context.browser
    assert browser is not None
    trace = Trace([])
    browser.start_tracing(page=page, categories=TRACED)
    yield trace
    events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = {event["name"]: event for event in events if event["name"] in (begin, end)}
    first, last = marks[begin], marks[end]
    tasks = [
        event
        for event in events
        if (event["name"], event["ph"]) == ("RunTask", "X")
        and (event["pid"], event["tid"]) == (first["pid"], first["tid"])
        and event["ts"] + event["dur"] > first["ts"]
        and event["ts"] < last["ts"]
    ]
    trace.tasks = [task["dur"] / 1000 for task in tasks]
    trace.processor = sum(task["tdur"] for task in tasks) / 1000
