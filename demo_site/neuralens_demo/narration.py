"""Events in words that a person would use."""

from collections.abc import Callable, Mapping
from typing import Any

from neuralens_tracker import vocabulary as words

DEEDS = {
    words.VIEW_PRODUCT: "Saw {}",
    words.CLICK_PRODUCT: "Opened {}",
    words.VIEW_SUGGESTION: "Was offered {}",
    words.CLICK_SUGGESTION: "Chose the suggestion {}",
    words.LAND_PRODUCT_PAGE: "Came to the page of {}",
    words.FAVORITE: "Made a favourite of {}",
    words.SHARE: "Shared {}",
    words.ADD_TO_CART: "Put {} into the cart",
    words.PURCHASE: "Bought {}",
}
# Where an event has its rank and its query from, by the words of the tracker's hook ``event``.
RANK_SOURCES = {
    "explicit": "rank as the markup says",
    "posinset": "rank as ARIA says",
    "order": "rank from its place in the list",
}
QUERY_SOURCES = {
    "markup": "query as the markup says",
    "page": "query as the page says",
    "typed": "query as it was typed",
    "attribution": "query of the search that it was found by",
}
SUGGESTIONS = (words.VIEW_SUGGESTION, words.CLICK_SUGGESTION)
PLACES = {
    "SEARCH_RESULT_PAGE": "in the search results",
    "AUTOCOMPLETE": "under the search box",
    "CATEGORY_PAGE": "in a department",
    "PRODUCT_PAGE": "on a product page",
}


def narrate(event: Mapping[str, Any], name: Callable[[str], str]) -> str:
    """Say what a shopper did. ``event`` is a right one; ``name`` turns a product id into words."""
    ids = [item["id"] for item in event["items"]]
    quoted = event["event"] in SUGGESTIONS
    things = enumerate_in_words([f"“{each}”" if quoted else name(each) for each in ids])
    parts = [DEEDS[event["event"]].format(things)]
    if "page" in event and event["event"] != words.LAND_PRODUCT_PAGE:
        parts.append(PLACES[event["page"]])
    if event.get("query"):
        parts.append(f"for “{event['query']}”")
    if "index" in event:
        parts.append(f"at rank {event['index']}")
    return " ".join(parts)


def explain(sources: Mapping[str, str]) -> str:
    """Say where an event has its rank and its query from, as far as that is known."""
    known = [
        table.get(sources.get(name, ""))
        for name, table in (("rankSource", RANK_SOURCES), ("querySource", QUERY_SOURCES))
    ]
    return ", ".join(part for part in known if part)


def enumerate_in_words(things: list[str]) -> str:
    """Join things as one would in a sentence."""
    *others, last = things
    return f"{', '.join(others)} and {last}" if others else last
