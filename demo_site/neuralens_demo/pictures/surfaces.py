"""Tables, storage, beds and rugs."""

from neuralens_demo.pictures.drawing import (
    FLOOR_Y,
    INK,
    ellipse,
    leg,
    polygon,
    rect,
    shade,
    shadow,
    shape,
    stroke,
)

BOOKS = ("#8c4f3d", "#35536b", "#c99a3f", "#5f7a5d", "#d9cbb6", "#7b4d5b", "#46423e")


def table(form: str, wood: str, top: str) -> str:
    """Draw a table: ``form`` is trestle, round, pedestal, slab, nest or desk."""
    dark = shade(wood, -0.28)
    if form == "round":
        return (
            shadow(240, 280)
            + leg((196, 250), (166, 388), dark, 13)
            + leg((284, 250), (314, 388), dark, 13)
            + leg((150, 244), (116, FLOOR_Y), wood, 15)
            + leg((330, 244), (364, FLOOR_Y), wood, 15)
            + round_top(240, 232, 168, 34, top)
        )
    if form == "pedestal":
        return (
            shadow(240, 200)
            + ellipse(240, 394, 78, 13, shade(wood, -0.1))
            + ellipse(240, 389, 78, 12, shade(wood, 0.12))
            + shape("M222 240 Q232 330 196 388 H284 Q248 330 258 240 Z", wood)
            + shape("M244 240 H258 Q248 330 284 388 H250 Q236 330 244 240 Z", shade(wood, -0.18))
            + round_top(240, 228, 176, 36, top)
            + vase(240, 214)
        )
    if form == "slab":
        return (
            shadow(240, 340)
            + rect(104, 312, 40, 86, shade(wood, -0.06), 8)
            + rect(128, 312, 16, 86, dark, 6)
            + rect(336, 312, 40, 86, shade(wood, -0.06), 8)
            + rect(360, 312, 16, 86, dark, 6)
            + long_top(240, 286, 380, 34, top)
            + stack(190, 284)
        )
    if form == "nest":
        return (
            shadow(250, 300)
            + leg((286, 302), (274, 392), dark, 10)
            + leg((374, 302), (386, 392), dark, 10)
            + round_top(330, 296, 74, 17, shade(top, -0.12))
            + leg((148, 246), (130, FLOOR_Y), wood, 12)
            + leg((262, 246), (280, FLOOR_Y), wood, 12)
            + leg((205, 252), (205, 392), dark, 11)
            + round_top(205, 236, 98, 22, top)
            + vase(214, 226)
        )
    if form == "desk":
        return (
            shadow(240, 360)
            + leg((100, 240), (90, FLOOR_Y), wood, 14)
            + leg((380, 240), (390, FLOOR_Y), wood, 14)
            + leg((140, 240), (136, 386), dark, 11)
            + leg((340, 240), (344, 386), dark, 11)
            + rect(86, 236, 308, 52, shade(wood, -0.05), 5)
            + rect(96, 244, 140, 36, shade(wood, 0.1), 4)
            + rect(244, 244, 140, 36, shade(wood, 0.1), 4)
            + ellipse(166, 262, 6, 6, dark)
            + ellipse(314, 262, 6, 6, dark)
            + long_top(240, 214, 340, 26, top)
            + stack(150, 212)
            + vase(318, 214)
        )
    return (
        shadow(240, 400)
        + leg((126, 250), (166, 388), dark, 13)
        + leg((354, 250), (314, 388), dark, 13)
        + stroke("M128 338 H352", shade(wood, -0.12), 11)
        + leg((122, 248), (76, FLOOR_Y), wood, 17)
        + leg((358, 248), (404, FLOOR_Y), wood, 17)
        + long_top(240, 220, 404, 32, top)
        + vase(270, 220)
    )


