"""An order is sent once, permanently, with the ids of all its lines."""

from uuid import uuid4

import pytest

from tests.browser.page import wait_until_loaded
from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "ids")

PURCHASE = ("PURCHASE", "A B")
VIEW = ("VIEW_PRODUCT", "recommended")


@pytest.fixture
def order():
    """A unique order number: a relay stores each order once."""
    return uuid4().hex


@pytest.fixture
def confirm(show, order):
    """Show the confirmation page of an order of this test."""

    def confirm(name, **settings):
        return show("purchase.html", values={"order": f"{name}-{order}"}, **settings)

    return confirm


def test_every_field(confirm, ledger, uid):
    page = confirm("ORDER-1")
    (purchase,) = (event for event in ledger.wait_for_all(page) if event.name == "PURCHASE")
    del purchase["timestamp"]
    assert purchase == {
        "uid": uid,
        "items": [{"id": "A"}, {"id": "B"}],
        "event": "PURCHASE",
        "page": "CATEGORY_PAGE",
    }
    assert page.console_messages == []


def test_lines_are_not_tiles(confirm, ledger):
    page = confirm("ORDER-1")
    page.click("text=Table")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [PURCHASE, VIEW]


def test_once_permanently(confirm, ledger):
    page = confirm("ORDER-1")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [PURCHASE, VIEW]
    page.reload()
    assert select(ledger.wait_for_all(page), *FIELDS)[2:] == [VIEW]
    again = confirm("ORDER-1")
    assert select(ledger.wait_for_all(again), *FIELDS)[3:] == [VIEW]
    # A new page view without a page load.
    wait_until_loaded(again)
    again.evaluate("neuralens('page', {})")
    ledger.wait_for(5)
    assert select(ledger.wait_for_all(again), *FIELDS)[4:] == [VIEW]
    other = confirm("ORDER-2")
    assert sorted(select(ledger.wait_for_all(other), *FIELDS)[5:]) == [PURCHASE, VIEW]


@pytest.mark.parametrize(
    "markup",
    [
        '<div data-nl-ignore><p data-nl-product="gift">Gift</p></div>',
        '<p data-nl-product="gift" data-nl-ignore="false">Gift</p>',
        '<section data-nl-ignore><p data-nl-product="A">A</p></section>',
    ],
)
def test_ignored_lines_are_not_bought(show, ledger, order, markup):
    lines = f'{markup}<p data-nl-product="A">A</p>'
    page = show(f'<div data-nl-purchase="{order}">{lines}</div>')
    assert select(ledger.wait_for_all(page), *FIELDS) == [("PURCHASE", "A")]
    assert page.console_messages == []


def test_order_with_only_ignored_lines(show, ledger):
    page = show(
        '<div data-nl-purchase="ORDER-1"><p data-nl-ignore data-nl-product="gift">Gift</p></div>'
    )
    assert ledger.wait_for_all(page) == []
    assert len(page.console_messages) == 1
    assert page.console_messages[0].startswith("neuralens: data-nl-purchase must be text, around")


def test_added_later(show, ledger, order):
    page = show("<main></main>")
    page.evaluate(
        f"""document.querySelector("main").innerHTML = `
            <div data-nl-purchase="{order}">
            <i data-nl-product="A"></i><i data-nl-product="B"></i>
            </div>`"""
    )
    assert select(ledger.wait_for_all(page), *FIELDS) == [PURCHASE]


def test_two_orders_on_one_page(show, ledger, order):
    page = show(
        f'<div data-nl-purchase="{order}-1"><p data-nl-product="A">A</p></div>'
        f'<div data-nl-purchase="{order}-2"><p data-nl-product="A">A</p></div>'
    )
    assert select(ledger.wait_for_all(page), *FIELDS) == [("PURCHASE", "A"), ("PURCHASE", "A")]


def test_order_of_a_hundred_lines(show, ledger, order):
    ids = [f"P{index}" for index in range(100)]
    lines = "".join(f'<p data-nl-product="{line}">{line}</p>' for line in ids)
    page = show(f'<div data-nl-purchase="{order}">{lines}</div>')
    assert select(ledger.wait_for_all(page), *FIELDS) == [("PURCHASE", " ".join(ids))]
