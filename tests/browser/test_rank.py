"""An item's rank: as said, as ARIA says it, or its place in the nearest list."""

import pytest


def ranks(seen):
    return {(event.id, event.get("index")) for event in seen}


def test_where_ranks_come_from(show, ledger):
    page = show("rank.html")
    seen = [event for event in ledger.settle(page) if event.name == "VIEW_PRODUCT"]
    assert ranks(seen) == {
        ("no list", None),
        ("first", 24),
        ("second", 25),
        ("inner first", 0),
        # In the list of its own it is another item.
        ("second", 1),
        ("said", 7),
        ("said by ARIA", 99),
        # Items whose rank is said elsewhere, and not those of another kind, have their place too.
        ("last", 28),
        ("10", 0),
        ("9", 1),
        ("constructor", 2),
        ("49", 48),
    }
    assert len(seen) == 12
    assert page.said == []


def test_show_more_goes_on(show, ledger):
    page = show('<main data-nl-list="results"><p data-nl-product="A">A</p></main>')
    assert ranks(ledger.settle(page)) == {("A", 0)}
    page.evaluate(
        """document.querySelector("main").insertAdjacentHTML(
            "beforeend", '<p data-nl-product="B">B</p><p data-nl-product="C">C</p>')"""
    )
    assert ranks(ledger.settle(page)) == {("A", 0), ("B", 1), ("C", 2)}


def test_sorted_anew(show, ledger):
    """A rank that was told is the item's for the page view."""
    page = show(
        '<main data-nl-list="a"><p data-nl-product="A">A</p><p data-nl-product="B">B</p></main>'
    )
    assert ranks(ledger.settle(page)) == {("A", 0), ("B", 1)}
    page.evaluate("document.querySelector('main').prepend(document.querySelectorAll('p')[1])")
    page.click("text=B")
    click = ledger.settle(page)[-1]
    assert (click.name, click.id, click["index"]) == ("CLICK_PRODUCT", "B", 1)


@pytest.mark.parametrize("said", ["0", "00", "41"])
def test_said(show, ledger, said):
    page = show(
        f'<main data-nl-list="a"><p data-nl-product="A" data-nl-index="{said}">A</p></main>'
    )
    assert ranks(ledger.settle(page)) == {("A", int(said))}


@pytest.mark.parametrize(("inner", "index"), [("", 10), ('data-nl-offset="0"', 0)])
def test_offset_of_a_list_in_a_list(show, ledger, inner, index):
    """A list takes its own offset, or the nearest around it."""
    page = show(
        f'<p data-nl-offset="10"><b {inner} data-nl-list="a"><i data-nl-product="A">A</i></b></p>'
    )
    assert ranks(ledger.settle(page)) == {("A", index)}
