"""Bookcases, sideboards, drawers, shelves and cabinets."""

from neuralens_demo.pictures.accessories import bowl, box, jar, row_of_books, stack, vase
from neuralens_demo.pictures.drawing import (
    FLOOR_Y,
    ellipse,
    leg,
    polygon,
    rect,
    shade,
    shadow,
    stroke,
)


def bookcase(wood: str, front: str) -> str:
    """Draw a filled bookcase."""
    dark = shade(wood, -0.25)
    inside = shade(wood, -0.4)
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


def sideboard(wood: str, front: str) -> str:
    """Draw a sideboard with a slatted and a plain door."""
    dark = shade(wood, -0.25)
    inside = shade(wood, -0.4)
    slats = "".join(rect(x, 240, 4, 96, shade(front, -0.16)) for x in range(62, 236, 10))
    return (
        shadow(240, 420)
        + "".join(leg((x, 344), (x + lean, FLOOR_Y), dark, 13) for x, lean in ((82, -8), (398, 8)))
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


def chest_of_drawers(wood: str, front: str) -> str:
    """Draw a chest of three drawers."""
    dark = shade(wood, -0.25)
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


def wall_shelf(wood: str, front: str) -> str:
    """Draw three boards on the wall; nothing stands on the floor."""
    dark = shade(wood, -0.25)
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


def cabinet(wood: str, front: str) -> str:
    """Draw a cabinet with glass doors above and wooden ones below."""
    dark = shade(wood, -0.25)
    inside = shade(wood, -0.4)
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
