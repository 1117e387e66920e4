"""A mistake in the markup: one line on the console names element and remedy; the rest goes on."""

import pytest
from markupsafe import Markup

# What is wrong, what of it is captured all the same, as (id, index, page), and what is said: the
# attribute and the remedy.
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
    """Show a page with something wrong between two tiles that are right."""

    def show_wrong(wrong, control=""):
        return show("bad_markup.html", values={"wrong": Markup(wrong), "control": Markup(control)})

    return show_wrong


def told(events):
    return {(event.id, event.get("index"), event.get("page")) for event in events}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(show_wrong, ledger, mistake):
    wrong, captured, name, remedy = MISTAKES[mistake]
    page = show_wrong(wrong)
    place = len(captured)
    right = {("before", 0, None), ("after", 1 + place, None)}
    assert told(ledger.settle(page)) == right | set(captured)
    page.click("text=After")
    assert ledger.settle(page)[-1].name == "CLICK_PRODUCT"
    (line,) = page.said
    said, _, element = line.partition(": <")
    assert said.startswith(f"neuralens: {name} must be ")
    assert remedy in said
    assert element.startswith(f"p {wrong}>Wrong")


@pytest.mark.parametrize("mistake", ACTIONS)
def test_mistake_of_a_control(show_wrong, ledger, mistake):
    wrong, control, sentence = ACTIONS[mistake]
    page = show_wrong(wrong, control)
    seen = ledger.settle(page)
    assert page.said == []
    for _ in range(2):
        page.click("button")
    assert len(ledger.settle(page)) == len(seen)
    (line,) = page.said
    said, _, element = line.partition(": <")
    # MicroPython's dicts have an order of their own.
    assert sorted(said.replace(",", "").split()) == sorted(
        ["neuralens:", *sentence.replace(",", "").split()]
    )
    assert element.startswith(f'button type="button" {control}>')
    page.click("text=After")
    assert ledger.settle(page)[-1].name == "CLICK_PRODUCT"


def test_order_without_an_id(show_wrong, ledger):
    page = show_wrong('data-nl-purchase=""', 'data-nl-product="bought"')
    assert told(ledger.settle(page)) == {("before", 0, None), ("after", 1, None)}
    (line,) = page.said
    assert line.startswith("neuralens: data-nl-purchase must be text")


def test_each_is_said_and_no_more_than_once(show, ledger):
    page = show('<p data-nl-product=""></p><p data-nl-product=""></p><i data-nl-product=""></i>')
    page.evaluate("document.body.append(document.querySelector('i'))")
    assert ledger.settle(page) == []
    assert sorted(line.partition(": <")[2] for line in page.said) == [
        'i data-nl-product=""></i>',
        'p data-nl-product=""></p>',
    ]


def test_ids_of_any_kind(show, ledger):
    """Ids that are names of JavaScript's own are ids like any other."""
    ids = ["__proto__", "constructor", "toString", "0", "null", "é\U0001f600", " "]
    tiles = "".join(f'<p data-nl-product="{each}">.</p>' for each in ids)
    page = show(f'<main data-nl-list="__proto__">{tiles}</main>')
    seen = {event.id: event["index"] for event in ledger.settle(page)}
    assert seen == {each: place for place, each in enumerate(ids)}
    assert page.said == []
