"""What the audit says of a page is what a browser sends of it, all of it seen and clicked."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from markupsafe import Markup
from neuralens_embed.audit import audit
from playwright.sync_api import Page

from tests.browser.ledger import Event, Ledger
from tests.browser.shop import Shop
from tests.markups import MARKUPS
from tests.polling import eventually

# The pages of the folder pages/ that need no script, each with what its template asks for.
PAGES = {
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
# Leaves the layout to the browser's own style sheet, so that all of the page is to be seen.
UNSTYLE = """() => {
    for (const style of document.querySelectorAll("style")) style.remove();
    for (const element of document.querySelectorAll("[style]")) element.removeAttribute("style");
    const style = document.createElement("style");
    style.textContent = "body * { min-width: 8px; min-height: 8px }";
    document.head.append(style);
}"""
# Every control and then every item, in ``used``; none of it leads away from the page.
COLLECT = """() => {
    for (const name of ["click", "submit"]) addEventListener(name, (e) => e.preventDefault());
    const items = "[data-nl-product],[data-nl-suggestion],[data-nl-landing],[role=option]";
    const within = (root) => [...root.querySelectorAll("*")].flatMap(
        (each) => [each, ...(each.shadowRoot ? within(each.shadowRoot) : [])]);
    const all = within(document);
    window.used = [
        ...all.filter((it) => it.matches("[data-nl-action]")),
        ...all.filter((it) => it.matches(items) && !it.matches("[data-nl-action]")),
    ];
    return used.length;
}"""
USE = "(n) => { used[n].tagName === 'FORM' ? used[n].requestSubmit() : used[n].click(); }"


@pytest.fixture
def runtime() -> str:
    """The default alone: the other runtimes run the same source, which has its own tests there."""
    return "javascript"


def facts(event: Event) -> str:
    """What an event of the ledger and one of the audit have in common."""
    ids = tuple(item["id"] for item in event["items"])
    return repr((event.name, ids, event.get("index"), event.get("page"), event.get("query")))


@pytest.fixture
def compare(show: Callable[..., Page], shop: Shop, ledger: Ledger) -> Callable[..., None]:
    """Have a page seen and clicked in the browser, and audited; both must say the same."""

    def compare(source: str, values: dict[str, object]) -> None:
        page = show(source, values=values)
        page.set_viewport_size({"width": 1000, "height": 3000})
        page.evaluate(UNSTYLE)
        html, _ = shop.pages["/"]
        report = audit(html)
        expected = [
            repr((event.event, event.ids, event.index, event.page, event.query))
            for event in report.events
        ]
        for number in range(page.evaluate(COLLECT)):
            # Each use is an act of its own, which a shopper's key press begins.
            page.keyboard.press("Shift")
            page.evaluate(USE, number)
        eventually(lambda: len(told(ledger, page)) >= len(expected))
        assert sorted(told(ledger, page)) == sorted(expected)
        # The browser itself has a word for a template that is no shadow tree.
        said = [line for line in page.said if line.startswith("neuralens: ")]
        complaints = {line.removeprefix("neuralens: ").split(" ")[0] for line in said}
        assert complaints == {problem.attribute for problem in report.problems}

    return compare


def told(ledger: Ledger, page: Page) -> list[str]:
    return [facts(event) for event in ledger.settle(page)]


@pytest.mark.parametrize("name", PAGES)
def test_page(compare: Callable[..., None], name: str) -> None:
    order = uuid4().hex
    values = {key: order if value == "ORDER" else value for key, value in PAGES[name].items()}
    compare(name, values)


@pytest.mark.parametrize("name", MARKUPS)
def test_markup(compare: Callable[..., None], name: str) -> None:
    compare("layout.html", {"body": Markup(MARKUPS[name].body.replace("ORDER", uuid4().hex))})
