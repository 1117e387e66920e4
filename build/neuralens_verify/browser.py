"""Starts the browser of a visit."""

import os
import shutil
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
