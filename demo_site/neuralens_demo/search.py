"""The shop's search: ranking of products, and suggestions."""

import re
from collections.abc import Iterable

from neuralens_demo.catalog import Catalog, Product

MAX_QUERY = 200
WORD = re.compile(r"\w+")


def clean(query: str) -> str:
    """Return a query with single spaces, truncated."""
    return " ".join(query.split())[:MAX_QUERY]


def words(text: str) -> list[str]:
    """Return the words of a string in lower case, without a plural ``s``."""
    return [word.removesuffix("s") for word in WORD.findall(text.lower())]


def rank(query: str, products: Iterable[Product]) -> list[Product]:
    """Return the products that match a query, best first.

    Products that match all words, or otherwise those that match most; among these, matches in the
    name come before those in the description, and otherwise the order is the catalog's.
    """
    wanted = words(query)
    scored = []
    for product in products:
        name, everything = words(product.name), words(product.words)
        in_name = sum(any(word.startswith(part) for word in name) for part in wanted)
        anywhere = sum(any(word.startswith(part) for word in everything) for part in wanted)
        if anywhere:
            scored.append((-anywhere, -in_name, product))
    full = [entry for entry in scored if -entry[0] == len(wanted)]
    return [product for *_, product in sorted(full or scored, key=lambda entry: entry[:2])]


def phrases(catalog: Catalog) -> list[str]:
    """Return phrases to suggest: kinds of furniture, alone and with each wood or color."""
    kinds = list(
        dict.fromkeys(
            [category.name.lower() for category in catalog.categories.values()]
            + [product.design.kind for product in catalog.products.values()]
        )
    )
    finished = dict.fromkeys(
        f"{part} {product.design.kind}"
        for product in catalog.products.values()
        for part in product.finish.name.split(", ")
    )
    return [*kinds, *finished]


def suggest(typed: str, known: Iterable[str], count: int = 6) -> list[str]:
    """Return up to ``count`` phrases in which every typed word is the prefix of a word.

    Phrases that start with the text come first, and shorter ones before longer ones.
    """
    wanted = words(typed)
    if not wanted:
        return []
    hits = [
        phrase
        for phrase in known
        if all(any(word.startswith(part) for word in words(phrase)) for part in wanted)
    ]
    start = typed.lower()
    return sorted(hits, key=lambda phrase: (not phrase.startswith(start), len(phrase), phrase))[
        :count
    ]
