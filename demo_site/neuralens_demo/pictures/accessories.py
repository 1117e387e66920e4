"""What stands on furniture: vases, books, bowls, jars, boxes."""

from neuralens_demo.pictures.drawing import ellipse, rect, shade, shape, stroke

BOOKS = ("#8c4f3d", "#35536b", "#c99a3f", "#5f7a5d", "#d9cbb6", "#7b4d5b", "#46423e")


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
