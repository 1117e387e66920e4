"""Chromium without an attached debugger."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.shop import Shop
from tests.clients import CERTIFICATES
from tests.polling import TIMEOUT, eventually


class BareBrowser:
    """Chromium without an attached debugger.

    A debugger such as Playwright keeps pages visible, and prevents prerendering.
    """

    def __init__(self, command: list[str], url: str, folder: Path) -> None:
        self._url = url
        self._command = command
        self._profile = folder / "profile"
        self.start()

    def start(self) -> None:
        """Start it, or restart it with the same profile."""
        port = self._profile / "DevToolsActivePort"
        port.unlink(missing_ok=True)
        profile = f"--user-data-dir={self._profile}"
        self._popen = subprocess.Popen(
            [*self._command, "--headless", "--remote-debugging-port=0", profile],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: port.exists() and port.read_text().count("\n"))
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port.read_text().split()[0]}/json",
            timeout=TIMEOUT,
            verify=CERTIFICATES,
        )

    def open(self, path: str) -> str:
        """Open a page of the shop in a new foreground tab, and return the tab's id."""
        tab = self._http.put(f"new?{self._url}{path}").raise_for_status().json()
        return str(tab["id"])

    def activate(self, tab: str) -> None:
        """Bring a tab to the front."""
        self._http.get(f"activate/{tab}").raise_for_status()

    def close(self, tab: str) -> None:
        """Close a tab, upon which the previous one returns to the front."""
        self._http.get(f"close/{tab}").raise_for_status()

    def has_on_disk(self, text: bytes) -> bool:
        """Return whether the storage of its pages was written to disk with a text."""
        files = (self._profile / "Default" / "Local Storage" / "leveldb").glob("*.log")
        return any(text in path.read_bytes() for path in files)

    def kill(self) -> None:
        """Kill it."""
        self._http.close()
        self._popen.kill()
        self._popen.wait(TIMEOUT)

    def end(self) -> None:
        self._http.close()
        self._popen.terminate()
        self._popen.wait(TIMEOUT)


@pytest.fixture
def bare_browser(
    shop: Shop, application_options: dict[str, Any], tmp_path: Path
) -> Iterator[BareBrowser]:
    command = [application_options["executable_path"], *application_options["args"]]
    browser = BareBrowser(command, shop.url, tmp_path)
    yield browser
    browser.end()