def round_top(x: float, y: float, rx: float, ry: float, color: str) -> str:
    """Draw a round top with its edge; y is its middle."""
    return (
        ellipse(x, y + 11, rx, ry, shade(color, -0.25))
        + ellipse(x, y, rx, ry, shade(color, 0.1))
        + stroke(
            f"M{x - rx * 0.7:g} {y - 2} Q{x:g} {y - ry * 0.5:g} {x + rx * 0.66:g} {y - 4}",
            shade(color, -0.08),
            2,
            0.6,
        )
        + stroke(
            f"M{x - rx * 0.5:g} {y + ry * 0.4:g} Q{x:g} {y + ry * 0.1:g} "
            f"{x + rx * 0.5:g} {y + ry * 0.45:g}",
            shade(color, -0.08),
            2,
            0.5,
        )
    )


def long_top(x: float, y: float, width: float, depth: float, color: str) -> str:
    """Draw a rectangular top seen from slightly above; y is its far edge."""
    half = width / 2
    near = y + depth
    return (
        polygon(
            [(x - half + 26, y), (x + half - 26, y), (x + half, near), (x - half, near)],
            shade(color, 0.12),
        )
        + stroke(
            f"M{x - half + 40:g} {y + depth * 0.35:g} H{x + half - 70:g} "
            f"M{x - half + 70:g} {y + depth * 0.7:g} H{x + half - 36:g}",
            shade(color, -0.06),
            2,
            0.6,
        )
        + rect(x - half, near - 1, width, 13, shade(color, -0.14), 3)
    )


def vase(x: float, y: float) -> str:
    """Draw a vase with twigs standing at (x, y)."""
    return (
        stroke(
            f"M{x} {y - 44} Q{x - 6} {y - 90} {x - 26} {y - 112} M{x} {y - 44} "
            f"Q{x + 8} {y - 92} {x + 24} {y - 122} M{x} {y - 50} V{y - 104}",
            "#77715d",
            2.5,
        )
        + "".join(
            ellipse(x + dx, y + dy, 8, 5, "#8ea083")
            for dx, dy in ((-26, -112), (-14, -94), (24, -122), (13, -100), (0, -108), (6, -84))
        )
        + shape(
            f"M{x - 9} {y - 50} H{x + 9} Q{x + 6} {y - 38} {x + 17} {y - 22} "
            f"Q{x + 20} {y + 4} {x} {y + 5} Q{x - 20} {y + 4} {x - 17} {y - 22} "
            f"Q{x - 6} {y - 38} {x - 9} {y - 50} Z",
            "#efe8dc",
        )
        + shape(
            f"M{x + 3} {y - 50} H{x + 9} Q{x + 6} {y - 38} {x + 17} {y - 22} "
            f"Q{x + 20} {y + 4} {x} {y + 5} Q{x + 12} {y - 10} {x + 3} {y - 50} Z",
            "#d2c7b5",
        )
    )


def stack(x: float, y: float) -> str:
    """Draw a few books lying at (x, y)."""
    return (
        rect(x - 36, y - 2, 76, 10, "#8c4f3d", 2)
        + rect(x - 30, y - 12, 66, 10, "#e8dfcf", 2)
        + rect(x - 33, y - 21, 60, 9, "#5f7a5d", 2)
    )


def row_of_books(x: float, floor: float, count: int, seed: int) -> str:
    """Draw upright books from x on, standing on ``floor``."""
    drawn = []
    for number in range(count):
        height = 34 + (seed * 7 + number * 11) % 18
        width = 9 + (seed + number * 5) % 6
        drawn.append(
            rect(x, floor - height, width, height, BOOKS[(seed + number * 3) % len(BOOKS)], 1.5)
        )
        x += width + 1.5
    return "".join(drawn)


