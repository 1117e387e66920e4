"""The system's Firefox, driven by WebDriver BiDi. Source: https://w3c.github.io/webdriver-bidi/"""

import json
import subprocess
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import connect

from tests.browser.engines import VIEWPORT, firefox_path
from tests.browser.engines.page import Page, ScriptError
from tests.polling import TIMEOUT, eventually

# No background traffic, and no pages that open by themselves.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1/",
    "toolkit.telemetry.enabled": False,
}
# What explains a navigation that was not answered.
EVENTS = [
    f"browsingContext.{event}"
    for event in ("navigationStarted", "navigationCommitted", "navigationFailed", "load")
]
# Seconds until a command without an answer fails.
ANSWER_TIMEOUT = TIMEOUT * 2
DIAGNOSIS_TIMEOUT = 5.0


class UnansweredError(Exception):
    """Firefox did not answer a command in time."""


class Firefox:
    """A browser process; each profile is a user context (``browser.UserContext``)."""

    def __init__(self, folder: Path) -> None:
        profile = folder / "firefox"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines))
        command = [firefox_path() or "", "--headless", "--no-remote", "--remote-debugging-port=0"]
        self._count = 0
        self._events: deque[str] = deque(maxlen=12)
        with ExitStack() as stack:
            output = stack.enter_context((folder / "firefox.log").open("ab"))
            self._popen = subprocess.Popen(
                [*command, f"--profile={profile}"], stdout=output, stderr=output
            )
            stack.callback(self._end)
            address = profile / "WebDriverBiDiServer.json"
            found = eventually(lambda: address.exists() and read_json(address), TIMEOUT * 3)
            url = f"ws://{found['ws_host']}:{found['ws_port']}/session"
            # Without pings: they would give Firefox less time than a command's answer may take.
            self._socket = stack.enter_context(
                connect(url, max_size=None, open_timeout=TIMEOUT, ping_interval=None)
            )
            self.send("session.new", capabilities={})
            self.send("session.subscribe", events=EVENTS)
            # From here on, it runs until it is closed.
            self._parts = stack.pop_all()

    def send(self, method: str, *, timeout: float = ANSWER_TIMEOUT, **params: Any) -> Any:
        """Send a command and return its result.

        Raises ScriptError if it fails, and UnansweredError, with the latest events.
        """
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = json.loads(self._socket.recv(timeout=deadline - time.monotonic()))
            except TimeoutError:
                raise UnansweredError(
                    f"no answer to {method} {params} in {timeout} s, "
                    f"with process status {self._popen.poll()}, after {list(self._events)}"
                ) from None
            if message["type"] == "event":
                event = message["params"]
                self._events.append(f"{message['method']} {event['context']} {event['url']}")
            elif message["id"] == self._count:
                break
        if message["type"] == "error":
            raise ScriptError(f"{message['error']}: {message['message']}")
        return message["result"]

    def new_context(self, base_url: str) -> "Profile":
        """Return a new profile."""
        made = self.send("browser.createUserContext")
        return Profile(self, made["userContext"], base_url)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def close(self) -> None:
        self._parts.close()

    def _end(self) -> None:
        if self._popen.poll() is None:
            self._popen.terminate()
        self._popen.wait(TIMEOUT)


class Profile:
    """A profile with its own cookies and storage."""

    def __init__(self, browser: Firefox, name: str, base_url: str) -> None:
        self._browser = browser
        self._name = name
        self._base_url = base_url

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def new_page(self) -> Page:
        """Open a window, because background tabs are hidden."""
        made = self._browser.send("browsingContext.create", type="window", userContext=self._name)
        context = made["context"]
        self._browser.send("browsingContext.setViewport", context=context, viewport=VIEWPORT)
        return Page(FirefoxTab(self._browser, context), self._base_url)

    def cookies(self) -> list[dict[str, Any]]:
        """Return the cookies of this profile."""
        partition = {"type": "storageKey", "userContext": self._name}
        found = self._browser.send("storage.getCookies", partition=partition)["cookies"]
        return [{"name": each["name"], "value": each["value"]["value"]} for each in found]

    def add_cookies(self, cookies: list[dict[str, str]]) -> None:
        """Set cookies: name, value, and the URL of their site."""
        partition = {"type": "storageKey", "userContext": self._name}
        for each in cookies:
            value = {"type": "string", "value": each["value"]}
            cookie = {
                "name": each["name"],
                "value": value,
                "domain": urlsplit(each["url"]).hostname,
            }
            self._browser.send("storage.setCookie", cookie=cookie, partition=partition)

    def close(self) -> None:
        """Close its windows, and remove its data."""
        self._browser.send("browser.removeUserContext", userContext=self._name)


class FirefoxTab:
    """A window, identified by its browsing context."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def navigate(self, url: str) -> None:
        self._load("browsingContext.navigate", url=url)

    def reload(self) -> None:
        self._load("browsingContext.reload")

    def _load(self, method: str, **params: str) -> None:
        """Send a command that loads a page, and wait until it is loaded.

        Firefox drops it, and never answers, while a navigation by the page itself is about to be
        committed: in its ``remote/shared/Navigate.sys.mjs``, the listener waits for the start of
        a load that was given to the browsing context which that navigation replaces.
        """
        try:
            self._browser.send(method, context=self._context, wait="complete", **params)
        except UnansweredError as error:
            error.add_note(f"The page is at {self._locate()}; did it navigate by itself before?")
            raise

    def _locate(self) -> str:
        """Return the address and the state of the page, for a message."""
        try:
            return self._call(
                "() => location.href + ', ' + document.readyState", [], DIAGNOSIS_TIMEOUT
            )
        except (ScriptError, UnansweredError) as error:
            return f"an unknown address ({error})"

    def go_back(self) -> None:
        self._browser.send("browsingContext.traverseHistory", context=self._context, delta=-1)

    def run(self, function: str, values: list[str]) -> str:
        return self._call(function, values, ANSWER_TIMEOUT)

    def _call(self, function: str, values: list[str], timeout: float) -> str:
        response = self._browser.send(
            "script.callFunction",
            timeout=timeout,
            functionDeclaration=function,
            arguments=[{"type": "string", "value": value} for value in values],
            target={"context": self._context},
            awaitPromise=True,
        )
        if response["type"] == "exception":
            raise ScriptError(response["exceptionDetails"]["text"])
        return str(response["result"]["value"])

    def act(self, sources: list[dict[str, Any]]) -> None:
        self._browser.send("input.performActions", context=self._context, actions=sources)

    def close(self) -> None:
        self._browser.send("browsingContext.close", context=self._context)


def read_json(path: Path) -> Any:
    """Return the JSON value in a file, None while it is being written."""
    text = path.read_text()
    return json.loads(text) if text.endswith(("}", "}\n")) else None
