"""An item's rank: explicit, from ARIA, or its position in the closest list."""

import pytest


def captured_ranks(seen):
    return {(event.id, event.get("index")) for event in seen}


def test_sources_of_ranks(show, ledger):
    page = show("rank.html")
    seen = [event for event in ledger.wait_for_all(page) if event.name == "VIEW_PRODUCT"]
    assert captured_ranks(seen) == {
        ("no list", None),
        ("first", 24),
        ("second", 25),
        ("inner first", 0),
        # In its own list it is a different item.
        ("second", 1),
        ("explicit", 7),
        ("by ARIA", 99),
        # Items with an explicit rank occupy a position, those of another kind do not.
        ("last", 28),
        ("10", 0),
        ("9", 1),
        ("constructor", 2),
        ("49", 48),
    }
    assert len(seen) == 12
    assert page.console_messages == []


def test_show_more_continues_the_ranks(show, ledger):
    page = show('<main data-nl-list="results"><p data-nl-product="A">A</p></main>')
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", 0)}
    page.evaluate(
        """document.querySelector("main").insertAdjacentHTML(
            "beforeend", '<p data-nl-product="B">B</p><p data-nl-product="C">C</p>')"""
    )
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", 0), ("B", 1), ("C", 2)}


def test_sorting_keeps_reported_ranks(show, ledger):
    """A reported rank is kept for the page view."""
    page = show(
        '<main data-nl-list="a"><p data-nl-product="A">A</p><p data-nl-product="B">B</p></main>'
    )
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", 0), ("B", 1)}
    page.evaluate("document.querySelector('main').prepend(document.querySelectorAll('p')[1])")
    page.click("text=B")
    click = ledger.wait_for_all(page)[-1]
    assert (click.name, click.id, click["index"]) == ("CLICK_PRODUCT", "B", 1)


def test_items_among_sorted_ones(show, ledger):
    """An item that was not reported before has the place that it has now."""
    tile = '<p data-nl-product="{0}"{1}>{0}</p>'
    hidden = "".join(tile.format(name, ' style="display: none"') for name in "CD")
    shown = "".join(tile.format(name, "") for name in "AB")
    page = show(f'<main data-nl-list="a">{shown}{hidden}</main>')
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", 0), ("B", 1)}
    page.evaluate(
        """for (const name of "CADB") {
            const tile = document.querySelector(`[data-nl-product=${name}]`);
            tile.style.display = "";
            tile.parentElement.append(tile);
        }"""
    )
    seen = captured_ranks(ledger.wait_for_all(page))
    assert seen == {("A", 0), ("B", 1), ("C", 0), ("D", 2)}


def test_item_that_is_on_the_next_page_too(show, ledger):
    """It keeps its rank, and takes a place on the next page."""
    page = show(
        '<main data-nl-list="a"><p data-nl-product="A">A</p><p data-nl-product="B">B</p></main>'
    )
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", 0), ("B", 1)}
    page.evaluate(
        """() => {
            const list = document.querySelector("main");
            list.dataset.nlOffset = 24;
            list.innerHTML = '<p data-nl-product="B">B</p><p data-nl-product="C">C</p>';
        }"""
    )
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", 0), ("B", 1), ("C", 25)}


@pytest.mark.parametrize("rank", ["0", "00", "41"])
def test_explicit_rank(show, ledger, rank):
    page = show(
        f'<main data-nl-list="a"><p data-nl-product="A" data-nl-index="{rank}">A</p></main>'
    )
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", int(rank))}


@pytest.mark.parametrize(("inner", "index"), [("", 10), ('data-nl-offset="0"', 0)])
def test_offset_of_a_nested_list(show, ledger, inner, index):
    """A list has its own offset, or that of the closest ancestor."""
    page = show(
        f'<p data-nl-offset="10"><b {inner} data-nl-list="a"><i data-nl-product="A">A</i></b></p>'
    )
    assert captured_ranks(ledger.wait_for_all(page)) == {("A", index)}
