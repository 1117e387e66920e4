"""Diagnoses of the events: what was seen, ranks, page and query, and the product's own page."""

import difflib
from collections.abc import Iterator

from neuralens_tracker.attributes import (
    INDEX,
    LANDING,
    LIST,
    OFFSET,
    PAGE,
    PRODUCT,
    PURCHASE_ORDER,
    QUERY,
)
from neuralens_tracker.vocabulary import (
    ADD_TO_CART,
    CLICK_PRODUCT,
    FAVORITE,
    LAND_PRODUCT_PAGE,
    PURCHASE,
    SEARCH_RESULT_PAGE,
    SHARE,
    VIEW_PRODUCT,
)

from neuralens_verify.findings import (
    MAX_LISTED,
    OPEN,
    PRODUCT_PAGE,
    RESULTS,
    SECOND_PAGE,
    Finding,
    page_fails,
)
from neuralens_verify.observations import Element, Event, Observations, normalize

# Causes for which attributes are missing.
INCOMPLETE = {"unknown-attribute", "attributes-removed"}
# Causes for which the ids of tiles are not those that the shop means.
WRONG_IDS = {"attribute-twice", "nested-products", "shared-id", "unrendered-id"}
# What a visit never does.
UNDONE = (PURCHASE, ADD_TO_CART, FAVORITE, SHARE)
# How much a query must be like the one searched for, which a shop may have corrected.
SIMILARITY = 0.5


def check_events(seen: Observations, known: list[Finding]) -> Iterator[Finding]:
    """Yield faults of what was seen, of ranks and context, and of the product's own page.

    ``known`` are the findings of the markup, which explain some of these.
    """
    causes = {finding.cause for finding in known}
    invalid = {each.message.partition(" ")[0] for each in known if each.cause == "invalid-value"}
    # Those that repeat within a list also do so on its next page.
    if "ranks-repeat" not in causes and not invalid & {INDEX, OFFSET}:
        yield from check_ranks(seen)
    yield from check_context(seen)
    yield from check_suppressed(seen)
    yield from check_undone(seen)
    if not causes & INCOMPLETE:
        yield from check_views(seen)
        yield from check_page(seen, invalid)
        yield from check_landing(seen, causes)


