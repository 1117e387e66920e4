"""A page in Firefox or WebKit, with the part of Playwright's interface that the tests use."""

import json
import re
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urljoin

from tests.polling import TIMEOUT, eventually

# Evaluates an expression, or calls it if it is a function, as Playwright does. The source is part
# of the script, because the page's policy may forbid eval.
EVALUATE = """async (argument) => {
    let value = (SOURCE
    );
    value = await (typeof value === "function" ? value(JSON.parse(argument)) : value);
    return JSON.stringify(value) ?? "null";
}"""
EXECUTE = """async () => {
    SOURCE;
    return "null";
}"""
# Finds the elements of a locator: each step is a CSS selector, or a role and a name.
FIND = """const find = (steps) => {
    const ROLES = {
        article: "article", button: "button, [role=button]", combobox: "[role=combobox]",
        link: "a[href]", option: "[role=option]",
    };
    let roots = [document];
    for (const [selector, role, name] of steps) {
        const within = roots.flatMap((root) =>
            [...root.querySelectorAll(role ? ROLES[role] : selector)]);
        roots = [...new Set(within)].filter((element) => !name || (
            element.checkVisibility() && (element.getAttribute("aria-label")
                || element.textContent).toLowerCase().includes(name.toLowerCase())));
    }
    return roots;
};
"""
# The center of the first element, once it is visible, stable and not covered.
LOCATE = """async ([element]) => {
    if (!element || !element.checkVisibility({ visibilityProperty: true })) return null;
    element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const measure = () => element.getClientRects()[0];
    const before = measure();
    await new Promise((resolve) => setTimeout(resolve, 40));
    const box = measure();
    if (!box || box.x !== before.x || box.y !== before.y) return null;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const top = element.getRootNode().elementFromPoint(x, y);
    if (!top || !(element.contains(top) || top.contains(element))) return null;
    return [Math.floor(x), Math.floor(y)];
}"""
# The code points of keys without a character. Source: W3C WebDriver, 17.4.2 Keyboard actions.
KEYS = {
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Tab": "\ue004",
    "Backspace": "\ue003",
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
}
# Collects console messages and exceptions for ``console_messages``.
LISTEN = """window.nlMessages = [];
for (const level of ["warn", "error"]) {
    const say = console[level];
    console[level] = function (...values) {
        nlMessages.push(values.join(" "));
        return say.apply(this, values);
    };
}
addEventListener("error", (event) => nlMessages.push("thrown: " + event.message));
addEventListener("unhandledrejection", (event) => nlMessages.push("thrown: " + event.reason));"""


class ScriptError(Exception):
    """A script threw an exception, or the page was unloaded while it ran."""


class Tab(Protocol):
    """The operations of a protocol on a tab."""

    def navigate(self, url: str) -> None:
        """Open a URL and wait until it is loaded."""

    def reload(self) -> None:
        """Reload the page and wait until it is loaded."""

    def go_back(self) -> None:
        """Go back in the tab's history."""

    def run(self, function: str, values: list[str]) -> str:
        """Call a function with strings, await its promise and return its string.

        Raises ScriptError.
        """

    def act(self, sources: list[dict[str, Any]]) -> None:
        """Perform input actions. Source: W3C WebDriver, 17.4 Processing actions."""

    def close(self) -> None:
        """Close the tab, with unload events."""


