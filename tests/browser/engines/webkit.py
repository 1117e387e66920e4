"""WebKitGTK's MiniBrowser, automated by W3C WebDriver, on its own virtual display."""

import contextlib
import os
import subprocess
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.browser.engines import minibrowser_path
from tests.browser.engines.page import Page, ScriptError
from tests.clients import connect
from tests.polling import TIMEOUT, eventually

RUN = """const done = arguments[arguments.length - 1];
(FUNCTION)(...[...arguments].slice(0, -1)).then(
    (text) => done(["", text]), (error) => done([String(error), ""]));"""


class WebKit:
    """A virtual display, and a browser on it, which is started on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._display = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._display.stdout
        self._environment = os.environ | {"DISPLAY": f":{self._display.stdout.readline().strip()}"}
        self._browser: Browser | None = None
        self._numbers = count(1)

    def new_context(self, base_url: str) -> "Profile":
        """Return a new profile, in another browser if the last one has crashed."""
        if self._browser and not self._browser.responds():
            self._browser.close()
            self._browser = None
        if not self._browser:
            self._browser = Browser(self._environment, self._folder / "webkit.log")
        return Profile(self._browser, base_url, next(self._numbers))

    def close(self) -> None:
        if self._browser:
            self._browser.close()
        self._display.terminate()
        self._display.wait(TIMEOUT)
        assert self._display.stdout
        self._display.stdout.close()


class Browser:
    """A browser process with its driver, which has only one session."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._current = ""
        with log.open("ab") as output:
            self._driver = subprocess.Popen(
                ["WebKitWebDriver", "--port=0"], env=environment, stdout=output, stderr=output
            )
        port = eventually(lambda: listening_port(self._driver.pid))
        self._http = connect(f"http://127.0.0.1:{port}", TIMEOUT * 2)
        options = {"binary": minibrowser_path(), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        session = self._send("POST", "/session", {"capabilities": wanted})
        self._path = f"/session/{session['sessionId']}"
        # The initial window stays open, because the browser ends without any.
        self.first = self._send("GET", f"{self._path}/window")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        response = self._http.request(method, path, json=body if method == "POST" else None)
        value = response.json()["value"]
        if response.status_code != 200:
            # Exceptions are caught within the script, so this is a syntax error.
            kind = "SyntaxError" if value["error"] == "javascript error" else value["error"]
            raise ScriptError(f"{kind}: {value['message']}")
        return value

    def command(self, tab: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a WebDriver command to a tab."""
        if tab != self._current:
            self._send("POST", f"{self._path}/window", {"handle": tab})
            self._current = tab
        return self._send(method, self._path + path, body)

    def handles(self) -> list[str]:
        """Return the windows, the newest one last."""
        return list(self._send("GET", f"{self._path}/window/handles"))

    def close_window(self, handle: str) -> None:
        """Close a window, with unload events."""
        self.command(handle, "DELETE", "/window")
        self._current = ""

    def responds(self) -> bool:
        """Return whether the browser is still running."""
        try:
            return self.first in self.handles()
        except (ScriptError, httpx.HTTPError):
            return False

    def close(self) -> None:
        """End browser and driver."""
        try:
            self._send("DELETE", self._path)
        except (ScriptError, httpx.HTTPError):
            # It has crashed.
            for child in browser_pids(self._driver.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, 9)
        finally:
            self._http.close()
            self._driver.terminate()
            self._driver.wait(TIMEOUT)


class Profile:
    """The windows of a host of its own, since the browser has one profile for all hosts.

    So its cookies and storage are its own, even those that come after it was closed.
    """

    def __init__(self, browser: Browser, base_url: str, number: int) -> None:
        self._browser = browser
        self._base_url = on_host(base_url, f"profile{number}.localhost")
        self._host = str(urlsplit(self._base_url).hostname)

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def new_page(self) -> Page:
        """Open a window."""
        made = self._browser.command(self._browser.first, "POST", "/window/new", {"type": "window"})
        return Page(WebKitTab(self._browser, made["handle"]), self._base_url)

    def cookies(self) -> list[dict[str, Any]]:
        """Return the cookies of the page in the newest window."""
        return list(self._browser.command(self._browser.handles()[-1], "GET", "/cookie"))

    def add_cookies(self, cookies: list[dict[str, str]]) -> None:
        """Set cookies: name, value, and the URL of their site, opened in another window."""
        for each in cookies:
            url = on_host(each["url"], self._host) + "/nl/health"
            self._browser.command(self._browser.first, "POST", "/url", {"url": url})
            cookie = {"name": each["name"], "value": each["value"]}
            self._browser.command(self._browser.first, "POST", "/cookie", {"cookie": cookie})

    def close(self) -> None:
        """Close its windows, unless the browser has crashed."""
        if self._browser.responds():
            for handle in self._browser.handles():
                if handle != self._browser.first:
                    self._browser.close_window(handle)


class WebKitTab:
    """A tab, identified by its handle."""

    def __init__(self, browser: Browser, handle: str) -> None:
        self._browser = browser
        self._handle = handle

    def _command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._browser.command(self._handle, method, path, body)

    def navigate(self, url: str) -> None:
        self._command("POST", "/url", {"url": url})

    def reload(self) -> None:
        self._command("POST", "/refresh", {})

    def go_back(self) -> None:
        self._command("POST", "/back", {})

    def run(self, function: str, values: list[str]) -> str:
        script = RUN.replace("FUNCTION", function)
        error, text = self._command("POST", "/execute/async", {"script": script, "args": values})
        if error:
            raise ScriptError(error)
        return str(text)

    def act(self, sources: list[dict[str, Any]]) -> None:
        self._command("POST", "/actions", {"actions": sources})

    def close(self) -> None:
        self._browser.close_window(self._handle)


def on_host(url: str, host: str) -> str:
    """Return a URL with another name for this machine."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{host}:{parts.port}").geturl()


def child_pids(pid: int) -> list[int]:
    """Return the child processes of a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended
    return [int(child) for child in text.split()]


def browser_pids(driver: int) -> list[int]:
    """Return the browser that a driver has started, and its child processes."""
    found: list[int] = []
    waiting = child_pids(driver)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += child_pids(pid)
    return found


def open_files(pid: int) -> list[str]:
    """Return the targets of a process's file descriptors."""
    targets: list[str] = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # The process may close a descriptor meanwhile.
        with contextlib.suppress(FileNotFoundError):
            targets.append(str(link.readlink()))
    return targets


def listening_port(pid: int) -> int | None:
    """Return the TCP port on which a process listens; the driver does not report it."""
    inodes = {
        target.removeprefix("socket:[").removesuffix("]")
        for target in open_files(pid)
        if target.startswith("socket:[")
    }
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        # 0A is the state LISTEN.
        if fields[3] == "0A" and fields[9] in inodes:
            return int(fields[1].split(":")[1], 16)
    return None
