"""Source maps: which place in the Python each piece of JavaScript stands for.

Source: https://tc39.es/ecma426/ (ECMA-426, version 3 of the format).
"""

import base64
import json

from neuralens_build.compiler.code import Code, Place
from neuralens_build.compiler.source import Source

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def encode(number: int) -> str:
    """Return a number as Base64 VLQ: five bits a digit, the sign in the lowest bit."""
    rest = abs(number) << 1 | (number < 0)
    digits = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        digits += DIGITS[digit | (32 if rest else 0)]
        if not rest:
            return digits


def column_of(source: Source, place: Place) -> int:
    """Return a place's column in UTF-16 units, as source maps count."""
    line = source.text.splitlines()[place[0] - 1].encode()
    return len(line[: place[1]].decode(errors="replace").encode("utf-16-le")) // 2


def write(code: Code, source: Source) -> str:
    """Return the text of a module that ends with its source map, in a comment."""
    lines: list[list[str]] = [[]]
    text: list[str] = []
    column = 0
    # What the next segment of the map counts from, and the place that the last one is for.
    last_column, last_line, last_place = 0, 0, 0
    present: Place | None = None
    for piece, place in code.pieces():
        if place is not None and place != present:
            present = place
            place_column = column_of(source, place)
            segment = (column - last_column, 0, place[0] - 1 - last_line, place_column - last_place)
            lines[-1].append("".join(map(encode, segment)))
            last_column, last_line, last_place = column, place[0] - 1, place_column
        text.append(piece)
        for _ in range(piece.count("\n")):
            lines.append([])
            column, last_column, present = 0, 0, None
        column += len(piece.rpartition("\n")[2].encode("utf-16-le")) // 2
    mappings = ";".join(",".join(segments) for segments in lines)
    content = {
        "version": 3,
        "sources": [source.file],
        "sourcesContent": [source.text],
        "names": [],
        "mappings": mappings,
    }
    inline = base64.b64encode(json.dumps(content).encode()).decode()
    return f"{''.join(text)}//# sourceMappingURL=data:application/json;base64,{inline}\n"
