"""WebKitGTK's MiniBrowser, automated by W3C WebDriver, on its own virtual display."""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.browser.engines import minibrowser_path
from tests.browser.engines.page import Page, ScriptError
from tests.clients import connect
from tests.polling import TIMEOUT, eventually

RUN = """const done = arguments[arguments.length - 1];
(FUNCTION)(...[...arguments].slice(0, -1)).then(
    (text) => done(["", text]), (error) => done([String(error), ""]));"""


class WebKit:
    """A virtual display, and the drivers of all profiles."""

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

    def new_context(self, base_url: str) -> "Profile":
        """Start a browser with a new profile; each driver has one session."""
        return Profile(self._environment, self._folder / "webkit.log", base_url)

    def close(self) -> None:
        self._display.terminate()
        self._display.wait(TIMEOUT)
        assert self._display.stdout
        self._display.stdout.close()


class Profile:
    """A browser process with its driver."""

    def __init__(self, environment: dict[str, str], log: Path, base_url: str) -> None:
        self._base_url = base_url
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
        self._first = self._send("GET", f"{self._path}/window")

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def new_page(self) -> Page:
        """Open a window. The initial one stays open, because the browser ends without any."""
        made = self.command(self._first, "POST", "/window/new", {"type": "window"})
        return Page(WebKitTab(self, made["handle"]), self._base_url)

    def reset_tab(self) -> None:
        """Record that the current tab was closed."""
        self._current = ""

    def cookies(self) -> list[dict[str, Any]]:
        """Return the cookies of the page in the newest window."""
        *_, handle = self._send("GET", f"{self._path}/window/handles")
        return list(self.command(handle, "GET", "/cookie"))

    def add_cookies(self, cookies: list[dict[str, str]]) -> None:
        """Set cookies: name, value, and the URL of their site, opened in another window."""
        for each in cookies:
            self.command(self._first, "POST", "/url", {"url": each["url"] + "/nl/health"})
            cookie = {"name": each["name"], "value": each["value"]}
            self.command(self._first, "POST", "/cookie", {"cookie": cookie})

    def kill(self) -> None:
        """Kill the browser."""
        for child in browser_pids(self._driver.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)

    def close(self) -> None:
        """End browser and driver."""
        try:
            self._send("DELETE", self._path)
        except (ScriptError, httpx.HTTPError):
            # The test has killed it.
            self.kill()
        finally:
            self._http.close()
            self._driver.terminate()
            self._driver.wait(TIMEOUT)


class WebKitTab:
    """A tab, identified by its handle."""

    def __init__(self, profile: Profile, handle: str) -> None:
        self._profile = profile
        self._handle = handle

    def _command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._profile.command(self._handle, method, path, body)

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

    def activate(self) -> None:
        self._command("POST", "/window/rect", {})

    def close(self) -> None:
        self._command("DELETE", "/window")
        self._profile.reset_tab()


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
