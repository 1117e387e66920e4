"""Consent banners: found and answered by autoconsent's rules, otherwise by the words on buttons.

Source: https://github.com/duckduckgo/autoconsent, which the build copies into ``dist/verify/``.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from neuralens_embed import bundles
from playwright.sync_api import BrowserContext, Frame, Page
from playwright.sync_api import Error as BrowserError

SCRIPT, RULES = "verify/autoconsent.js", "verify/autoconsent.json"
CONFIG = {
    "enabled": True,
    "disabledCmps": [],
    "enablePrehide": False,
    "enableCosmeticRules": False,
    "enableHeuristicDetection": True,
    "detectRetries": 6,
    "visualTest": False,
}
RECEIVE = "(message) => window.autoconsentReceiveMessage?.(message)"
PRESS = (Path(__file__).parent / "page" / "press.js").read_text("utf-8")


@cache
def script() -> str:
    """Return the content script; raises NotBuiltError."""
    return bundles.read(SCRIPT)


@cache
def rules() -> Any:
    """Return every rule; raises NotBuiltError. Those without a way to accept are among them."""
    return json.loads(bundles.read(RULES))


@dataclass
class Banner:
    """The banner of a shop, answered as it is found.

    ``found`` is the name of the platform whose popup was found, ``done`` whether it was answered,
    ``absent`` that there is none for certain.
    """

    refuse: bool
    found: str = ""
    done: bool = False
    absent: bool = False
    said: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Hear what autoconsent says, in every page of a context."""
        script(), rules()
        context.expose_binding("autoconsentSendMessage", self._hear)

    def look(self, page: Page) -> None:
        """Look for a banner in the page and its frames; ``found`` and ``done`` follow later."""
        for frame in page.frames:
            self._inject(frame)

    def press(self, page: Page) -> None:
        """Press the button of a banner that no rule knows."""
        with suppress(BrowserError):
            text = page.evaluate(PRESS, [self.refuse])
            if text:
                self.found, self.done = f"the banner ({text})", True

    def _inject(self, frame: Frame) -> None:
        # A frame may be gone, or be of a page that is being left.
        with suppress(BrowserError):
            frame.evaluate(script())

    def _hear(self, source: dict[str, Any], message: dict[str, Any]) -> None:
        frame: Frame = source["frame"]
        kind = message["type"]
        with suppress(BrowserError):
            if kind == "init":
                config = {**CONFIG, "autoAction": "optOut" if self.refuse else "optIn"}
                answer = {"type": "initResp", "config": config, "rules": rules()}
                frame.evaluate(RECEIVE, answer)
            elif kind == "eval":
                result = frame.evaluate(message["code"])
                frame.evaluate(RECEIVE, {"type": "evalResp", "id": message["id"], "result": result})
            elif kind == "popupFound":
                self.found = message["cmp"]
            elif kind in ("optInResult", "optOutResult"):
                self.done = bool(message["result"])
            elif kind == "report" and message["state"]["lifecycle"] == "nothingDetected":
                self.absent = message["mainFrame"] or self.absent
