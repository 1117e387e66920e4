"""Rugs, seen from above."""

from neuralens_demo.pictures.drawing import INK, rect, shade, shape, stroke


def arch_rug(ground: str, first: str, second: str) -> str:
    """Draw a rug with arches, one in the other."""
    pattern = "".join(
        shape(f"M{240 - r} 396 V{240} A{r} {r} 0 0 1 {240 + r} 240 V396 Z", color)
        for r, color in ((126, first), (100, ground), (76, second), (50, ground), (26, first))
    )
    return rug(pattern, ground)


def striped_rug(ground: str, first: str, second: str) -> str:
    """Draw a rug with stripes of two colors."""
    pattern = "".join(
        rect(96, y, 288, height, (first, second)[place % 2], 0)
        for place, (y, height) in enumerate(
            ((96, 26), (130, 8), (190, 34), (238, 8), (282, 30), (330, 10), (362, 24))
        )
    )
    return rug(pattern, ground)


def checked_rug(ground: str, first: str, second: str) -> str:
    """Draw a rug like a chessboard, with one color."""
    pattern = "".join(
        rect(114 + column * 42, 84 + line * 45, 42, 45, shade(first, 0.06 if line % 3 else 0))
        for line in range(7)
        for column in range(6)
        if (line + column) % 2
    )
    return rug(pattern, ground)


def rug(pattern: str, ground: str) -> str:
    """Draw a rug, and what is drawn as its pattern."""
    fringe = "".join(
        stroke(f"M{x} 66 V50 M{x} 414 V430", shade(ground, -0.2), 3) for x in range(104, 384, 10)
    )
    weave = "".join(stroke(f"M96 {y} H384", INK, 1, 0.05) for y in range(74, 412, 7))
    return (
        rect(88, 70, 312, 352, INK, 6).replace("/>", ' opacity="0.14"/>')
        + fringe
        + rect(92, 62, 296, 356, ground, 5)
        + pattern
        + weave
    )
