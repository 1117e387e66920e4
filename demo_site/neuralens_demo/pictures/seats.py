"""Chairs, lounge chairs and sofas."""

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


def chair(back: str, wood: str, fabric: str, cushion: bool = False, arms: bool = False) -> str:
    """Draw a dining chair; ``back`` is a key of BACKS."""
    dark = shade(wood, -0.28)
    parts = [
        shadow(240, 200),
        leg((184, 262), (176, 388), dark, 11),
        leg((296, 262), (304, 388), dark, 11),
        BACKS[back](wood, fabric),
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


BACKS = {
    "spindle": spindle_back,
    "ladder": ladder_back,
    "padded": padded_back,
    "cane": cane_back,
    "wishbone": wishbone_back,
    "shell": shell_back,
}


def lounge(form: str, wood: str, fabric: str) -> str:
    """Draw a lounge chair: ``form`` is wing, tub, frame or cube."""
    light, dark, deep = shade(fabric, 0.1), shade(fabric, -0.14), shade(fabric, -0.26)
    feet = leg((158, 356), (144, FLOOR_Y), wood, 14) + leg((322, 356), (336, FLOOR_Y), wood, 14)
    seat = rect(146, 262, 188, 54, light, 20) + shape(
        "M146 292 Q240 302 334 292 V298 Q334 316 314 316 H166 Q146 316 146 298 Z", dark
    )
    if form == "wing":
        return (
            shadow(240, 260)
            + feet
            + shape("M126 96 Q132 72 164 76 Q240 58 316 76 Q348 72 354 96 L344 270 H136 Z", fabric)
            + shape("M126 96 Q132 72 160 76 Q166 170 156 270 H136 Z", dark)
            + shape("M354 96 Q348 72 320 76 Q314 170 324 270 H344 Z", deep)
            + stroke("M206 104 V244 M240 100 V244 M274 104 V244", dark, 3, 0.5)
            + rect(138, 310, 204, 50, deep, 14)
            + seat
            + rect(104, 226, 48, 132, fabric, 22)
            + rect(328, 226, 48, 132, dark, 22)
            + stroke("M116 244 Q126 232 140 238", shade(fabric, 0.35), 4, 0.7)
        )
    if form == "tub":
        return (
            shadow(240, 270)
            + feet
            + shape(
                "M92 236 Q92 128 240 128 Q388 128 388 236 V330 Q388 364 350 364 H130 "
                "Q92 364 92 330 Z",
                fabric,
            )
            + shape("M138 250 Q142 168 240 168 Q338 168 342 250 V300 H138 Z", deep)
            + shape(
                "M388 236 V330 Q388 364 350 364 H318 Q346 356 346 322 V232 Q344 160 "
                "276 131 Q388 142 388 236 Z",
                dark,
            )
            + seat
            + stroke("M112 216 Q122 154 206 142", shade(fabric, 0.35), 5, 0.7)
        )
    if form == "frame":
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
            + seat
            + rect(128, 316, 224, 16, wood, 6)
            + leg((120, 236), (112, FLOOR_Y), wood, 15)
            + leg((360, 236), (368, FLOOR_Y), shade(wood, -0.1), 15)
            + stroke("M98 236 Q120 224 146 234", wood, 15)
            + stroke("M334 234 Q360 224 382 236", shade(wood, -0.1), 15)
        )
    return (
        shadow(240, 280)
        + rect(112, 150, 256, 150, fabric, 30)
        + stroke("M240 156 V256", dark, 3, 0.5)
        + rect(96, 218, 288, 160, dark, 28)
        + rect(140, 206, 200, 110, fabric, 18)
        + rect(96, 218, 62, 160, fabric, 28)
        + rect(322, 218, 62, 160, deep, 28)
        + seat
        + stroke("M112 238 Q124 226 142 232", shade(fabric, 0.35), 4, 0.7)
        + rect(130, 378, 26, 20, wood, 3)
        + rect(324, 378, 26, 20, shade(wood, -0.15), 3)
    )


def sofa(form: str, wood: str, fabric: str, accent: str) -> str:
    """Draw a sofa: ``form`` is two, three, corner, curved or daybed."""
    light, dark, deep = shade(fabric, 0.1), shade(fabric, -0.14), shade(fabric, -0.26)
    feet = "".join(leg((x, 352), (x + lean, FLOOR_Y), wood, 13) for x, lean in ((76, -8), (404, 8)))
    gleam = stroke("M56 240 Q64 226 80 230", shade(fabric, 0.35), 4, 0.7)
    if form == "curved":
        return (
            shadow(240, 420)
            + shape(
                "M34 262 Q34 176 240 176 Q446 176 446 262 V330 Q446 376 240 376 Q34 376 34 330 Z",
                fabric,
            )
            + shape("M86 276 Q92 218 240 218 Q388 218 394 276 V312 H86 Z", deep)
            + shape(
                "M66 286 Q240 250 414 286 Q426 322 404 336 Q240 366 76 336 Q54 322 66 286 Z", light
            )
            + shape(
                "M66 312 Q240 346 414 312 Q420 330 404 336 Q240 366 76 336 Q60 330 66 312 Z", dark
            )
            + stroke("M54 236 Q84 196 190 190", shade(fabric, 0.35), 5, 0.7)
            + pillow(118, 232, accent)
        )
    if form == "daybed":
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
    seats = 2 if form == "two" else 3
    inner = 312 / seats
    backs = "".join(
        rect(84 + place * inner + 2, 184, inner - 4, 120, fabric, 24)
        + stroke(
            f"M{84 + place * inner + 22:g} 198 H{84 + (place + 1) * inner - 30:g}",
            shade(fabric, 0.3),
            3,
            0.5,
        )
        for place in range(seats)
    )
    cushions = "".join(
        rect(84 + place * inner + 1, 282, inner - 2, 50, light, 16)
        + rect(84 + place * inner + 5, 316, inner - 10, 16, dark, 8)
        for place in range(seats)
    )
    chaise = (
        rect(282, 290, 128, 84, light, 20) + rect(286, 350, 120, 24, dark, 12)
        if form == "corner"
        else ""
    )
    return (
        shadow(240, 420)
        + feet
        + rect(64, 196, 352, 120, deep, 26)
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


def pillow(x: float, y: float, color: str) -> str:
    """Draw a cushion that leans against a back; x and y are its top left corner."""
    return (
        f'<g transform="translate({x:g} {y:g}) rotate(-8 30 30)">'
        + shape("M4 4 Q30 12 58 4 Q66 30 58 60 Q30 68 4 60 Q-4 30 4 4 Z", color)
        + shape("M58 4 Q66 30 58 60 Q30 68 4 60 Q46 54 58 4 Z", shade(color, -0.15))
        + "</g>"
    )