def storage(form: str, wood: str, front: str) -> str:
    """Draw storage: ``form`` is bookcase, sideboard, drawers, shelf or cabinet."""
    dark, inside = shade(wood, -0.25), shade(wood, -0.4)
    if form == "bookcase":
        levels = (140, 208, 276, 344)
        content = (
            row_of_books(148, 140, 7, 1)
            + bowl(290, 140)
            + jar(164, 208)
            + row_of_books(206, 208, 8, 4)
            + row_of_books(148, 276, 5, 2)
            + box(258, 276, front)
            + box(148, 344, front)
            + row_of_books(240, 344, 6, 6)
        )
        return (
            shadow(240, 260)
            + rect(128, 70, 224, 326, inside, 4)
            + rect(140, 82, 200, 262, shade(wood, -0.48))
            + content
            + "".join(rect(134, y, 212, 9, shade(wood, 0.06)) for y in levels)
            + rect(124, 66, 14, 332, wood, 4)
            + rect(342, 66, 14, 332, dark, 4)
            + rect(124, 64, 232, 13, shade(wood, 0.14), 4)
            + rect(128, 353, 224, 12, dark)
        )
    if form == "sideboard":
        slats = "".join(rect(x, 240, 4, 96, shade(front, -0.16)) for x in range(62, 236, 10))
        return (
            shadow(240, 420)
            + "".join(
                leg((x, 344), (x + lean, FLOOR_Y), dark, 13) for x, lean in ((82, -8), (398, 8))
            )
            + rect(42, 220, 396, 130, wood, 8)
            + rect(54, 232, 372, 108, inside, 4)
            + rect(56, 234, 184, 104, front, 3)
            + slats
            + rect(242, 234, 182, 104, shade(front, 0.08), 3)
            + ellipse(262, 286, 6, 12, dark)
            + rect(42, 216, 396, 12, shade(wood, 0.14), 4)
            + vase(360, 212)
            + stack(128, 206)
        )
    if form == "drawers":
        rows = "".join(
            rect(114, y, 252, 58, shade(front, tone), 4)
            + rect(114, y + 54, 252, 4, shade(front, -0.2), 2)
            + ellipse(180, y + 28, 7, 7, dark)
            + ellipse(300, y + 28, 7, 7, dark)
            for y, tone in ((172, 0.1), (236, 0.04), (300, -0.03))
        )
        return (
            shadow(240, 300)
            + leg((126, 360), (118, FLOOR_Y), dark, 14)
            + leg((354, 360), (362, FLOOR_Y), dark, 14)
            + rect(102, 160, 276, 206, wood, 8)
            + rows
            + rect(98, 154, 284, 13, shade(wood, 0.14), 4)
            + jar(150, 154)
            + stack(290, 144)
        )
    if form == "shelf":
        return (
            "".join(stroke(f"M{x} 112 V338", dark, 5) for x in (108, 372))
            + row_of_books(120, 158, 9, 3)
            + jar(330, 158)
            + bowl(160, 244)
            + row_of_books(232, 244, 9, 5)
            + box(120, 330, front)
            + row_of_books(222, 330, 5, 1)
            + jar(322, 330)
            + "".join(
                rect(78, y, 324, 12, shade(wood, 0.06), 3) + rect(78, y + 9, 324, 5, dark, 2)
                for y in (158, 244, 330)
            )
        )
    return (
        shadow(240, 250)
        + leg((146, 366), (138, FLOOR_Y), dark, 13)
        + leg((334, 366), (342, FLOOR_Y), dark, 13)
        + rect(124, 72, 232, 300, wood, 8)
        + rect(136, 86, 208, 168, inside, 3)
        + row_of_books(148, 164, 6, 2)
        + bowl(286, 164)
        + jar(170, 246)
        + jar(214, 246)
        + row_of_books(252, 246, 6, 5)
        + rect(136, 164, 208, 6, dark)
        + polygon([(150, 86), (214, 86), (160, 254), (136, 254), (136, 132)], "#ffffff", 0.14)
        + polygon([(256, 86), (300, 86), (252, 254), (208, 254)], "#ffffff", 0.1)
        + rect(236, 84, 8, 172, wood)
        + rect(136, 264, 102, 98, front, 3)
        + rect(242, 264, 102, 98, shade(front, -0.06), 3)
        + ellipse(226, 312, 4, 11, dark)
        + ellipse(254, 312, 4, 11, dark)
        + rect(118, 66, 244, 13, shade(wood, 0.14), 4)
    )