class Page:
    """A page, whose actions wait until they are possible."""

    def __init__(self, tab: Tab, base_url: str) -> None:
        self._tab = tab
        self._base_url = base_url

    @property
    def console_messages(self) -> list[str]:
        """The page's console messages and exceptions, if it starts with ``LISTEN``."""
        return list(self.evaluate("window.nlMessages || []"))

    @property
    def url(self) -> str:
        return str(self.evaluate("location.href"))

    def goto(self, path: str) -> None:
        self._tab.navigate(urljoin(self._base_url, path))

    def reload(self) -> None:
        self._tab.reload()

    def go_back(self) -> None:
        self._tab.go_back()

    def close(self) -> None:
        self._tab.close()

    def evaluate(self, expression: str, arg: Any = None) -> Any:
        try:
            text = self._tab.run(EVALUATE.replace("SOURCE", expression), [json.dumps(arg)])
        except ScriptError as error:
            if "SyntaxError" not in str(error):
                raise
            text = self._tab.run(EXECUTE.replace("SOURCE", expression), [])
        return json.loads(text)

    def wait_for_function(self, expression: str, arg: Any = None) -> Any:
        def holds() -> Any:
            try:
                return self.evaluate(expression, arg)
            except ScriptError:
                # During a navigation.
                return None

        return eventually(holds)

    def wait_for_load_state(self) -> None:
        self.wait_for_function("document.readyState === 'complete'")

    def wait_for_url(self, pattern: str) -> None:
        """Wait for a URL that matches a glob with ** and *, as in Playwright."""
        parts = [re.escape(part) for part in re.split(r"\*+", pattern)]
        self.wait_for_function(
            "(pattern) => new RegExp(pattern).test(location.href)", "^" + ".*".join(parts) + "$"
        )

    def wait_for_timeout(self, milliseconds: float) -> None:
        time.sleep(milliseconds / 1000)

    def locator(self, selector: str) -> "Locator":
        return Locator(self, [[selector]])

    def get_by_role(self, role: str, name: str = "") -> "Locator":
        return Locator(self, [["", role, name]])

    def click(self, selector: str) -> None:
        self.locator(selector).click()

    def fill(self, selector: str, text: str) -> None:
        self.locator(selector).fill(text)

    def type(self, selector: str, text: str) -> None:
        self.locator(selector).type(text)

    def press(self, selector: str, key: str) -> None:
        self.locator(selector).press(key)

    def input_value(self, selector: str) -> str:
        return str(self.evaluate("(text) => document.querySelector(text).value", selector))

    def press_pointer(self, x: int, y: int) -> None:
        """Press and release the main button at a point of the window."""
        moves = [
            {"type": "pointerMove", "x": x, "y": y, "origin": "viewport", "duration": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"pointerType": "mouse"}
        self._tab.act([{"type": "pointer", "id": "mouse", "parameters": mouse, "actions": moves}])

    def press_keys(self, keys: list[str]) -> None:
        """Press and release keys, one after the other."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._tab.act([{"type": "key", "id": "keyboard", "actions": strokes}])


class Locator:
    """Elements of a page, found again for each action."""

    def __init__(self, page: Page, steps: list[list[str]]) -> None:
        self._page = page
        self._steps = steps

    @property
    def first(self) -> "Locator":
        return self

    def locator(self, selector: str) -> "Locator":
        return Locator(self._page, [*self._steps, [selector]])

    def get_by_role(self, role: str, name: str = "") -> "Locator":
        return Locator(self._page, [*self._steps, ["", role, name]])

    def _run(self, function: str, arg: Any = None) -> Any:
        """Call a function with the elements and an argument."""
        source = f"([steps, value]) => {{ {FIND} return ({function})(find(steps), value); }}"
        return self._page.evaluate(source, [self._steps, arg])

    def wait_for(self, state: str = "visible") -> None:
        wanted = {
            "visible": "(found) => found.length > 0 && found[0].checkVisibility()",
            "detached": "(found) => found.length === 0",
        }[state]
        self._until(lambda: self._run(wanted))

    def scroll_into_view_if_needed(self) -> None:
        self._until(self._locate)

    def click(self) -> None:
        x, y = self._until(self._locate)
        self._page.press_pointer(x, y)

    def fill(self, text: str) -> None:
        self.wait_for()
        self._run("([box]) => { box.focus(); box.select(); }")
        self._page.press_keys(list(text))

    def type(self, text: str) -> None:
        self._focus()
        self._page.press_keys(list(text))

    def press_sequentially(self, text: str) -> None:
        self._focus()
        self._page.press_keys([KEYS["Enter"] if letter == "\n" else letter for letter in text])

    def press(self, key: str) -> None:
        self._focus()
        self._page.press_keys([KEYS.get(key, key)])

    def _focus(self) -> None:
        self.wait_for()
        self._run("([element]) => element.focus()")

    def _locate(self) -> Any:
        return self._run(LOCATE)

    def _until(self, condition: Callable[[], Any]) -> Any:
        def holds() -> Any:
            try:
                return condition()
            except ScriptError:
                return None

        return eventually(holds, TIMEOUT)
