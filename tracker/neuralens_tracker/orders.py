"""Derives a purchase's ``eid`` from its order, so that page and server report it only once."""

ORDER_PREFIX = "order:"
# Two primes, each for 26 bits of the hash. They and the base keep every product below 2 ** 53, so
# that it is exact where all numbers are doubles.
MODULI = [67108859, 67108837]
BASE = 31415927


def hash_texts(texts: list[str], modulus: int) -> int:
    """Return a hash below ``modulus`` that does not depend on the order of the texts."""
    total = 0
    for text in texts:
        value = BASE
        for letter in text:
            value = (value * BASE + ord(letter) + 1) % modulus
        # Squared, because sums of a linear hash collide for similar sets of texts.
        total += (value * value) % modulus
    return total % modulus


def name_purchase(order: str, ids: list[str]) -> str:
    """Return the ``eid`` of an order's purchase: ``order:ORDER:HASH:HASH``.

    It depends on the set of item ids, not on their order or repetition. Guessing an order number
    is not enough to suppress its purchase, but the hash is no signature.
    """
    distinct: list[str] = []
    for each in ids:
        if each not in distinct:
            distinct.append(each)
    name = ORDER_PREFIX + order
    for modulus in MODULI:
        name += ":" + str(hash_texts(distinct, modulus))
    return name
