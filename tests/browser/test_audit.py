"""The audit of a page equals the events of a browser in which everything is seen and clicked."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from markupsafe import Markup
from neuralens_embed.audit import audit
from neuralens_embed.duplicates import find_duplicates
from playwright.sync_api import Page

from tests.browser.ledger import Event, Ledger
from tests.browser.shop import Shop
from tests.markups import MARKUPS
from tests.polling import eventually

# The pages of the folder pages/ without scripts, with the values of their templates.
PAGES: dict[str, dict[str, Any]] = {
    "bad_markup.html": {"wrong": Markup('data-nl-product="W" data-nl-index="x"'), "control": ""},
    "context.html": {},
    "half.html": {},
    "ignore.html": {},
    "layout.html": {"body": Markup('<p data-nl-product="A">A</p>')},
    "lists.html": {},
    "purchase.html": {"order": "ORDER"},
    "rank.html": {},
    "view.html": {},
}
# Removes all styles, so that the whole page is visible.
UNSTYLE = """() => {
    for (const style of document.querySelectorAll("style")) style.remove();
    for (const element of document.querySelectorAll("[style]")) element.removeAttribute("style");
    const style = document.createElement("style");
    style.textContent = "body * { min-width: 8px; min-height: 8px }";
    document.head.append(style);
}"""
# Collects every visible control and then every item in ``used``, and prevents navigation.
COLLECT = """() => {
    for (const name of ["click", "submit"]) addEventListener(name, (e) => e.preventDefault());
    const items = "[data-nl-product],[data-nl-suggestion],[data-nl-landing],[role=option]";
    const within = (root) => [...root.querySelectorAll("*")].flatMap(
        (each) => [each, ...(each.shadowRoot ? within(each.shadowRoot) : [])]);
    const all = within(document).filter((each) => each.checkVisibility());
    window.used = [
        ...all.filter((it) => it.matches("[data-nl-action]")),
        ...all.filter((it) => it.matches(items) && !it.matches("[data-nl-action]")),
    ];
    return used.length;
}"""
USE = "(n) => { used[n].tagName === 'FORM' ? used[n].requestSubmit() : used[n].click(); }"


@pytest.fixture
def runtime() -> str:
    """Only the default, because all runtimes run the same source."""
    return "javascript"


def facts(event: Event) -> str:
    """Return the fields of an event that the audit reports, too."""
    ids = tuple(item["id"] for item in event["items"])
    return repr((event.name, ids, event.get("index"), event.get("page"), event.get("query")))


@pytest.fixture
def compare(show: Callable[..., Page], shop: Shop, ledger: Ledger) -> Callable[..., None]:
    """Compare the events of a page that is seen and clicked in a browser with its audit."""

    def compare(source: str, values: dict[str, object]) -> None:
        page: Any = show(source, values=values)
        page.set_viewport_size({"width": 1000, "height": 3000})
        page.evaluate(UNSTYLE)
        html, _ = shop.pages["/"]
        report = audit(html)
        expected = [
            repr((event.event, event.ids, event.index, event.page, event.query))
            for event in report.events
        ]
        for number in range(page.evaluate(COLLECT)):
            # Each use is a separate act, which starts with a key press.
            page.keyboard.press("Shift")
            page.evaluate(USE, number)
        eventually(lambda: len(summarize(ledger, page)) >= len(expected))
        assert sorted(summarize(ledger, page)) == sorted(expected)
        # The browser itself reports a template that is not a shadow tree.
        reported = [line for line in page.console_messages if line.startswith("neuralens: ")]
        complaints = {line.removeprefix("neuralens: ").split(" ")[0] for line in reported}
        # Only the source has the second of two attributes: browsers drop it.
        twice = {each.attribute for each in find_duplicates(html)}
        assert complaints == {problem.attribute for problem in report.problems} - twice

    return compare


def summarize(ledger: Ledger, page: Page) -> list[str]:
    return [facts(event) for event in ledger.wait_for_all(page)]


@pytest.mark.parametrize("name", PAGES)
def test_page(compare: Callable[..., None], name: str) -> None:
    order = uuid4().hex
    values = {key: order if value == "ORDER" else value for key, value in PAGES[name].items()}
    compare(name, values)


@pytest.mark.parametrize("name", MARKUPS)
def test_markup(compare: Callable[..., None], name: str) -> None:
    compare("layout.html", {"body": Markup(MARKUPS[name].body.replace("ORDER", uuid4().hex))})
