"""The lines of an order."""

import pytest


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        ('<i data-nl-product="A"></i><i data-nl-product="B"></i>', ["A", "B"]),
        ('<i data-nl-product="A"></i><i data-nl-product="A"></i>', ["A"]),
        ('<i data-nl-product="A"></i><i data-nl-product=""></i>', ["A"]),
        ('<i data-nl-product="A"></i><b data-nl-ignore><i data-nl-product="gift"></i></b>', ["A"]),
        ('<i data-nl-product="A"></i><i data-nl-product="gift" data-nl-ignore></i>', ["A"]),
        ('<i data-nl-product="A"></i><i data-nl-suggestion="s" data-nl-landing="L"></i>', ["A"]),
    ],
)
def test_lines(reader, lines, ids):
    page = reader(f'<div data-nl-purchase="7">{lines}</div>')
    order = page.items.read_purchase(page.find("div"))
    assert (order.kind, order.id, order.ids) == ("data-nl-purchase", "7", ids)
    assert page.items.context(order)["index"] is None
    assert page.complaints == []


@pytest.mark.parametrize(
    "order",
    [
        '<div data-nl-purchase=""><i data-nl-product="A"></i></div>',
        '<div data-nl-purchase="7"></div>',
        '<div data-nl-purchase="7"><i data-nl-product=""></i></div>',
        '<div data-nl-purchase="7"><i data-nl-product="gift" data-nl-ignore></i></div>',
    ],
)
def test_an_invalid_order_is_reported(reader, order):
    page = reader(order)
    assert page.items.read_purchase(page.find("div")) is None
    assert page.complaints == [("div", "data-nl-purchase")]


def test_an_ignored_order(reader):
    page = reader(
        '<b data-nl-ignore><div data-nl-purchase="7"><i data-nl-product="A"></i></div></b>'
    )
    assert page.items.read_purchase(page.find("div")) is None
    assert page.complaints == []