def check_views(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if a page shows no products, or shows them without any being seen."""
    names = {each.name for each in seen.events} | {each.name for each in seen.suppressed}
    for view in seen.views:
        tiles = [
            each
            for each in view.elements
            if each.attribute == PRODUCT and each.value and not each.hidden
        ]
        if (
            view.step == RESULTS
            and len(tiles) > 1
            and names
            and not names & {VIEW_PRODUCT, PURCHASE}
        ):
            yield nothing_seen(view.url)
        if view.step in (RESULTS, SECOND_PAGE) and view.version and view.fails and not tiles:
            yield page_fails(view, "products")


def check_undone(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if there is an event of what the visit has not done, such as a purchase."""
    if event := next((each for each in seen.events if each.name in UNDONE), None):
        yield Finding(
            "unexpected-event",
            f"{event.name} was captured for {', '.join(event.ids[:MAX_LISTED])}, but the visit only"
            " looks at pages, searches and follows links",
            f"Put {PURCHASE_ORDER} only around the products of an order, on the page that confirms"
            f' it, and call neuralens("track", "{event.name}", ...) only when it happens.',
            url_of(seen, event.step),
        )


def check_suppressed(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if the shop drops each event that a product was seen, but not all events."""
    of_views = [each for each in seen.suppressed if each.name == VIEW_PRODUCT]
    is_dropped = of_views and all(each.reason == "before" for each in of_views)
    if is_dropped and seen.events and VIEW_PRODUCT not in {each.name for each in seen.events}:
        yield all_suppressed(f"{VIEW_PRODUCT} was suppressed", "before", seen.address)


def all_suppressed(what: str, reason: str, url: str) -> Finding:
    """Return the finding that every event, or all of a name, were suppressed."""
    return Finding(
        "all-suppressed",
        f"every {what}: {reason}",
        'Check the functions that the shop passes to neuralens("before", ...).',
        url,
    )


def nothing_seen(url: str) -> Finding:
    """Return the finding that no product was in view for long enough."""
    return Finding(
        "nothing-seen",
        "the markup has items, but none was in view for long enough",
        "Check that they are visible: half of each, for data-view-ms.",
        url,
    )


def check_ranks(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if ranks do not start at 0, do not continue on page 2, or are missing."""
    first, second = products_by_rank(seen, RESULTS), products_by_rank(seen, SECOND_PAGE)
    restarted = [rank for rank in second if rank in first and not first[rank] & second[rank]]
    if late := start_of(seen, first):
        yield Finding(
            "ranks-start-late",
            f"ranks of the results start at {late}, not at 0",
            f"Render {INDEX} from 0, such as loop.index0, and {OFFSET} as the number of items on"
            " earlier pages, or omit them: then items are counted.",
            url_of(seen, RESULTS),
        )
    # Not if there is one product more, such as an advertisement that is always the first.
    elif len(restarted) * 2 > len(second):
        rank = min(restarted)
        is_given = any(each.index for each in results_of(seen, SECOND_PAGE).values())
        yield Finding(
            "ranks-restart",
            f"ranks restart at {min(second)} on page 2: {min(second[rank])} has the same rank as"
            f" {min(first[rank])}",
            f"Add the number of items on earlier pages to {INDEX}, or omit it and add {OFFSET}."
            if is_given
            else f'Add {OFFSET}="N" to the element with {LIST}, where N is the rank of the page\'s'
            " first item.",
            url_of(seen, SECOND_PAGE),
        )
    views = views_in(seen, RESULTS)
    if len(views) > 1 and all(each.index is None for each in views):
        yield Finding(
            "ranks-missing",
            "products in the results have no rank",
            f"Add {LIST} to the element around them, or {INDEX} to each.",
            url_of(seen, RESULTS),
        )


def lists_of(seen: Observations, step: str) -> list[dict[str, Element]]:
    """Return the products of each list of a step's page, by their ids, in the markup's order."""
    lists: dict[str, dict[str, Element]] = {}
    for view in seen.views:
        if view.step == step:
            for element in view.elements:
                if element.attribute == PRODUCT and element.list_id:
                    lists.setdefault(element.list_id, {}).setdefault(element.value, element)
    return list(lists.values())


def results_of(seen: Observations, step: str) -> dict[str, Element]:
    """Return the products of the list of results.

    That is the list with the most products; others, such as recommendations, rightly start at 0.
    """
    return max(lists_of(seen, step), key=len, default={})


def products_by_rank(seen: Observations, step: str) -> dict[int, set[str]]:
    """Return the ids of the products seen at each rank of the list of results."""
    results = results_of(seen, step)
    ranks: dict[int, set[str]] = {}
    for event in views_in(seen, step):
        if event.ids[0] in results and event.index is not None:
            ranks.setdefault(event.index, set()).add(event.ids[0])
    return ranks


def start_of(seen: Observations, ranks: dict[int, set[str]]) -> int:
    """Return by how much all ranks of the results exceed their places; 0 if one does not.

    A product may have a place without having been seen. 0, too, if that is what comes before.
    """
    places = {value: place for place, value in enumerate(results_of(seen, RESULTS))}
    excess = [rank - places[value] for rank, values in ranks.items() for value in values]
    start = max(min(excess, default=0), 0)
    return 0 if start in plausible_starts(seen) else start


def plausible_starts(seen: Observations) -> set[int]:
    """Return at which ranks the results may start: after ads in their list, or lists before it."""
    lists, results = lists_of(seen, RESULTS), results_of(seen, RESULTS)
    starts = {0}
    for earlier in reversed(lists[: lists.index(results)] if results else []):
        starts.add(max(starts) + len(earlier))
    ads = max((each.before for each in results.values()), default=0)
    return {start + ad for start in starts for ad in range(ads + 1)}


def views_in(seen: Observations, step: str) -> list[Event]:
    """Return the events of a step that products were seen."""
    return [each for each in seen.events if each.step == step and each.name == VIEW_PRODUCT]


def url_of(seen: Observations, step: str) -> str:
    """Return the URL of the page of a step."""
    return next((view.url for view in seen.views if view.step == step), seen.address)


def check_context(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if views of results lack the query, as happens in single-page shops."""
    documents: dict[str, str] = {}
    for view in seen.views:
        documents.setdefault(view.step, view.document)
    results = views_in(seen, RESULTS)
    if (
        not results
        or not seen.searched
        or any(has_searched_query(seen, event) for event in results)
    ):
        return
    queries = {event.query for event in results if event.query}
    have = f"have the query {min(queries)!r}" if queries else "have no query"
    if documents[RESULTS] == documents.get(OPEN):
        yield Finding(
            "spa-without-context",
            f"the route has changed without a page load, and products in the results {have}",
            f"Add data-nl-page and {QUERY} to the list, or call"
            ' neuralens("page", {page, query}) on each route change.',
            url_of(seen, RESULTS),
        )
    elif not any(is_similar(query, text) for query in queries for text in seen.searched):
        yield Finding(
            "results-without-query",
            f"products in the results {have}",
            f'Put data-nl-page="SEARCH_RESULT_PAGE" and {QUERY}, with the text searched for, on the'
            " list.",
            url_of(seen, RESULTS),
        )


def check_page(seen: Observations, invalid: set[str]) -> Iterator[Finding]:
    """Yield a finding if views of results have the query that was searched for, but another page.

    ``invalid`` are the names of attributes with invalid values, which the tracker ignores.
    """
    pages = {each.page for each in views_in(seen, RESULTS) if has_searched_query(seen, each)}
    if pages and SEARCH_RESULT_PAGE not in pages and PAGE not in invalid:
        (page, *_) = pages
        yield Finding(
            "results-without-page",
            f"products in the results have {f'the page {page}' if page else 'no page'}",
            f'Put {PAGE}="{SEARCH_RESULT_PAGE}" on the list.',
            url_of(seen, RESULTS),
        )


def check_landing(seen: Observations, causes: set[str]) -> Iterator[Finding]:
    """Yield a finding if the page of a product does not say which one it is, or another one.

    ``causes`` are those of the markup's findings.
    """
    view = next((view for view in seen.views if view.step == PRODUCT_PAGE), None)
    if view is None or view.version is None:
        return
    events = [each for each in seen.events if each.step == PRODUCT_PAGE]
    clicked = [each.ids[0] for each in events if each.name == CLICK_PRODUCT]
    landed = [each.ids[0] for each in events if each.name == LAND_PRODUCT_PAGE]
    is_page = view.url.partition("#")[0] not in {
        each.url.partition("#")[0] for each in seen.views if each is not view
    }
    has_landing = landed or view.ignored or any(each.attribute == LANDING for each in view.elements)
    if is_page and not has_landing and view.fails:
        yield page_fails(view, LANDING)
    elif is_page and not has_landing:
        yield Finding(
            "no-landing",
            f"a product leads to {view.url}, which has no {LANDING}",
            f'Add {LANDING}="ID" to the main element of the product\'s page.',
            view.url,
        )
    elif clicked and landed and clicked[-1] not in landed and not causes & WRONG_IDS:
        yield Finding(
            "ids-differ",
            f"a product has the id {clicked[-1]} in a list, but {landed[0]} on its own page",
            "Print the same id on both: the one that the catalog at Neuralens has. Otherwise what"
            " happens on the page is not attributed to the search that led to it.",
            view.url,
        )


def has_searched_query(seen: Observations, event: Event) -> bool:
    """Return whether an event of the results has the query that was searched for."""
    return event.query is not None and seen.is_search(event.query)


def is_similar(query: str, text: str) -> bool:
    """Return whether a query may be a correction of another, or contain it."""
    query, text = normalize(query), normalize(text)
    ratio = difflib.SequenceMatcher(None, query, text).ratio()
    return query in text or text in query or ratio >= SIMILARITY
