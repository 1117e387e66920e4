"""A page whose clock is controlled by the test."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

# Whether half of an element is in the viewport, by an observer in the same frame as the tracker's.
IS_SHOWN = """(selector) => new Promise((resolve) => {
    const observer = new IntersectionObserver(([entry]) => {
        observer.disconnect();
        resolve(entry.isIntersecting);
    }, { threshold: 0.5 });
    observer.observe(document.querySelector(selector));
})"""
# Milliseconds until the tracker has processed a change of the page, see ``Discovery``.
DISCOVERY_MS = 100


def pause_clock(page: Page) -> None:
    """Pause a page's clock, a second on."""
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)


class Clock:
    """The paused clock of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(
            """() => {
                window.captured = [];
                neuralens("on", "event", (event) => captured.push(event.items[0].id));
            }"""
        )
        pause_clock(page)

    def insert(self, html: str) -> None:
        """Replace the page's body, and let the tracker process it."""
        self.page.evaluate("(html) => { document.body.innerHTML = html; }", html)
        self.page.clock.run_for(DISCOVERY_MS)

    def is_shown(self, selector: str = "[data-nl-product]") -> bool:
        """Return whether an element is in view, once the tracker's observer has reported it."""
        return bool(self.page.evaluate(IS_SHOWN, selector))

    def scroll(self, top: int) -> bool:
        """Scroll, and return whether the product is in view."""
        self.page.evaluate("(top) => scrollTo(0, top)", top)
        return self.is_shown()

    def run_for(self, milliseconds: int) -> list[str]:
        """Advance the clock, and return the ids of the events so far."""
        self.page.clock.run_for(milliseconds)
        return list(self.page.evaluate("captured"))


@pytest.fixture
def show_timed(show: Callable[..., Page], context: BrowserContext) -> Callable[..., Page]:
    """Show a page as ``show`` does, whose clock ``page.clock.run_for`` advances: it waits for
    the page's timers, not for a time in which a busy machine may not run them.
    """

    def show_timed(source: str = "", **settings: Any) -> Page:
        tab = context.new_page()
        tab.clock.install()
        return show(source, tab=tab, **settings)

    return show_timed


@pytest.fixture
def stop_clock(show_timed: Callable[..., Page]) -> Callable[..., Clock]:
    """Show a page as ``show`` does, and pause its clock once the tracker has started."""

    def stop_clock(source: str = "", **settings: Any) -> Clock:
        return Clock(show_timed(source, **settings))

    return stop_clock
