"""What makes a purchase one, whoever says it: a page, on any device, or the shop's server."""

ORDER_PREFIX = "order:"
# Each gives half of a hash, of 26 bits. With them and the base, every product is less than 2 ** 53,
# so that it is exact where all numbers are floats.
MODULI = [67108859, 67108837]
BASE = 31415927


def hash_texts(texts: list[str], modulus: int) -> int:
    """Return a number below ``modulus`` made of the code points of texts, in any order."""
    total = 0
    for text in texts:
        value = BASE
        for letter in text:
            value = (value * BASE + ord(letter) + 1) % modulus
        # Not linear, so that the sum over several texts is not that of other texts alike.
        total += (value * value) % modulus
    return total % modulus


def name_purchase(order: str, ids: list[str]) -> str:
    """Return the ``eid`` of an order's purchase: the same for the same items, in any order.

    An id that stands there twice counts once. What it ends in is known only to who knows the
    items, so guessed order numbers suppress no purchase. It is no signature.
    """
    distinct: list[str] = []
    for each in ids:
        if each not in distinct:
            distinct.append(each)
    name = ORDER_PREFIX + order
    for modulus in MODULI:
        name += ":" + str(hash_texts(distinct, modulus))
    return name
