"""Descriptions of events in plain English."""

from collections.abc import Callable, Mapping
from typing import Any

from neuralens_tracker import vocabulary as words

ACTIONS = {
    words.VIEW_PRODUCT: "Saw {}",
    words.CLICK_PRODUCT: "Opened {}",
    words.VIEW_SUGGESTION: "Saw the suggestion {}",
    words.CLICK_SUGGESTION: "Chose the suggestion {}",
    words.LAND_PRODUCT_PAGE: "Landed on the page of {}",
    words.FAVORITE: "Added {} to the favorites",
    words.SHARE: "Shared {}",
    words.ADD_TO_CART: "Added {} to the cart",
    words.PURCHASE: "Bought {}",
}
# The sources of an event's rank and query, as the tracker's hook ``event`` gives them.
RANK_SOURCES = {
    "explicit": "rank from the markup",
    "posinset": "rank from ARIA",
    "order": "rank from the position in the list",
}
QUERY_SOURCES = {
    "markup": "query from the markup",
    "page": "query from the page",
    "typed": "query as typed",
    "attribution": "query of the attributed search",
}
SUGGESTIONS = (words.VIEW_SUGGESTION, words.CLICK_SUGGESTION)
PLACES = {
    "SEARCH_RESULT_PAGE": "in the search results",
    "AUTOCOMPLETE": "under the search box",
    "CATEGORY_PAGE": "in a department",
    "PRODUCT_PAGE": "on a product page",
}


def narrate(event: Mapping[str, Any], name: Callable[[str], str]) -> str:
    """Describe what a shopper did. ``event`` is valid; ``name`` maps a product id to its name."""
    ids = [item["id"] for item in event["items"]]
    quoted = event["event"] in SUGGESTIONS
    things = join_words([f"“{each}”" if quoted else name(each) for each in ids])
    parts = [ACTIONS[event["event"]].format(things)]
    if "page" in event and event["event"] != words.LAND_PRODUCT_PAGE:
        parts.append(PLACES[event["page"]])
    if event.get("query"):
        parts.append(f"for “{event['query']}”")
    if "index" in event:
        parts.append(f"at rank {event['index']}")
    return " ".join(parts)


def explain(sources: Mapping[str, str]) -> str:
    """Describe the known sources of an event's rank and query."""
    known = [
        table.get(sources.get(name, ""))
        for name, table in (("rankSource", RANK_SOURCES), ("querySource", QUERY_SOURCES))
    ]
    return ", ".join(part for part in known if part)


def join_words(things: list[str]) -> str:
    """Join names as in a sentence."""
    *others, last = things
    return f"{', '.join(others)} and {last}" if others else last
