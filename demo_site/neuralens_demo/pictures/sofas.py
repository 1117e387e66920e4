"""Sofas and a daybed."""

from neuralens_demo.pictures.drawing import FLOOR_Y, leg, rect, shade, shadow, shape, stroke


def two_seat_sofa(wood: str, fabric: str, accent: str) -> str:
    """Draw a sofa for two."""
    return sofa(2, wood, fabric, accent)


def three_seat_sofa(wood: str, fabric: str, accent: str) -> str:
    """Draw a sofa for three."""
    return sofa(3, wood, fabric, accent)


def corner_sofa(wood: str, fabric: str, accent: str) -> str:
    """Draw a sofa for three, one of whom may put the feet up."""
    light, dark = shade(fabric, 0.1), shade(fabric, -0.14)
    chaise = rect(282, 290, 128, 84, light, 20) + rect(286, 350, 120, 24, dark, 12)
    return sofa(3, wood, fabric, accent, chaise)


def sofa(seats: int, wood: str, fabric: str, accent: str, chaise: str = "") -> str:
    """Draw a sofa with two or three seats in a row, and what is drawn as its chaise."""
    dark = shade(fabric, -0.14)
    inner = 312 / seats
    feet = "".join(leg((x, 352), (x + lean, FLOOR_Y), wood, 13) for x, lean in ((76, -8), (404, 8)))
    cushions = "".join(cushion(84 + place * inner, inner, fabric) for place in range(seats))
    backs = "".join(back(84 + place * inner, inner, fabric) for place in range(seats))
    gleam = stroke("M56 240 Q64 226 80 230", shade(fabric, 0.35), 4, 0.7)
    return (
        shadow(240, 420)
        + feet
        + rect(64, 196, 352, 120, shade(fabric, -0.26), 26)
        + backs
        + rect(56, 322, 368, 40, dark, 12)
        + cushions
        + rect(40, 226, 50, 136, fabric, 24)
        + rect(390, 226, 50, 136, dark, 24)
        + gleam
        + chaise
        + pillow(98, 222, accent)
        + (pillow(322, 226, shade(accent, 0.25)) if seats == 3 else "")
    )


def back(x: float, width: float, fabric: str) -> str:
    """Draw the back of one seat."""
    return rect(x + 2, 184, width - 4, 120, fabric, 24) + stroke(
        f"M{x + 22:g} 198 H{x + width - 30:g}", shade(fabric, 0.3), 3, 0.5
    )


def cushion(x: float, width: float, fabric: str) -> str:
    """Draw the cushion of one seat."""
    return rect(x + 1, 282, width - 2, 50, shade(fabric, 0.1), 16) + rect(
        x + 5, 316, width - 10, 16, shade(fabric, -0.14), 8
    )


def curved_sofa(wood: str, fabric: str, accent: str) -> str:
    """Draw one long curve."""
    light = shade(fabric, 0.1)
    dark = shade(fabric, -0.14)
    deep = shade(fabric, -0.26)
    return (
        shadow(240, 420)
        + shape(
            "M34 262 Q34 176 240 176 Q446 176 446 262 V330 Q446 376 240 376 Q34 376 34 330 Z",
            fabric,
        )
        + shape("M86 276 Q92 218 240 218 Q388 218 394 276 V312 H86 Z", deep)
        + shape("M66 286 Q240 250 414 286 Q426 322 404 336 Q240 366 76 336 Q54 322 66 286 Z", light)
        + shape("M66 312 Q240 346 414 312 Q420 330 404 336 Q240 366 76 336 Q60 330 66 312 Z", dark)
        + stroke("M54 236 Q84 196 190 190", shade(fabric, 0.35), 5, 0.7)
        + pillow(118, 232, accent)
    )


def daybed(wood: str, fabric: str, accent: str) -> str:
    """Draw a bench with one arm."""
    light = shade(fabric, 0.1)
    dark = shade(fabric, -0.14)
    return (
        shadow(240, 420)
        + leg((66, 330), (60, FLOOR_Y), wood, 15)
        + leg((414, 330), (420, FLOOR_Y), wood, 15)
        + rect(44, 196, 16, 140, wood, 6)
        + rect(420, 262, 16, 74, shade(wood, -0.1), 6)
        + rect(44, 322, 392, 18, wood, 6)
        + rect(58, 270, 364, 54, light, 18)
        + shape("M58 300 Q240 310 422 300 V306 Q422 324 404 324 H76 Q58 324 58 306 Z", dark)
        + rect(62, 206, 54, 74, fabric, 22)
        + stroke("M70 222 Q76 212 94 213", shade(fabric, 0.35), 4, 0.7)
        + pillow(128, 214, accent)
    )


def pillow(x: float, y: float, color: str) -> str:
    """Draw a cushion that leans against a back; x and y are its top left corner."""
    return (
        f'<g transform="translate({x:g} {y:g}) rotate(-8 30 30)">'
        + shape("M4 4 Q30 12 58 4 Q66 30 58 60 Q30 68 4 60 Q-4 30 4 4 Z", color)
        + shape("M58 4 Q66 30 58 60 Q30 68 4 60 Q46 54 58 4 Z", shade(color, -0.15))
        + "</g>"
    )
