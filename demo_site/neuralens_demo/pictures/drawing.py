"""Strokes, fills and shades: SVG text from numbers and colors.

Everything is a presentation attribute, never a style, so that a strict Content-Security-Policy
has nothing to forbid. Coordinates are those of a picture, 480 by 480, y downwards.
"""

from collections.abc import Iterable

Point = tuple[float, float]

INK = "#231d19"
PAPER = "#ffffff"
FLOOR_Y = 400


def shade(color: str, amount: float) -> str:
    """Return an ``#rrggbb`` color moved toward white (amount up to 1) or ink (down to -1)."""
    target = PAPER if amount > 0 else INK
    mixed = (
        round(own + (other - own) * abs(amount))
        for own, other in zip(channels(color), channels(target), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def channels(color: str) -> tuple[int, ...]:
    """Return red, green and blue, 0 to 255, of an ``#rrggbb`` color."""
    return tuple(int(color[start : start + 2], 16) for start in (1, 3, 5))


def rect(x: float, y: float, width: float, height: float, fill: str, radius: float = 0) -> str:
    """Draw a rectangle."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" '
        f'fill="{fill}"/>'
    )


def ellipse(x: float, y: float, rx: float, ry: float, fill: str, opacity: float = 1) -> str:
    """Draw an ellipse around its center."""
    return (
        f'<ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}" fill="{fill}" '
        f'opacity="{opacity:g}"/>'
    )


def polygon(points: Iterable[Point], fill: str, opacity: float = 1) -> str:
    """Draw a filled polygon."""
    corners = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polygon points="{corners}" fill="{fill}" opacity="{opacity:g}"/>'


def shape(path: str, fill: str, opacity: float = 1) -> str:
    """Draw a filled path."""
    return f'<path d="{path}" fill="{fill}" opacity="{opacity:g}"/>'


def stroke(path: str, color: str, width: float, opacity: float = 1) -> str:
    """Draw a path as a line with round ends."""
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width:g}" '
        f'stroke-linecap="round" stroke-linejoin="round" opacity="{opacity:g}"/>'
    )


def leg(top: Point, bottom: Point, color: str, width: float = 12) -> str:
    """Draw a leg that tapers from top to bottom, lit from the left."""
    (x, y), (foot_x, foot_y) = top, bottom
    half, foot = width / 2, width / 3.2
    whole = [(x - half, y), (x + half, y), (foot_x + foot, foot_y), (foot_x - foot, foot_y)]
    dark = [(x + half * 0.2, y), (x + half, y), (foot_x + foot, foot_y), (foot_x, foot_y)]
    return polygon(whole, color) + polygon(dark, shade(color, -0.18))


def shadow(x: float, width: float, y: float = FLOOR_Y) -> str:
    """Draw the soft shadow of something that stands on the floor."""
    return "".join(
        ellipse(x, y, width / 2 * spread, 9 * spread, INK, 0.09) for spread in (1.12, 0.94, 0.72)
    )


def move(drawing: str, x: float = 0, y: float = 0, scale: float = 1) -> str:
    """Shift and scale what is drawn."""
    return f'<g transform="translate({x:g} {y:g}) scale({scale:g})">{drawing}</g>'


def document(drawing: str, width: int = 480, height: int = 480) -> str:
    """Return a whole SVG document."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">{drawing}</svg>'
    )


def room(wall: str) -> str:
    """Draw the room that a piece stands in: wall, a patch of window light, floor, skirting."""
    floor = shade(wall, -0.13)
    return (
        rect(0, 0, 480, 480, wall)
        + polygon([(250, 0), (420, 0), (300, 350), (130, 350)], PAPER, 0.16)
        + polygon([(435, 0), (480, 0), (480, 90), (391, 350), (315, 350)], PAPER, 0.1)
        + rect(0, 350, 480, 130, floor)
        + rect(0, 342, 480, 9, shade(wall, 0.45))
        + rect(0, 350, 480, 2, shade(floor, -0.16))
        + polygon([(130, 352), (300, 352), (252, 480), (62, 480)], PAPER, 0.12)
    )


def floor(wall: str) -> str:
    """Draw floorboards seen from above, in a tone that goes with the wall color."""
    boards = shade(wall, -0.12)
    seams = "".join(
        rect(0, y, 480, 2, shade(boards, -0.1)) + rect((y * 7) % 440, y, 2, 60, shade(boards, -0.1))
        for y in range(0, 480, 60)
    )
    return rect(0, 0, 480, 480, boards) + seams
