"""Starts the browser of a visit, and stops one that no longer responds."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from neuralens_embed.commands import WrongInput
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as BrowserError

from neuralens_verify.probes import error_message

# Names on PATH of Chromium and browsers derived from it.
EXECUTABLES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "brave-browser",
)


@contextmanager
def chromium(path: str | None) -> Iterator[Browser]:
    """Start Chromium: the given one, one on PATH, or Playwright's own; raises WrongInput."""
    executable = path or next(filter(None, map(shutil.which, EXECUTABLES)), None)
    # Chromium refuses to start its sandbox as root, as in containers.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=executable, args=arguments)
        except BrowserError as error:
            raise WrongInput(
                f"cannot start Chromium ({error_message(error)}): install it, run"
                " `playwright install chromium`, or give its path with --browser"
            ) from error
        try:
            yield launched
        finally:
            launched.close()


@contextmanager
def time_limit(browser: Browser, seconds: float) -> Iterator[threading.Event]:
    """Stop the browser after a time; yield an event that is set when that has happened.

    Playwright would wait forever for a page whose script never ends.
    """
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    process = next(each["id"] for each in processes if each["type"] == "browser")
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        os.kill(process, signal.SIGTERM)

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        yield stopped
    finally:
        timer.cancel()
