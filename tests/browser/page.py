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
from tests.browser.shop import Shop
from tests.processes import APPLICATION

# Short thresholds in milliseconds, for tests that are not about the time itself.
VIEW_MS = 150
SUGGESTION_MS = 100
# Milliseconds until ``Clicks`` has decided whether a press has chosen an option.
DECIDED_MS = 400
TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
REPORTED_TYPES = ("warning", "error")


@pytest.fixture
def tag(runtime: str, uid: str) -> Callable[..., Markup]:
    """Return the embed snippet: ``tag(view_ms=1000, stub=True, ...)``, see ``Snippet``."""

    def tag(**settings: Any) -> Markup:
        defaults = {"uid": uid, "view_ms": VIEW_MS, "suggestion_ms": SUGGESTION_MS}
        return Snippet(APPLICATION, runtime=runtime, **{**defaults, **settings}).render()

    return tag


@pytest.fixture
def context(new_profile: Callable[..., BrowserContext], shop: Shop) -> Iterator[BrowserContext]:
    """A new browser profile, in the engine of the test."""
    with new_profile(shop.url) as context:
        yield context


@pytest.fixture
def put(shop: Shop, tag: Callable[..., Markup], engine: str) -> Callable[..., str]:
    """Serve a page of the folder pages/, or one with the given body, and return its path.

    ``before`` is a script that runs before the tag; ``values`` are the template's; other keyword
    arguments are settings of the tag.
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
            template, variables = TEMPLATES.get_template(source), values or {}
        else:
            template, variables = TEMPLATES.get_template("layout.html"), {"body": Markup(source)}
        # Playwright reports the console itself.
        script = before if engine == "chromium" else LISTEN + before
        first = Markup("<script>{}</script>").format(Markup(script)) if script else ""
        shop.put(path, template.render(tag=Markup(first) + tag(**settings), **variables), headers)
        return path

    return put


def collect_messages(page: Any) -> None:
    """Collect the warnings and errors of a Playwright page in ``page.console_messages``."""
    page.console_messages = []
    page.on(
        "console",
        lambda line: (
            page.console_messages.append(line.text) if line.type in REPORTED_TYPES else None
        ),
    )
    page.on("pageerror", lambda error: page.console_messages.append(f"thrown: {error}"))


@pytest.fixture
def show(put: Callable[..., str], context: BrowserContext, engine: str) -> Callable[..., Page]:
    """Serve a page as ``put`` does, open it in ``tab`` or a new one, and wait for the tracker.

    ``page.console_messages`` are the warnings and errors on its console, and its exceptions.
    """

    def show(source: str, path: str = "/", tab: Page | None = None, **options: Any) -> Page:
        put(source, path, **options)
        page = tab or context.new_page()
        if engine == "chromium":
            collect_messages(page)
        page.goto(path)
        page.wait_for_function("() => window.neuralens && neuralens.version")
        return page

    return show


def wait_until_loaded(page: Page) -> None:
    """Wait until the next call of ``page`` starts a new page view instead of changing the first."""
    page.wait_for_function(f"performance.now() > {(SAME_START_SECONDS + 1) * 1000}")


def run_timers(page: Page, milliseconds: int) -> None:
    """Wait until the timers of a page have run that are due by then."""
    page.evaluate("(time) => new Promise((resolve) => setTimeout(resolve, time))", milliseconds)


def round_trip(page: Page) -> None:
    """Flush the queue, and wait for the response to a later request."""
    page.evaluate("neuralens('flush')")
    page.evaluate("fetch('/elsewhere').then((response) => response.text())")


def share(page: Page, name: str) -> None:
    """Track a SHARE of a product by a call."""
    page.evaluate("(id) => neuralens('track', 'SHARE', { id })", name)
