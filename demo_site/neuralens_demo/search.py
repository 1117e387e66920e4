"""The shop's search: which products a text finds, and what to suggest while it is typed."""

import re
from collections.abc import Iterable

from neuralens_demo.catalogue import Catalogue, Product

MAX_QUERY = 200
WORD = re.compile(r"\w+")


def clean(query: str) -> str:
    """Return a shopper's text with single blanks, cut to a sensible length."""
    return " ".join(query.split())[:MAX_QUERY]


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without a plural s."""
    return [word.removesuffix("s") for word in WORD.findall(text.lower())]


def rank(query: str, products: Iterable[Product]) -> list[Product]:
    """Return what the query finds, best first.

    A product that has all words stands before one that has some; among those with as many, a hit
    in the name before one in the description, and otherwise the catalogue's order.
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


def phrases(catalogue: Catalogue) -> list[str]:
    """Return what people look for: kinds of furniture, alone and with each wood or colour."""
    kinds = list(
        dict.fromkeys(
            [category.name.lower() for category in catalogue.categories.values()]
            + [product.design.kind for product in catalogue.products.values()]
        )
    )
    finished = dict.fromkeys(
        f"{part} {product.design.kind}"
        for product in catalogue.products.values()
        for part in product.finish.name.split(", ")
    )
    return [*kinds, *finished]


def suggest(typed: str, known: Iterable[str], count: int = 6) -> list[str]:
    """Return up to ``count`` phrases in which every word typed begins a word.

    Phrases that begin with the text come first, shorter before longer.
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
