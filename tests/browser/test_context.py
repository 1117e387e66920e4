"""An item takes page and query from the nearest element that says them, else from the settings."""

import pytest

SAID = {
    "inherited": ("SEARCH_RESULT_PAGE", "oak  chair & “table”"),
    "its own": ("PRODUCT_PAGE", "own"),
    "nearest query": ("SEARCH_RESULT_PAGE", "sofa"),
    "no query": ("CATEGORY_PAGE", None),
    "nearest page": ("AUTOCOMPLETE", "oak  chair & “table”"),
}


@pytest.mark.parametrize(
    ("settings", "nothing_said"),
    [
        ({}, (None, None)),
        ({"page": "CATEGORY_PAGE"}, ("CATEGORY_PAGE", None)),
        ({"page": "SEARCH_RESULT_PAGE", "query": "lamp"}, ("SEARCH_RESULT_PAGE", "lamp")),
    ],
)
def test_nearest(show, ledger, settings, nothing_said):
    page = show("context.html", **settings)
    seen = {event.id: (event.get("page"), event.get("query")) for event in ledger.settle(page)}
    assert seen == {"nothing said": nothing_said, **SAID}
    assert page.said == []


def test_as_it_is_when_something_is_seen(show, ledger):
    page = show('<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak"></main>')
    assert ledger.settle(page) == []
    page.evaluate(
        """() => {
            const main = document.querySelector("main");
            main.dataset.nlQuery = "oak table";
            main.innerHTML = '<p data-nl-product="A">A</p>';
        }"""
    )
    (seen,) = ledger.settle(page)
    assert seen["query"] == "oak table"
