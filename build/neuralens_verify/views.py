"""Reads the open page: its markup and tags, and whether it is part of the shop."""

from collections.abc import Container
from pathlib import Path

from neuralens_embed.placeholders import CURRENCY
from neuralens_tracker.attributes import (
    CONTEXT,
    ITEMS,
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    SUGGESTION,
)
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Frame, Page, Response

from neuralens_verify.evaluation import try_evaluate
from neuralens_verify.observations import Control, Element, Tag, View
from neuralens_verify.served import Served

HERE = Path(__file__).parent / "page"
READ_SCRIPT, WALL_SCRIPT = ((HERE / name).read_text("utf-8") for name in ("read.js", "wall.js"))
IS_SHOP = """() => Boolean(
  window.neuralens?.version || document.querySelector("script[data-app-id], [data-nl-product]")
)"""
# The attributes whose values are ids, and all that there are.
IDENTIFYING, KNOWN = [PRODUCT, SUGGESTION, LANDING, PURCHASE_ORDER], [*CONTEXT, *ITEMS]


def read_view(page: Page, step: str, response: Response | None, shown: Container[str]) -> View:
    """Read a page at the end of a step; raises BrowserError if it is left meanwhile.

    ``response`` is that with the current document. ``shown`` are the documents of earlier steps:
    in these, the shop itself may have replaced what the server has sent.
    """
    found = page.evaluate(READ_SCRIPT, [IDENTIFYING, KNOWN, CURRENCY])
    served = Served("") if found["document"] in shown else read_served(page, response)
    # Not those of header_value, which waits for ever if the browser had fetched the page before.
    headers = response.headers if response else {}
    return View(
        step=step,
        url=page.url,
        document=found["document"],
        tags=tuple(
            tag
            for each in found["tags"]
            if (tag := Tag(**each)).is_tracker or tag.is_addon or "appId" in tag.settings
        ),
        version=found["version"],
        gpc=found["gpc"],
        elements=tuple(Element(**item) for item in found["items"]),
        queries=tuple(found["queries"]),
        controls=tuple({Control(**control): None for control in found["controls"]}),
        unknown=tuple(found["unknown"]),
        configuration=found["configuration"],
        removed=tuple(
            f'{name}="{value}"' for name, value in served.items if name not in found["present"]
        ),
        status=response.status if response else 200,
        policy=headers.get("content-security-policy", ""),
        ignored=found["ignored"],
        replaced=tuple(found["replaced"]),
        worker=found["worker"],
        needs_integrity="script" in headers.get("integrity-policy", ""),
        mentions_script=served.mentions_script,
        duplicates=tuple(map(str, served.duplicates)),
    )


def read_served(page: Page, response: Response | None) -> Served:
    """Read the HTML as the server has sent it; empty after a change of route without a load."""
    if response is None or response.url != page.url.partition("#")[0]:
        return Served("")
    try:
        return Served(response.text())
    except BrowserError:
        # The browser has forgotten it, or it is not text.
        return Served("")


def read_wall(page: Page) -> str:
    """Return what stands in the way of the shop, as in wall.js; "" for nothing."""
    return str(try_evaluate(page, WALL_SCRIPT, default=""))


def start_listening(page: Page) -> None:
    """Have the running tracker report to verify, even if the shop's stub has replaced verify's."""
    try_evaluate(page, "() => window.neuralensListen()")


def find_shop_frame(page: Page) -> Frame | None:
    """Find a frame with a tag of the tracker or with items."""
    for frame in page.frames[1:]:
        if frame.url.startswith("http") and try_evaluate(frame, IS_SHOP):
            return frame
    return None


def read_version(page: Page) -> str | None:
    """Return the version of the tracker that runs on a page, None if none does."""
    version: str | None = try_evaluate(page, "() => window.neuralens?.version ?? null")
    return version
