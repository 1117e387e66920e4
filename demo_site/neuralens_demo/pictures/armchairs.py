"""Chairs to stay in."""

from neuralens_demo.pictures.drawing import FLOOR_Y, leg, rect, shade, shadow, shape, stroke


def wing_chair(wood: str, fabric: str) -> str:
    """Draw a chair with a high back and wings."""
    dark = shade(fabric, -0.14)
    deep = shade(fabric, -0.26)
    return (
        shadow(240, 260)
        + feet(wood)
        + shape("M126 96 Q132 72 164 76 Q240 58 316 76 Q348 72 354 96 L344 270 H136 Z", fabric)
        + shape("M126 96 Q132 72 160 76 Q166 170 156 270 H136 Z", dark)
        + shape("M354 96 Q348 72 320 76 Q314 170 324 270 H344 Z", deep)
        + stroke("M206 104 V244 M240 100 V244 M274 104 V244", dark, 3, 0.5)
        + rect(138, 310, 204, 50, deep, 14)
        + seat(fabric)
        + rect(104, 226, 48, 132, fabric, 22)
        + rect(328, 226, 48, 132, dark, 22)
        + stroke("M116 244 Q126 232 140 238", shade(fabric, 0.35), 4, 0.7)
    )


def tub_chair(wood: str, fabric: str) -> str:
    """Draw a round chair."""
    dark = shade(fabric, -0.14)
    deep = shade(fabric, -0.26)
    return (
        shadow(240, 270)
        + feet(wood)
        + shape(
            "M92 236 Q92 128 240 128 Q388 128 388 236 V330 Q388 364 350 364 H130 Q92 364 92 330 Z",
            fabric,
        )
        + shape("M138 250 Q142 168 240 168 Q338 168 342 250 V300 H138 Z", deep)
        + shape(
            "M388 236 V330 Q388 364 350 364 H318 Q346 356 346 322 V232 Q344 160 "
            "276 131 Q388 142 388 236 Z",
            dark,
        )
        + seat(fabric)
        + stroke("M112 216 Q122 154 206 142", shade(fabric, 0.35), 5, 0.7)
    )


def lounge_chair(wood: str, fabric: str) -> str:
    """Draw a wooden frame with two cushions."""
    dark = shade(fabric, -0.14)
    return (
        shadow(240, 280)
        + leg((168, 330), (160, 386), shade(wood, -0.3), 11)
        + leg((312, 330), (320, 386), shade(wood, -0.3), 11)
        + rect(146, 112, 188, 158, fabric, 26)
        + shape(
            "M146 200 V244 Q146 270 172 270 H308 Q334 270 334 244 V200 Q334 250 "
            "300 252 H180 Q146 250 146 200 Z",
            dark,
        )
        + stroke("M152 166 H328", dark, 3, 0.55)
        + seat(fabric)
        + rect(128, 316, 224, 16, wood, 6)
        + leg((120, 236), (112, FLOOR_Y), wood, 15)
        + leg((360, 236), (368, FLOOR_Y), shade(wood, -0.1), 15)
        + stroke("M98 236 Q120 224 146 234", wood, 15)
        + stroke("M334 234 Q360 224 382 236", shade(wood, -0.1), 15)
    )


def club_chair(wood: str, fabric: str) -> str:
    """Draw a deep, square chair."""
    dark = shade(fabric, -0.14)
    deep = shade(fabric, -0.26)
    return (
        shadow(240, 280)
        + rect(112, 150, 256, 150, fabric, 30)
        + stroke("M240 156 V256", dark, 3, 0.5)
        + rect(96, 218, 288, 160, dark, 28)
        + rect(140, 206, 200, 110, fabric, 18)
        + rect(96, 218, 62, 160, fabric, 28)
        + rect(322, 218, 62, 160, deep, 28)
        + seat(fabric)
        + stroke("M112 238 Q124 226 142 232", shade(fabric, 0.35), 4, 0.7)
        + rect(130, 378, 26, 20, wood, 3)
        + rect(324, 378, 26, 20, shade(wood, -0.15), 3)
    )


def feet(wood: str) -> str:
    """Draw the two feet in front."""
    return leg((158, 356), (144, FLOOR_Y), wood, 14) + leg((322, 356), (336, FLOOR_Y), wood, 14)


def seat(fabric: str) -> str:
    """Draw the cushion of the seat."""
    return rect(146, 262, 188, 54, shade(fabric, 0.1), 20) + shape(
        "M146 292 Q240 302 334 292 V298 Q334 316 314 316 H166 Q146 316 146 298 Z",
        shade(fabric, -0.14),
    )
