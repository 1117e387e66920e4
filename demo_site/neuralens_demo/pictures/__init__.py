"""The shop's pictures: drawn here, from a handful of forms and colors."""

from neuralens_demo.pictures.drawing import (
    PAPER,
    document,
    ellipse,
    floor,
    move,
    polygon,
    rect,
    room,
    shade,
)
from neuralens_demo.pictures.lamps import arc_lamp
from neuralens_demo.pictures.sofas import three_seat_sofa
from neuralens_demo.pictures.storage import sideboard
from neuralens_demo.pictures.tables import nesting_tables

__all__ = ["draw_living_room", "draw_product"]

# Walls that suit whatever stands in front of them.
WALLS = ("#ece5da", "#e3e5da", "#eadfd3", "#dfe3e0", "#e9dedb")


def draw_product(piece: str, wall: int, stands: bool = True) -> str:
    """Return the SVG document of a piece; ``wall`` chooses among the wall colors.

    A piece that does not stand in a room, a rug, is shown on a floor seen from above.
    """
    color = WALLS[wall % len(WALLS)]
    return document((room(color) if stands else floor(color)) + piece)


def draw_living_room() -> str:
    """Return the SVG document of a furnished room, 1280 by 560."""
    wall, boards = "#e9e1d5", "#cfbba1"
    return document(
        rect(0, 0, 1280, 560, wall)
        + polygon([(330, 0), (600, 0), (420, 452), (120, 452)], PAPER, 0.2)
        + frames(744, 84)
        + rect(0, 452, 1280, 108, boards)
        + "".join(rect(0, y, 1280, 2, shade(boards, -0.1)) for y in (466, 482, 502, 528))
        + rect(0, 441, 1280, 12, "#f6f1e8")
        + polygon([(490, 486), (1070, 486), (1130, 546), (430, 546)], "#efe6d6")
        + polygon([(481, 495), (1079, 495), (1087, 503), (473, 503)], "#bd6b4a")
        + polygon([(453, 523), (1107, 523), (1117, 533), (443, 533)], "#94a58b")
        + move(sideboard("#a9784c", "#cda878"), 884, 106, 0.9)
        + move(three_seat_sofa("#8a6243", "#6f8473", "#d0a044"), 484, 44, 1.12)
        + move(arc_lamp("#3a3634", "#efe2c8"), 392, 40, 1.1)
        + move(nesting_tables("#8a6243", "#b98a5b"), 716, 254, 0.68),
        1280,
        560,
    )


def frames(x: float, y: float) -> str:
    """Draw two framed prints."""
    return move(
        rect(0, 0, 112, 142, "#5a4636", 3)
        + rect(7, 7, 98, 128, "#f6f1e8")
        + ellipse(60, 58, 28, 28, "#c9713f")
        + rect(7, 86, 98, 49, "#8f9f87")
        + rect(136, 30, 86, 112, "#c7a77d", 3)
        + rect(142, 36, 74, 100, "#f6f1e8")
        + polygon([(152, 126), (180, 62), (206, 126)], "#35536b"),
        x,
        y,
    )
