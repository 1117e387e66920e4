"""Lamps."""

from neuralens_demo.pictures.drawing import (
    FLOOR_Y,
    ellipse,
    leg,
    rect,
    shade,
    shadow,
    shape,
    stroke,
)
from neuralens_demo.pictures.tables import round_top

GLOW = "#ffe9b8"


def glow(x: float, y: float, radius: float) -> str:
    """Draw the light around a lamp that is on; a picture has one such lamp."""
    stops = "".join(
        f'<stop offset="{offset}" stop-color="{GLOW}" stop-opacity="{opacity}"/>'
        for offset, opacity in ((0, 0.85), (0.4, 0.4), (1, 0))
    )
    return (
        f'<radialGradient id="glow">{stops}</radialGradient>'
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="url(#glow)"/>'
    )


def arc_lamp(metal: str, hood: str) -> str:
    """Draw a floor lamp that reaches over what stands beside it."""
    dark = shade(metal, -0.25)
    return (
        shadow(150, 150)
        + glow(330, 210, 120)
        + stroke("M150 392 V210 Q152 76 250 76 Q326 78 330 150", metal, 8)
        + stroke("M147 380 V212", shade(metal, 0.35), 2)
        + ellipse(150, 394, 62, 11, dark)
        + ellipse(150, 389, 62, 10, metal)
        + shape("M282 206 Q284 148 330 148 Q376 148 378 206 Z", hood)
        + shape("M338 148 Q376 150 378 206 H350 Q356 170 338 148 Z", shade(hood, -0.2))
        + ellipse(330, 206, 48, 8, GLOW)
    )


def tripod_lamp(metal: str, hood: str) -> str:
    """Draw a floor lamp on three legs."""
    dark = shade(metal, -0.25)
    return (
        shadow(240, 210)
        + glow(240, 150, 130)
        + leg((240, 206), (240, 390), dark, 12)
        + leg((232, 204), (158, FLOOR_Y), metal, 13)
        + leg((248, 204), (322, FLOOR_Y), metal, 13)
        + rect(228, 188, 24, 26, dark, 6)
        + shape("M186 88 H294 L318 196 H162 Z", hood)
        + shape("M258 88 H294 L318 196 H272 Z", shade(hood, -0.14))
        + shape("M162 196 H318 L316 188 H164 Z", shade(GLOW, 0.3))
    )


def table_lamp(metal: str, hood: str) -> str:
    """Draw a lamp with a cap, on a stool."""
    dark = shade(metal, -0.25)
    return (
        shadow(240, 250)
        + leg((150, 318), (140, FLOOR_Y), "#8a6243", 14)
        + leg((330, 318), (340, FLOOR_Y), "#8a6243", 14)
        + round_top(240, 306, 130, 24, "#a67950")
        + glow(240, 210, 120)
        + shape("M222 200 H258 L262 288 Q264 302 240 302 Q216 302 218 288 Z", metal)
        + shape("M244 200 H258 L262 288 Q264 302 244 302 Z", dark)
        + shape("M152 206 Q156 118 240 118 Q324 118 328 206 Q240 226 152 206 Z", hood)
        + shape("M328 206 Q324 124 262 119 Q300 150 290 213 Q312 211 328 206 Z", shade(hood, -0.16))
        + shape("M152 206 Q240 226 328 206 Q240 216 152 206 Z", GLOW)
        + stroke("M172 178 Q180 144 212 134", shade(hood, 0.5), 5, 0.8)
    )


def dome_lamp(metal: str, hood: str) -> str:
    """Draw a pendant lamp with a dome."""
    dark = shade(metal, -0.25)
    return (
        glow(240, 266, 150)
        + stroke("M240 0 V128", "#3a3634", 4)
        + rect(229, 118, 22, 24, dark, 5)
        + shape("M116 256 Q122 138 240 138 Q358 138 364 256 Z", hood)
        + shape("M364 256 Q358 142 262 139 Q318 172 316 256 Z", shade(hood, -0.2))
        + ellipse(240, 256, 124, 17, shade(hood, -0.35))
        + ellipse(240, 257, 106, 12, GLOW)
        + ellipse(240, 262, 24, 15, "#fffaf0")
        + stroke("M140 226 Q150 176 196 156", shade(hood, 0.45), 5, 0.8)
    )


def paper_lantern(metal: str, hood: str) -> str:
    """Draw a pendant lamp of paper."""
    dark = shade(metal, -0.25)
    ribs = "".join(
        f'<ellipse cx="240" cy="{y}" rx="{width:g}" ry="9" fill="none" '
        f'stroke="{shade(hood, -0.16)}" stroke-width="2" opacity="0.7"/>'
        for y, width in (
            (136, 78),
            (164, 103),
            (192, 116),
            (220, 120),
            (248, 116),
            (276, 103),
            (304, 78),
        )
    )
    return (
        glow(240, 220, 190)
        + stroke("M240 0 V102", "#3a3634", 4)
        + ellipse(240, 220, 122, 122, shade(hood, 0.2))
        + ellipse(240, 236, 92, 96, GLOW, 0.5)
        + ribs
        + rect(222, 94, 36, 11, metal, 3)
        + rect(222, 336, 36, 9, dark, 3)
    )
