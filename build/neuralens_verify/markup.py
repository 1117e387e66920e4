"""Diagnoses of the markup: names, values, ids and clones."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from neuralens_embed.attributes import KNOWN, suggest_attribute
from neuralens_embed.names import EVERY_SETTING
from neuralens_embed.placeholders import (
    LOCALIZED,
    explain_id,
    explain_placeholder,
    looks_decimal,
    looks_grouped,
)
from neuralens_tracker.attributes import (
    ACTION,
    IGNORE,
    INDEX,
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    QUERY,
)
from neuralens_tracker.personal_data import is_email
from neuralens_tracker.vocabulary import ACTIONS

from neuralens_verify.findings import MAX_LISTED, Finding, is_invalid_consent
from neuralens_verify.observations import Element, Observations, View

# With so many products, one id for all of them is a mistake, even if their links are equal.
MIN_ALIKE = 3
EMPTY = "a template has printed nothing: print the attribute only where there is an id"
PRICE = "they are the prices in the items' texts: print the products' ids"
FRACTION = "they look like prices, or like numbers with a fraction: print the plain ids"


def check_markup(seen: Observations) -> Iterator[Finding]:
    """Yield faults of names, values, ids and clones."""
    yield from check_values(seen)
    yield from check_uid(seen)
    for view in seen.views:
        yield from check_names(view)
        yield from check_controls(view)
        yield from check_duplicates(view)
        yield from check_removed(view)
        yield from check_placeholders(view)
        yield from check_charset(view)
        yield from check_landings(view)
        nested = list(check_nesting(view))
        yield from nested or check_clones(view)
        yield from check_indices(view)


def check_names(view: View) -> Iterator[Finding]:
    """Yield a finding if there are unknown attributes with the tracker's prefix."""
    if view.unknown:
        listed = ", ".join(view.unknown[:MAX_LISTED])
        yield Finding(
            "unknown-attribute",
            f"{listed}: the tracker has no such attribute",
            f"For {view.unknown[0]}, {suggest_attribute(view.unknown[0])}",
            view.url,
        )


def check_controls(view: View) -> Iterator[Finding]:
    """Yield a finding for controls with an invalid action, and one for those of no product.

    The visit activates none of them, so the tracker does not report them.
    """
    if invalid := next((each for each in view.controls if each.action not in ACTIONS), None):
        yield Finding(
            "invalid-value",
            f'{ACTION}="{invalid.action}": the tracker has no such action',
            f"Write one of {', '.join(ACTIONS)}: the control counts as a part of its item.",
            view.url,
        )
    elif outside := next((each for each in view.controls if not each.has_item), None):
        yield Finding(
            "action-without-item",
            f'{ACTION}="{outside.action}" is outside every product and landing: its clicks have no'
            " id, and are not tracked",
            f"Put {PRODUCT} or {LANDING} on an element around the control.",
            view.url,
        )


def check_landings(view: View) -> Iterator[Finding]:
    """Yield a finding if a page shows several landings, as where tiles have the attribute."""
    shown = [each for each in view.elements if each.attribute == LANDING and not each.hidden]
    ids = list(dict.fromkeys(each.value for each in shown if each.value))
    if len(ids) >= MIN_ALIKE:
        yield Finding(
            "several-landings",
            f"the page has {LANDING} for {', '.join(ids[:MAX_LISTED])}: each counts as a visit to"
            " that product's page",
            f"Put {PRODUCT} on the tiles of a list, and {LANDING} only on a product's own page.",
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
    # Empty ones are reported as such.
    empty = {each.attribute for view in seen.views for each in view.elements if not each.value}
    if any(view.settings.get("appId") == "" for view in seen.views):
        empty.add("appId")
    for message, page in seen.messages.items():
        name, _, requirement = message.partition(" must be ")
        kind = "attribute" if name in KNOWN else "setting" if name in EVERY_SETTING else ""
        if requirement and kind and name not in empty:
            yield Finding(
                "invalid-value",
                message,
                'Correct it, in data-consent or neuralens("consent", ...): any other word counts as'
                " pending."
                if is_invalid_consent(message)
                else f"Correct the {kind}: its value is ignored, as if it were missing.",
                page,
            )


def check_uid(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if visitors have the same id; one with a mistake of its own has another."""
    uid = seen.shared_uid
    if uid and not is_email(uid) and not explain_placeholder(uid):
        yield Finding(
            "shared-uid",
            f'every visitor has data-uid="{uid}", and so counts as one shopper',
            "Print the attribute only for a shopper who has logged in, and keep such pages out of"
            " shared caches.",
            seen.views[-1].url,
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
        if element.attribute == PRODUCT and element.index.isdecimal() and element.list_id:
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
    texts += [
        (f"data-{name}", value, explain_placeholder(value))
        for name in ("uid", "query")
        if (value := view.settings.get(name, ""))
    ]
    products = [each for each in view.elements if each.attribute == PRODUCT]
    ids = sorted({each.value for each in products})
    # One id may equal its product's price by chance.
    if len(ids) > 1 and all(each.is_price for each in products):
        texts += [(PRODUCT, value, PRICE) for value in ids]
    elif looks_decimal(ids):
        texts += [(PRODUCT, value, FRACTION) for value in ids]
    elif is_localized(products):
        texts += [(PRODUCT, value, LOCALIZED) for value in ids if "." in value]
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


def is_localized(products: list[Element]) -> bool:
    """Return whether ids are numbers that were printed with points, and not article numbers.

    Article numbers have points in every id, and in the products' addresses, too.
    """
    ids = [each.value for each in products]
    are_linked = all(
        re.search(rf"\b{each.value.replace('.', '')}\b", each.link) for each in products
    )
    return bool(looks_grouped(ids)) and (are_linked or any("." not in each for each in ids))


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
    """Return whether UTF-8 was decoded by a Western encoding, as in "Ã¤" for "ä"."""
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
