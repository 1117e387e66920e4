"""Consent banners: detected and answered by autoconsent's rules, or else by their button texts.

Source: https://github.com/duckduckgo/autoconsent, which the build copies into ``dist/verify/``.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from neuralens_embed import bundles
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Frame, Page

from neuralens_verify.evaluation import try_evaluate
from neuralens_verify.messages import Message
from neuralens_verify.recorder import Recorder

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
DOCUMENT = "() => window.neuralensDocument"
SEND_MESSAGE = "(message) => window.autoconsentReceiveMessage?.(message)"
ADD_SHADOW_TREE = "function (root) { window.neuralensShadow.add(this, root); }"
PRESS_BUTTON = (Path(__file__).parent / "page" / "press.js").read_text("utf-8")


@cache
def script() -> str:
    """Return autoconsent's content script; raises NotBuiltError."""
    return bundles.read(SCRIPT)


@cache
def rules() -> Any:
    """Return all of autoconsent's rules; raises NotBuiltError."""
    return json.loads(bundles.read(RULES))


def reveal_shadow_trees(page: Page) -> None:
    """Tell the page's observe.js of the closed shadow trees that its HTML declares."""
    # The page may be navigating.
    with suppress(BrowserError):
        session = page.context.new_cdp_session(page)
        document = session.send("DOM.getDocument", {"depth": -1, "pierce": True})
        for host, root in closed_roots(document["root"]):
            objects = [
                session.send("DOM.resolveNode", {"backendNodeId": node})["object"]["objectId"]
                for node in (host, root)
            ]
            session.send(
                "Runtime.callFunctionOn",
                {
                    "objectId": objects[0],
                    "functionDeclaration": ADD_SHADOW_TREE,
                    "arguments": [{"objectId": objects[1]}],
                },
            )
        session.detach()


def closed_roots(node: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Yield the ids of each host of a closed shadow tree in a node, and of the tree's root."""
    roots = node.get("shadowRoots", [])
    for root in roots:
        if root["shadowRootType"] == "closed":
            yield node["backendNodeId"], root["backendNodeId"]
    documents = [node["contentDocument"]] if "contentDocument" in node else []
    for child in (*roots, *documents, *node.get("children", [])):
        yield from closed_roots(child)


@dataclass
class Banner:
    """A shop's consent banner, which is answered when it is detected.

    ``platform`` is the name of the detected consent platform, ``answered`` whether its banner was
    answered, ``absent`` whether detection has ended without any.
    """

    refuse: bool
    platform: str = ""
    answered: bool = False
    absent: bool = False
    # The frames in which it is looked for, by their documents.
    _frames: dict[str, Frame] = field(default_factory=dict)

    def watch(self, recorder: Recorder) -> None:
        """Handle autoconsent's messages."""
        script(), rules()
        recorder.handle("autoconsent", self._on_message)

    def detect(self, page: Page) -> None:
        """Start detection in the page and its frames; the attributes are set later."""
        for frame in page.frames:
            self._inject(frame)

    def press_button(self, page: Page) -> None:
        """Answer a banner for which autoconsent has no rule, by the text of its buttons."""
        reveal_shadow_trees(page)
        for frame in page.frames:
            if text := try_evaluate(frame, PRESS_BUTTON, [self.refuse]):
                self.platform, self.answered = f"the banner ({text})", True
                return

    def _inject(self, frame: Frame) -> None:
        # The frame may be detached, or its page be navigating.
        with suppress(BrowserError):
            self._frames[frame.evaluate(DOCUMENT)] = frame
            frame.evaluate(script())

    def _on_message(self, sent: Message) -> None:
        frame = self._frames.get(sent.document)
        if frame is None:
            # Its page has been left while the script was injected.
            return
        match sent.detail:
            case {"type": "init"}:
                config = {**CONFIG, "autoAction": "optOut" if self.refuse else "optIn"}
                respond(frame, {"type": "initResp", "config": config, "rules": rules()})
            case {"type": "eval", "id": str(number), "code": str(code)}:
                # The frame may be detached, or the code fail on its page.
                with suppress(BrowserError):
                    result = frame.evaluate(code)
                    respond(frame, {"type": "evalResp", "id": number, "result": result})
            case {"type": "popupFound", "cmp": str(name)}:
                self.platform = name
            case {"type": "optInResult" | "optOutResult", "result": result}:
                self.answered = bool(result)
            case {"type": "report", "mainFrame": bool(is_main), "state": {"lifecycle": state}}:
                self.absent |= is_main and state == "nothingDetected"


def respond(frame: Frame, message: dict[str, Any]) -> None:
    """Send a message to autoconsent in a frame."""
    try_evaluate(frame, SEND_MESSAGE, message)
