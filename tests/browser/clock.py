"""A page whose time goes by when a test says so."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

# Whether half of an element is in the window now: told in the same frame as the tracker is.
IS_SHOWN = """(selector) => new Promise((resolve) => {
    const observer = new IntersectionObserver(([entry]) => {
        observer.disconnect();
        resolve(entry.isIntersecting);
    }, { threshold: 0.5 });
    observer.observe(document.querySelector(selector));
})"""
# Milliseconds in which the tracker has taken in what has changed, see ``Discovery``.
DISCOVERY_MS = 100


class Clock:
    """The time of a page, which stands still."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(
            """() => {
                window.told = [];
                neuralens("on", "event", (event) => told.push(event.items[0].id));
            }"""
        )
        page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)

    def insert(self, html: str) -> None:
        """Fill the page, and have the tracker take it in."""
        self.page.evaluate("(html) => { document.body.innerHTML = html; }", html)
        self.page.clock.run_for(DISCOVERY_MS)

    def is_shown(self, selector: str = "[data-nl-product]") -> bool:
        """Tell whether an element is in view, once the tracker was told so, too."""
        return bool(self.page.evaluate(IS_SHOWN, selector))

    def scroll(self, top: int) -> bool:
        """Scroll, and tell whether the product is in view."""
        self.page.evaluate("(top) => scrollTo(0, top)", top)
        return self.is_shown()

    def tell(self, milliseconds: int) -> list[str]:
        """Let time go by, and return the ids of the events so far."""
        self.page.clock.run_for(milliseconds)
        return list(self.page.evaluate("told"))


@pytest.fixture
def stop_clock(show: Callable[..., Page], context: BrowserContext) -> Callable[..., Clock]:
    """Show a page as ``show`` does, and stop its clock once the tracker is there."""

    def stop_clock(source: str = "", **given: Any) -> Clock:
        tab = context.new_page()
        tab.clock.install()
        return Clock(show(source, tab=tab, **given))

    return stop_clock
