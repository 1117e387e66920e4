"""An item's page and query come from the closest element that has them, or the settings."""

import pytest

CONTEXTS = {
    "inherited": ("SEARCH_RESULT_PAGE", "oak  chair & “table”"),
    "its own": ("PRODUCT_PAGE", "own"),
    "nearest query": ("SEARCH_RESULT_PAGE", "sofa"),
    "no query": ("CATEGORY_PAGE", None),
    "nearest page": ("AUTOCOMPLETE", "oak  chair & “table”"),
}


@pytest.mark.parametrize(
    ("settings", "default"),
    [
        ({}, (None, None)),
        ({"page": "CATEGORY_PAGE"}, ("CATEGORY_PAGE", None)),
        ({"page": "SEARCH_RESULT_PAGE", "query": "lamp"}, ("SEARCH_RESULT_PAGE", "lamp")),
    ],
)
def test_closest_element(show, ledger, settings, default):
    page = show("context.html", **settings)
    seen = {
        event.id: (event.get("page"), event.get("query")) for event in ledger.wait_for_all(page)
    }
    assert seen == {"no context": default, **CONTEXTS}
    assert page.console_messages == []


def test_context_at_the_time_of_the_view(show, ledger):
    page = show('<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak"></main>')
    assert ledger.wait_for_all(page) == []
    page.evaluate(
        """() => {
            const main = document.querySelector("main");
            main.dataset.nlQuery = "oak table";
            main.innerHTML = '<p data-nl-product="A">A</p>';
        }"""
    )
    (seen,) = ledger.wait_for_all(page)
    assert seen["query"] == "oak table"
