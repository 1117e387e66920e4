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
TILE = '<div data-nl-product="A" style="height: 100px">A</div><div style="height: 3000px"></div>'


class Clock:
    """A page whose time goes by when a test says so, with a tile A at its top."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(
            """() => {
                window.told = [];
                neuralens("on", "event", (event) => told.push(event.items[0].id));
            }"""
        )
        page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)
        page.evaluate("(tile) => { document.body.innerHTML = tile; }", TILE)
        # The tracker takes the tile in.
        page.clock.run_for(100)
        assert self.scroll(0)

    def scroll(self, top: int) -> bool:
        """Scroll, and tell whether the tile is in view, once the tracker was told so."""
        self.page.evaluate("(top) => scrollTo(0, top)", top)
        return bool(self.page.evaluate(IS_SHOWN, "[data-nl-product]"))

    def tell(self, milliseconds: int) -> list[str]:
        """Let time go by, and return the ids of the events so far."""
        self.page.clock.run_for(milliseconds)
        return list(self.page.evaluate("told"))


@pytest.fixture
def stop_clock(show: Callable[..., Page], context: BrowserContext) -> Callable[..., Clock]:
    """Show a page with the given settings whose time stands still."""

    def stop_clock(**settings: Any) -> Clock:
        tab = context.new_page()
        tab.clock.install()
        return Clock(show("", tab=tab, **settings))

    return stop_clock
