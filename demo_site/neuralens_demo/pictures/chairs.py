"""Dining chairs: one frame, with several backs."""

from collections.abc import Callable

from neuralens_demo.pictures.drawing import (
    FLOOR_Y,
    leg,
    polygon,
    rect,
    shade,
    shadow,
    shape,
    stroke,
)

# Draws the back of a chair from the colors of its wood and its fabric.
Back = Callable[[str, str], str]


def chair(back: Back, wood: str, fabric: str, cushion: bool = False, arms: bool = False) -> str:
    """Draw a dining chair; ``back`` draws its back."""
    dark = shade(wood, -0.28)
    parts = [
        shadow(240, 200),
        leg((184, 262), (176, 388), dark, 11),
        leg((296, 262), (304, 388), dark, 11),
        back(wood, fabric),
        stroke("M178 330 H302", dark, 6),
        polygon([(172, 246), (308, 246), (332, 270), (148, 270)], shade(wood, 0.16)),
        rect(148, 269, 184, 12, shade(wood, -0.08), 4),
        leg((162, 280), (150, FLOOR_Y), wood, 14),
        leg((318, 280), (330, FLOOR_Y), wood, 14),
    ]
    if cushion:
        parts.append(
            shape(
                "M172 238 Q240 226 308 238 L334 262 Q338 276 322 276 H158 Q142 276 146 262 Z",
                fabric,
            )
        )
        parts.append(
            shape(
                "M146 264 Q240 274 334 264 Q338 276 322 276 H158 Q142 276 146 264 Z",
                shade(fabric, -0.16),
            )
        )
    if arms:
        for side in (1, -1):
            x = 240 + side * 98
            parts.append(
                stroke(
                    f"M{240 + side * 84} 176 Q{x + side * 4} 180 {x} 196 L{240 + side * 86} 262",
                    shade(wood, -0.06 if side > 0 else 0.06),
                    11,
                )
            )
    return "".join(parts)


def uprights(wood: str, top: float = 96) -> str:
    """Draw the two posts of a chair's back."""
    return leg((176, 256), (166, top), wood, 12) + leg((304, 256), (314, top), wood, 12)


def spindle_back(wood: str, fabric: str) -> str:
    """Draw a bowed rail over thin spindles."""
    spindles = "".join(
        stroke(f"M{x} 248 L{240 + (x - 240) * 1.16:g} 112", shade(wood, -0.06), 5)
        for x in range(192, 300, 16)
    )
    return (
        uprights(wood, 104)
        + spindles
        + stroke("M162 108 Q240 84 318 108", wood, 18)
        + stroke("M164 103 Q240 80 316 103", shade(wood, 0.24), 4)
    )


def ladder_back(wood: str, fabric: str) -> str:
    """Draw three bowed slats between posts."""
    slats = "".join(
        stroke(f"M170 {y} Q240 {y - 16} 310 {y}", shade(wood, tone), 19)
        for y, tone in ((116, 0.1), (158, 0.02), (200, -0.06))
    )
    return uprights(wood, 92) + slats


def padded_back(wood: str, fabric: str) -> str:
    """Draw an upholstered pad between posts."""
    return (
        uprights(wood, 104)
        + rect(164, 94, 152, 116, fabric, 26)
        + shape(
            "M164 150 V184 Q164 210 190 210 H290 Q316 210 316 184 V150 Q316 192 286 "
            "194 H194 Q164 192 164 150 Z",
            shade(fabric, -0.14),
        )
        + stroke("M188 108 Q240 102 292 108", shade(fabric, 0.3), 3, 0.7)
    )


def cane_back(wood: str, fabric: str) -> str:
    """Draw a bent hoop filled with cane."""
    mesh = "".join(
        stroke(f"M{x} 108 L{x - 44} 232 M{x - 44} 108 L{x} 232", "#b08a57", 1.6, 0.75)
        for x in range(214, 312, 14)
    )
    return (
        shape("M170 250 Q158 92 240 92 Q322 92 310 250 Z", "#ead7b4")
        + '<clipPath id="cane"><path d="M176 246 Q166 100 240 100 Q314 100 304 246 Z"/></clipPath>'
        + f'<g clip-path="url(#cane)">{mesh}</g>'
        + stroke("M174 254 Q156 92 240 92 Q324 92 306 254", wood, 13)
        + stroke("M171 226 Q160 90 240 88", shade(wood, 0.25), 3)
    )


def wishbone_back(wood: str, fabric: str) -> str:
    """Draw a steam-bent rail over a forked splat."""
    return (
        stroke(
            "M240 250 V196 M240 200 Q238 170 204 126 M240 200 Q242 170 276 126",
            shade(wood, -0.04),
            12,
        )
        + stroke("M180 254 Q168 190 152 150", wood, 11)
        + stroke("M300 254 Q312 190 328 150", shade(wood, -0.12), 11)
        + stroke("M140 168 Q150 118 240 114 Q330 118 340 168", wood, 15)
        + stroke("M146 152 Q166 114 240 110", shade(wood, 0.25), 4)
    )


def shell_back(wood: str, fabric: str) -> str:
    """Draw one moulded shell."""
    return (
        shape(
            "M152 128 Q158 88 240 88 Q322 88 328 128 Q330 200 312 254 H168 Q150 200 152 128 Z",
            fabric,
        )
        + shape(
            "M328 128 Q330 200 312 254 H276 Q306 200 300 104 Q324 110 328 128 Z",
            shade(fabric, -0.14),
        )
        + stroke("M170 112 Q186 98 232 97", shade(fabric, 0.35), 4, 0.8)
    )
