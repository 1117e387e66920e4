"""Beds."""

from neuralens_demo.pictures.drawing import rect, shade, shadow, shape, stroke


def slatted_bed(wood: str, fabric: str, linen: str) -> str:
    """Draw a bed with a headboard of slats, which has no fabric."""
    dark = shade(wood, -0.2)
    head = (
        rect(54, 148, 16, 250, wood, 6)
        + rect(410, 148, 16, 250, dark, 6)
        + "".join(rect(x, 168, 9, 130, shade(wood, -0.08), 3) for x in range(84, 402, 21))
        + rect(54, 148, 372, 20, shade(wood, 0.1), 8)
    )
    return bed(head, wood, linen)


def upholstered_bed(wood: str, fabric: str, linen: str) -> str:
    """Draw a bed with a padded headboard."""
    head = "".join(
        rect(62 + place * 59.5, 128, 57, 170, shade(fabric, 0.02 * (place % 2)), 20)
        + stroke(f"M{74 + place * 59.5:g} 142 H{102 + place * 59.5:g}", shade(fabric, 0.3), 3, 0.6)
        for place in range(6)
    )
    return bed(head, wood, linen)


def canopy_bed(wood: str, fabric: str, linen: str) -> str:
    """Draw a bed with four posts and white curtains."""
    dark = shade(wood, -0.2)
    head = (
        rect(50, 50, 10, 340, wood, 4)
        + rect(420, 50, 10, 340, dark, 4)
        + rect(50, 48, 380, 10, shade(wood, 0.1), 4)
        + rect(60, 176, 360, 100, shade(wood, -0.06), 6)
        + shape(
            "M60 58 Q84 170 62 300 L60 300 Z M420 58 Q396 170 418 300 L420 300 Z",
            "#fbf7ef",
            0.95,
        )
    )
    return bed(head, wood, linen)


def bed(head: str, wood: str, linen: str) -> str:
    """Draw a bed, and what is drawn as its head."""
    dark = shade(wood, -0.2)
    return (
        shadow(240, 420)
        + head
        + rect(60, 268, 360, 74, "#f3ede3", 20)
        + rect(88, 232, 130, 62, "#fffdf8", 24)
        + rect(262, 232, 130, 62, "#fffdf8", 24)
        + shape(
            "M88 272 Q150 290 218 272 Q218 294 194 294 H112 Q88 294 88 272 Z M262 "
            "272 Q326 290 392 272 Q392 294 368 294 H286 Q262 294 262 272 Z",
            "#e2d9ca",
        )
        + shape("M50 306 Q54 282 96 282 H384 Q426 282 430 306 V374 H50 Z", linen)
        + shape(
            "M50 304 Q54 282 96 282 H384 Q426 282 430 304 Q240 320 50 304 Z", shade(linen, 0.22)
        )
        + stroke(
            "M120 318 Q128 346 116 372 M238 320 Q230 350 242 372 M356 318 Q348 344 362 372",
            shade(linen, -0.18),
            3,
            0.6,
        )
        + rect(44, 370, 392, 18, wood, 6)
        + rect(60, 386, 20, 14, dark, 3)
        + rect(400, 386, 20, 14, dark, 3)
    )