def bowl(x: float, y: float) -> str:
    """Draw a bowl standing at (x, y)."""
    return shape(
        f"M{x - 28} {y - 24} H{x + 28} Q{x + 22} {y} {x} {y} Q{x - 22} {y} {x - 28} {y - 24} Z",
        "#d8c3a5",
    ) + ellipse(x, y - 24, 28, 5, "#b79e7c")


def jar(x: float, y: float) -> str:
    """Draw a jar standing at (x, y)."""
    return (
        rect(x - 16, y - 40, 32, 40, "#e9dfcf", 8)
        + rect(x + 2, y - 40, 14, 40, "#cfc1aa", 6)
        + rect(x - 11, y - 46, 22, 9, "#8a7a66", 3)
    )


def box(x: float, y: float, color: str) -> str:
    """Draw a storage box standing at (x, y)."""
    return (
        rect(x, y - 42, 78, 42, color, 4)
        + rect(x, y - 12, 78, 12, shade(color, -0.14), 4)
        + rect(x + 27, y - 32, 24, 7, shade(color, -0.35), 3)
    )


def bed(form: str, wood: str, fabric: str, linen: str) -> str:
    """Draw a bed: ``form`` is slatted, padded or canopy."""
    dark = shade(wood, -0.2)
    if form == "padded":
        head = "".join(
            rect(62 + place * 59.5, 128, 57, 170, shade(fabric, 0.02 * (place % 2)), 20)
            + stroke(
                f"M{74 + place * 59.5:g} 142 H{102 + place * 59.5:g}", shade(fabric, 0.3), 3, 0.6
            )
            for place in range(6)
        )
    elif form == "canopy":
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
    else:
        head = (
            rect(54, 148, 16, 250, wood, 6)
            + rect(410, 148, 16, 250, dark, 6)
            + "".join(rect(x, 168, 9, 130, shade(wood, -0.08), 3) for x in range(84, 402, 21))
            + rect(54, 148, 372, 20, shade(wood, 0.1), 8)
        )
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


def rug(form: str, ground: str, first: str, second: str) -> str:
    """Draw a rug from above: ``form`` is arches, stripes or checks."""
    fringe = "".join(
        stroke(f"M{x} 66 V50 M{x} 414 V430", shade(ground, -0.2), 3) for x in range(104, 384, 10)
    )
    if form == "stripes":
        pattern = "".join(
            rect(96, y, 288, height, (first, second)[place % 2], 0)
            for place, (y, height) in enumerate(
                ((96, 26), (130, 8), (190, 34), (238, 8), (282, 30), (330, 10), (362, 24))
            )
        )
    elif form == "checks":
        pattern = "".join(
            rect(114 + column * 42, 84 + line * 45, 42, 45, shade(first, 0.06 if line % 3 else 0))
            for line in range(7)
            for column in range(6)
            if (line + column) % 2
        )
    else:
        pattern = "".join(
            shape(f"M{240 - r} 396 V{240} A{r} {r} 0 0 1 {240 + r} 240 V396 Z", color)
            for r, color in ((126, first), (100, ground), (76, second), (50, ground), (26, first))
        )
    weave = "".join(stroke(f"M96 {y} H384", INK, 1, 0.05) for y in range(74, 412, 7))
    return (
        rect(88, 70, 312, 352, INK, 6).replace("/>", ' opacity="0.14"/>')
        + fringe
        + rect(92, 62, 296, 356, ground, 5)
        + pattern
        + weave
    )
