"""A page of the shop: its snippet, its markup, and a tab that shows it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from neuralens_embed.snippet import Snippet
from neuralens_tracker.page_view import SAME_START_SECONDS
from playwright.sync_api import BrowserContext, Page

from tests.browser.engines.page import LISTEN
from tests.browser.servers import APPLICATION
from tests.browser.shop import Shop

# Milliseconds, where the time itself is not what a test is about.
VIEW_MS = 150
SUGGESTION_MS = 100
TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
LOUD = ("warning", "error")


@pytest.fixture
def tag(runtime: str, uid: str) -> Callable[..., Markup]:
    """Return the embed snippet: ``tag(view_ms=1000, stub=True, ...)``, see ``Snippet``."""

    def tag(**settings: Any) -> Markup:
        usual = {"uid": uid, "view_ms": VIEW_MS, "suggestion_ms": SUGGESTION_MS}
        return Snippet(APPLICATION, runtime=runtime, **{**usual, **settings}).render()

    return tag


@pytest.fixture
def context(new_profile: Callable[..., BrowserContext], shop: Shop) -> Iterator[BrowserContext]:
    """A browser profile of its own, in the engine of the test."""
    with new_profile(shop.url) as context:
        yield context


@pytest.fixture
def put(shop: Shop, tag: Callable[..., Markup], engine: str) -> Callable[..., str]:
    """Serve a page of the folder pages/, or one with the given body, and return its path.

    ``before`` is a script that runs before the tag; ``values`` are for the template; the other
    named arguments are settings of the tag.
    """

    def put(
        source: str,
        path: str = "/",
        headers: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        before: str = "",
        **settings: Any,
    ) -> str:
        if source.endswith(".html"):
            template, given = TEMPLATES.get_template(source), values or {}
        else:
            template, given = TEMPLATES.get_template("layout.html"), {"body": Markup(source)}
        # Playwright hears what the page says by itself.
        script = before if engine == "chromium" else LISTEN + before
        first = Markup("<script>{}</script>").format(Markup(script)) if script else ""
        shop.put(path, template.render(tag=Markup(first) + tag(**settings), **given), headers)
        return path

    return put


def listen(page: Page) -> None:
    """Keep in ``page.said`` what a page of Playwright's says."""
    page.said = []
    page.on("console", lambda line: page.said.append(line.text) if line.type in LOUD else None)
    page.on("pageerror", lambda error: page.said.append(f"thrown: {error}"))


@pytest.fixture
def show(put: Callable[..., str], context: BrowserContext, engine: str) -> Callable[..., Page]:
    """Serve a page as ``put`` does, open it in a tab, a new one if none is given, and wait for
    the tracker.

    ``page.said`` are the warnings and errors on its console, and what was thrown into it.
    """

    def show(source: str, path: str = "/", tab: Page | None = None, **given: Any) -> Page:
        put(source, path, **given)
        page = tab or context.new_page()
        if engine == "chromium":
            listen(page)
        page.goto(path)
        page.wait_for_function("() => window.neuralens && neuralens.version")
        return page

    return show


def wait_until_loaded(page: Page) -> None:
    """Wait until the shop's next call of ``page`` is no longer about the page as it was loaded."""
    page.wait_for_function(f"performance.now() > {(SAME_START_SECONDS + 1) * 1000}")


def ask_relay(page: Page) -> None:
    """Send what waits, and have something else come back from the server after it."""
    page.evaluate("neuralens('flush')")
    page.evaluate("fetch('/elsewhere').then((answer) => answer.text())")
