"""What makes a purchase one, whoever says it: a page, on any device, or the shop's server."""

ORDER_PREFIX = "order:"
# A hash has two halves of 26 bits, each modulo a prime and with a base of its own: every product
# below is then less than 2 ** 53, so that it is exact where all numbers are floats.
MODULI = [67108859, 67108837]
BASES = [31415927, 27182819]


def hash_text(text: str, modulus: int, base: int) -> int:
    """Return a number below ``modulus``, made of a text's UTF-16 code units.

    These are what a text consists of in a browser; elsewhere a letter may be two of them.
    """
    total = 0
    for letter in text:
        code = ord(letter)
        if code > 65535:
            high = 55296 + (code - 65536) // 1024
            total = (total * base + high + 1) % modulus
            code = 56320 + code % 1024
        total = (total * base + code + 1) % modulus
    # Not linear, so that the sum over several texts is not that of other texts alike.
    return (total * total) % modulus


def name_purchase(order: str, ids: list[str]) -> str:
    """Return the ``eid`` of an order's purchase: the same for the same items, in any order.

    An id that stands there twice counts once. What it ends in is known only to who knows the
    items, so guessed order numbers suppress no purchase. It is no signature.
    """
    parts = [0, 0]
    seen = []
    for each in ids:
        if each not in seen:
            seen.append(each)
            for lane in [0, 1]:
                number = hash_text(each, MODULI[lane], BASES[lane])
                parts[lane] = (parts[lane] + number) % MODULI[lane]
    return ORDER_PREFIX + order + ":" + str(parts[0]) + "-" + str(parts[1])
