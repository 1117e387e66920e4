"""Tables and their tops."""

from neuralens_demo.pictures.accessories import stack, vase
from neuralens_demo.pictures.drawing import (
    FLOOR_Y,
    ellipse,
    leg,
    polygon,
    rect,
    shade,
    shadow,
    shape,
    stroke,
)


def trestle_table(wood: str, top: str) -> str:
    """Draw a long table on two trestles."""
    dark = shade(wood, -0.28)
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


def round_table(wood: str, top: str) -> str:
    """Draw a round table on four legs."""
    dark = shade(wood, -0.28)
    return (
        shadow(240, 280)
        + leg((196, 250), (166, 388), dark, 13)
        + leg((284, 250), (314, 388), dark, 13)
        + leg((150, 244), (116, FLOOR_Y), wood, 15)
        + leg((330, 244), (364, FLOOR_Y), wood, 15)
        + round_top(240, 232, 168, 34, top)
    )


def pedestal_table(wood: str, top: str) -> str:
    """Draw a round table on one turned column."""
    return (
        shadow(240, 200)
        + ellipse(240, 394, 78, 13, shade(wood, -0.1))
        + ellipse(240, 389, 78, 12, shade(wood, 0.12))
        + shape("M222 240 Q232 330 196 388 H284 Q248 330 258 240 Z", wood)
        + shape("M244 240 H258 Q248 330 284 388 H250 Q236 330 244 240 Z", shade(wood, -0.18))
        + round_top(240, 228, 176, 36, top)
        + vase(240, 214)
    )


def coffee_table(wood: str, top: str) -> str:
    """Draw a low, heavy table."""
    dark = shade(wood, -0.28)
    return (
        shadow(240, 340)
        + rect(104, 312, 40, 86, shade(wood, -0.06), 8)
        + rect(128, 312, 16, 86, dark, 6)
        + rect(336, 312, 40, 86, shade(wood, -0.06), 8)
        + rect(360, 312, 16, 86, dark, 6)
        + long_top(240, 286, 380, 34, top)
        + stack(190, 284)
    )


def nesting_tables(wood: str, top: str) -> str:
    """Draw two small round tables, one half under the other."""
    dark = shade(wood, -0.28)
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


def desk(wood: str, top: str) -> str:
    """Draw a desk with two drawers."""
    dark = shade(wood, -0.28)
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
