"""Diagnoses of the markup: ids, ranks, clones and context."""

import difflib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from neuralens_embed.attributes import KNOWN, suggest_attribute
from neuralens_embed.names import EVERY_SETTING
from neuralens_embed.placeholders import explain_id, explain_placeholder, looks_decimal
from neuralens_tracker.attributes import (
    IGNORE,
    INDEX,
    LANDING,
    LIST,
    OFFSET,
    PRODUCT,
    PURCHASE_ORDER,
    QUERY,
)
from neuralens_tracker.vocabulary import VIEW_PRODUCT

from neuralens_verify.findings import OPEN, RESULTS, SECOND_PAGE, Finding
from neuralens_verify.observations import Element, Event, Observations, View, normalize

# The least number of products of one id, without links that differ, that are no clones.
MIN_ALIKE = 3
# The most values listed in one finding.
MAX_LISTED = 3
EMPTY = "a template has printed nothing: print the attribute only where there is an id"
PRICE = "they are the prices in the items' texts: print the products' ids"
FRACTION = "they look like prices, or like numbers with a fraction: print the plain ids"
# How much a query must be like the one searched for, which a shop may have corrected.
SIMILARITY = 0.5


def check_markup(seen: Observations) -> Iterator[Finding]:
    """Yield faults of names, values, ids, ranks, clones and context."""
    invalid = list(check_values(seen))
    yield from invalid
    for view in seen.views:
        yield from check_names(view)
        yield from check_duplicates(view)
        yield from check_removed(view)
        yield from check_placeholders(view)
        yield from check_charset(view)
        nested = list(check_nesting(view))
        yield from nested or check_clones(view)
    # With an invalid value, ranks repeat because of it; those that repeat within a list also do so
    # on its next page.
    if not any(finding.message.startswith((INDEX, OFFSET)) for finding in invalid):
        repeated = [finding for view in seen.views for finding in check_indices(view)]
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


def check_duplicates(view: View) -> Iterator[Finding]:
    """Yield a finding if an element has an attribute twice."""
    if view.duplicates:
        message, _, reason = view.duplicates[0].rpartition(": ")
        yield Finding(
            "attribute-twice",
            f"{message}: {reason}",
            "Print it once. In the page's own HTML, the first one counts.",
            view.url,
        )


def check_nesting(view: View) -> Iterator[Finding]:
    """Yield a finding if the products of a list are inside products of it, one in each."""
    products = [each for each in view.elements if each.attribute == PRODUCT and each.list_id]
    pairs = [(each.outer, each.value) for each in products if each.outer]
    if len(pairs) > 1 and len(pairs) * 2 == len(products):
        listed = ", ".join(f"{inner} in {outer}" for outer, inner in pairs[:MAX_LISTED])
        yield Finding(
            "nested-products",
            f"each product of a list has another one inside: {listed}",
            f"Put {PRODUCT} on one element of each tile: two templates print it.",
            view.url,
        )


def check_values(seen: Observations) -> Iterator[Finding]:
    """Yield values of attributes and settings that the tracker has reported as invalid."""
    # Reported as such.
    empty = {each.attribute for view in seen.views for each in view.elements if not each.value}
    for message, page in seen.messages.items():
        name, _, requirement = message.partition(" must be ")
        kind = "attribute" if name in KNOWN else "setting" if name in EVERY_SETTING else ""
        if requirement and kind and name not in empty:
            yield Finding(
                "invalid-value",
                message,
                f"Correct the {kind}: its value is ignored, as if it were missing.",
                page,
            )


def check_removed(view: View) -> Iterator[Finding]:
    """Yield a finding if a script has removed the attributes that the server has sent."""
    if view.removed:
        listed = ", ".join(view.removed[:MAX_LISTED])
        yield Finding(
            "attributes-removed",
            f"the server's HTML has {listed}, but the page no longer does: a script has rendered"
            " those elements again without the attributes, or has removed them",
            "Render the attributes in the component that the browser renders or hydrates, too, not"
            " only in the server's template.",
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
    texts = [(each.attribute, each.value, explain_element(each)) for each in view.elements]
    texts += [(QUERY, query, explain_placeholder(query)) for query in view.queries]
    products = [each for each in view.elements if each.attribute == PRODUCT]
    ids = sorted({each.value for each in products})
    # One id may equal its product's price by chance.
    if len(ids) > 1 and all(each.is_price for each in products):
        texts += [(PRODUCT, value, PRICE) for value in ids]
    elif looks_decimal(ids):
        texts += [(PRODUCT, value, FRACTION) for value in ids]
    reasons = {f'{name}="{value}"': reason for name, value, reason in texts if reason}
    if reasons:
        listed = ", ".join(list(reasons)[:MAX_LISTED])
        explanation, _, remedy = next(iter(reasons.values())).partition(": ")
        yield Finding(
            "unrendered-id",
            f"{listed}: {explanation}",
            f"{remedy.capitalize()}.",
            view.url,
        )


def check_charset(view: View) -> Iterator[Finding]:
    """Yield a finding if the browser reads the page in another encoding than it is written in."""
    texts = [*view.queries, *(each.value for each in view.elements)]
    if misread := next(filter(is_misread, texts), ""):
        yield Finding(
            "wrong-charset",
            f'"{misread}" is UTF-8 that is read, or was stored, in another encoding',
            "Send the page with Content-Type: text/html; charset=utf-8, put <meta charset> first"
            " into its <head>, or correct the encoding of the database's connection.",
            view.url,
        )


def is_misread(text: str) -> bool:
    """Return whether a text is UTF-8 in the characters of a Western encoding, such as "Ã¤"."""
    for encoding in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            if text.encode(encoding).decode() != text:
                return True
    return False


def explain_element(element: Element) -> str:
    """Return why an item's value shows a mistake in the template, or ""."""
    if not element.value:
        return EMPTY
    if element.attribute not in (PRODUCT, LANDING, PURCHASE_ORDER):
        return explain_placeholder(element.value)
    return explain_id(element.value)


def check_clones(view: View) -> Iterator[Finding]:
    """Yield products that occur more than once in a list, except as hidden clones of a carousel."""
    lists: dict[str, list[Element]] = {}
    for element in view.elements:
        is_shown = element.attribute == PRODUCT and element.list_id and not element.hidden
        if is_shown and not explain_element(element):
            lists.setdefault(element.list_id, []).append(element)
    for products in lists.values():
        values = {element.value for element in products}
        links = {element.link for element in products}
        if len(values) == 1 and (len(links) > 1 or len(products) >= MIN_ALIKE):
            yield Finding(
                "shared-id",
                f'all {len(products)} products of a list have {PRODUCT}="{min(values)}"',
                "Print each product's own id: the template takes it from outside the loop, or the"
                " same field of another object.",
                view.url,
            )
            return
    counts = Counter((key, each.value) for key, found in lists.items() for each in found)
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
    elif not any(is_similar(query, text) for query in queries for text in seen.searched):
        yield Finding(
            "results-without-query",
            f"products in the results {have}",
            f'Put data-nl-page="SEARCH_RESULT_PAGE" and {QUERY}, with the text searched for, on the'
            " list.",
            view.url,
        )


def is_similar(query: str, text: str) -> bool:
    """Return whether a query may be a correction of another, or contain it."""
    query, text = normalize(query), normalize(text)
    ratio = difflib.SequenceMatcher(None, query, text).ratio()
    return query in text or text in query or ratio >= SIMILARITY


def has_searched_query(seen: Observations, event: Event) -> bool:
    """Return whether an event of the results has the query that was searched for."""
    return event.query is not None and seen.is_search(event.query)
