"""Diagnoses of the markup: ids, ranks, clones and context."""

from collections import Counter
from collections.abc import Iterator

from neuralens_embed.attributes import suggest_attribute
from neuralens_embed.placeholders import explain_placeholder
from neuralens_tracker.attributes import IGNORE, INDEX, LIST, OFFSET, PRODUCT, QUERY
from neuralens_tracker.vocabulary import VIEW_PRODUCT

from neuralens_verify.findings import OPEN, RESULTS, SECOND_PAGE, Finding
from neuralens_verify.observations import Event, Observations, View

# The most values listed in one finding.
MAX_LISTED = 3
EMPTY = "a template has printed nothing: print the attribute only where there is an id"


def check_markup(seen: Observations) -> Iterator[Finding]:
    """Yield faults of ids, ranks, clones and context."""
    for view in seen.views:
        yield from check_names(view)
        yield from check_placeholders(view)
        yield from check_clones(view)
    repeated = [finding for view in seen.views for finding in check_indices(view)]
    # Ranks that repeat within a list also do so on its next page.
    yield from repeated or check_ranks(seen)
    yield from check_context(seen)


def check_names(view: View) -> Iterator[Finding]:
    """Yield attributes whose names begin like the tracker's, and are none of them."""
    if view.unknown:
        listed = ", ".join(view.unknown[:MAX_LISTED])
        yield Finding(
            "unknown-attribute",
            f"{listed}: the tracker has no such attribute",
            f"For {view.unknown[0]}, {suggest_attribute(view.unknown[0])}",
            view.url,
        )


def check_indices(view: View) -> Iterator[Finding]:
    """Yield products of a list that claim the same rank."""
    products: dict[tuple[str, str], set[str]] = {}
    for element in view.elements:
        if element.attribute == PRODUCT and element.index and element.list_id:
            products.setdefault((element.list_id, element.index), set()).add(element.value)
    for (_, index), values in products.items():
        if len(values) > 1:
            yield Finding(
                "ranks-repeat",
                f'several products of a list have {INDEX}="{index}":'
                f" {', '.join(sorted(values)[:MAX_LISTED])}",
                f"Render each item's own rank, from 0, or omit {INDEX}: then they are counted.",
                view.url,
            )
            return


def check_placeholders(view: View) -> Iterator[Finding]:
    """Yield ids and queries that show a mistake in the template."""
    texts = [(element.attribute, element.value) for element in view.elements]
    texts += [(QUERY, query) for query in view.queries]
    reasons = {
        f'{name}="{value}"': reason
        for name, value in texts
        if (reason := explain_placeholder(value) or (name != QUERY and not value and EMPTY))
    }
    if reasons:
        listed = ", ".join(list(reasons)[:MAX_LISTED])
        explanation, _, remedy = next(iter(reasons.values())).partition(": ")
        yield Finding(
            "unrendered-id",
            f"{listed}: {explanation}",
            f"{remedy.capitalize()}.",
            view.url,
        )


def check_clones(view: View) -> Iterator[Finding]:
    """Yield products that occur more than once in a list, except as hidden clones of a carousel."""
    counts = Counter(
        (element.list_id, element.value)
        for element in view.elements
        if element.attribute == PRODUCT and element.list_id and not element.hidden
        if element.value and not explain_placeholder(element.value)
    )
    clones = [value for (_, value), count in counts.items() if count > 1]
    if clones:
        yield Finding(
            "clones",
            f"products occur more than once in a list: {', '.join(clones[:MAX_LISTED])}",
            f'Add {IGNORE} or aria-hidden="true" to the clones that a carousel or a sticky bar'
            " makes, so that each product has one rank.",
            view.url,
        )


def check_ranks(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if the second page of a list does not continue the ranks of the first."""
    first, second = products_by_rank(seen, RESULTS), products_by_rank(seen, SECOND_PAGE)
    restarted = [rank for rank in second if rank in first and not first[rank] & second[rank]]
    if restarted:
        view = next(view for view in seen.views if view.step == SECOND_PAGE)
        rank = min(restarted)
        yield Finding(
            "ranks-restart",
            f"ranks restart at {min(second)} on page 2: {min(second[rank])} has the same rank as"
            f" {min(first[rank])}",
            f'Add {OFFSET}="N" to the element with {LIST}, where N is the rank of the page\'s first'
            " item.",
            view.url,
        )


def products_by_rank(seen: Observations, step: str) -> dict[int, set[str]]:
    """Return the ids of the products seen at each rank of the list of results.

    That is the list with the most products; others, such as recommendations, rightly start at 0.
    """
    lists: dict[str, set[str]] = {}
    for view in seen.views:
        if view.step == step:
            for element in view.elements:
                if element.attribute == PRODUCT and element.list_id:
                    lists.setdefault(element.list_id, set()).add(element.value)
    results = max(lists.values(), key=len, default=set())
    ranks: dict[int, set[str]] = {}
    for event in seen.events:
        viewed = event.step == step and event.name == VIEW_PRODUCT and event.ids[0] in results
        if viewed and event.index is not None:
            ranks.setdefault(event.index, set()).add(event.ids[0])
    return ranks


def check_context(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if views of results lack the query, as happens in single-page shops."""
    documents: dict[str, str] = {}
    for view in seen.views:
        documents.setdefault(view.step, view.document)
    results = [each for each in seen.events if each.step == RESULTS and each.name == VIEW_PRODUCT]
    if (
        not results
        or not seen.searched
        or any(has_searched_query(seen, event) for event in results)
    ):
        return
    view = next(view for view in seen.views if view.step == RESULTS)
    queries = {event.query for event in results if event.query}
    have = f"have the query {min(queries)!r}" if queries else "have no query"
    if documents[RESULTS] == documents.get(OPEN):
        yield Finding(
            "spa-without-context",
            f"the route has changed without a page load, and products in the results {have}",
            f"Add data-nl-page and {QUERY} to the list, or call"
            ' neuralens("page", {page, query}) on each route change.',
            view.url,
        )
    elif not queries:
        yield Finding(
            "results-without-query",
            f"products in the results {have}",
            f'Add data-nl-page="SEARCH_RESULT_PAGE" and {QUERY} to the list.',
            view.url,
        )


def has_searched_query(seen: Observations, event: Event) -> bool:
    """Return whether an event of the results has the query that was searched for."""
    return event.query is not None and seen.is_search(event.query)
