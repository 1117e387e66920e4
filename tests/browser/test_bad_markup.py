"""A mistake in the markup is reported once, with element and remedy; the rest is captured."""

import pytest
from markupsafe import Markup

from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("id", "index", "page")

# The wrong markup, what is captured of it nevertheless, as (id, index, page), and the reported
# attribute and remedy.
MISTAKES = {
    "tile without an id": ('data-nl-product=""', [], "data-nl-product", "text"),
    "rank in words": (
        'data-nl-product="W" data-nl-index="third"',
        [("W", 1, None)],
        "data-nl-index",
        "a whole number from 0",
    ),
    "negative rank": (
        'data-nl-product="W" data-nl-index="-1"',
        [("W", 1, None)],
        "data-nl-index",
        "a whole number from 0",
    ),
    "rank with a fraction": (
        'data-nl-product="W" data-nl-index="1.5"',
        [("W", 1, None)],
        "data-nl-index",
        "a whole number from 0",
    ),
    "offset in words": (
        'data-nl-product="W" data-nl-offset="two"',
        [("W", 1, None)],
        "data-nl-offset",
        "a whole number from 0",
    ),
    "unknown page": (
        'data-nl-product="W" data-nl-page="SEARCH"',
        [("W", 1, None)],
        "data-nl-page",
        "one of SEARCH_RESULT_PAGE, AUTOCOMPLETE, CATEGORY_PAGE, PRODUCT_PAGE",
    ),
    "landing without an id": ('data-nl-landing=""', [], "data-nl-landing", "text"),
    "suggestion without an id": ('data-nl-suggestion=""', [], "data-nl-suggestion", "text"),
    "order without lines": (
        'data-nl-purchase="ORDER"',
        [],
        "data-nl-purchase",
        "around [data-nl-product]",
    ),
}
ACTIONS = {
    "unknown action": (
        'data-nl-product="W"',
        'data-nl-action="buy"',
        "data-nl-action must be one of add-to-cart, favorite, share",
    ),
    "action of nothing": (
        "",
        'data-nl-action="share"',
        "data-nl-action must be inside [data-nl-product],[data-nl-landing]",
    ),
}


@pytest.fixture
def show_wrong(show):
    """Show a page with wrong markup between two correct tiles."""

    def show_wrong(wrong, control=""):
        return show("bad_markup.html", values={"wrong": Markup(wrong), "control": Markup(control)})

    return show_wrong


@pytest.mark.one_case
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(show_wrong, ledger, mistake):
    wrong, captured, name, remedy = MISTAKES[mistake]
    page = show_wrong(wrong)
    index = len(captured)
    right = {("before", 0, None), ("after", 1 + index, None)}
    assert set(select(ledger.wait_for_all(page), *FIELDS)) == right | set(captured)
    page.click("text=After")
    assert ledger.wait_for_all(page)[-1].name == "CLICK_PRODUCT"
    (line,) = page.console_messages
    message, _, element = line.partition(": <")
    assert message.startswith(f"neuralens: {name} must be ")
    assert remedy in message
    assert element.startswith(f"p {wrong}>Wrong")


@pytest.mark.parametrize("mistake", ACTIONS)
def test_mistake_of_a_control(show_wrong, ledger, mistake):
    wrong, control, sentence = ACTIONS[mistake]
    page = show_wrong(wrong, control)
    seen = ledger.wait_for_all(page)
    assert page.console_messages == []
    for _ in range(2):
        page.click("button")
    assert len(ledger.wait_for_all(page)) == len(seen)
    (line,) = page.console_messages
    message, _, element = line.partition(": <")
    # MicroPython's dicts are unordered.
    assert sorted(message.replace(",", "").split()) == sorted(
        ["neuralens:", *sentence.replace(",", "").split()]
    )
    assert element.startswith(f'button type="button" {control}>')
    page.click("text=After")
    assert ledger.wait_for_all(page)[-1].name == "CLICK_PRODUCT"


def test_order_without_an_id(show_wrong, ledger):
    page = show_wrong('data-nl-purchase=""', 'data-nl-product="bought"')
    assert set(select(ledger.wait_for_all(page), *FIELDS)) == {
        ("before", 0, None),
        ("after", 1, None),
    }
    (line,) = page.console_messages
    assert line.startswith("neuralens: data-nl-purchase must be text")


def test_each_mistake_is_reported_once(show, ledger):
    page = show('<p data-nl-product=""></p><p data-nl-product=""></p><i data-nl-product=""></i>')
    page.evaluate("document.body.append(document.querySelector('i'))")
    assert ledger.wait_for_all(page) == []
    assert sorted(line.partition(": <")[2] for line in page.console_messages) == [
        'i data-nl-product=""></i>',
        'p data-nl-product=""></p>',
    ]


def test_ids_of_any_kind(show, ledger):
    """Ids that equal names in JavaScript are ordinary ids."""
    ids = ["__proto__", "constructor", "toString", "0", "null", "é\U0001f600"]
    tiles = "".join(f'<p data-nl-product="{each}">.</p>' for each in ids)
    page = show(f'<main data-nl-list="__proto__">{tiles}</main>')
    seen = {event.id: event["index"] for event in ledger.wait_for_all(page)}
    assert seen == {each: index for index, each in enumerate(ids)}
    assert page.console_messages == []
