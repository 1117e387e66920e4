"""Writes and reads source maps.

Source: https://tc39.es/ecma426/ (ECMA-426, version 3 of the format).
"""

import base64
import json

from neuralens_build.compiler.code import Code, Place
from neuralens_build.compiler.source import Source

# The comment at the end of a script, before the Base64 of its map.
PREFIX = "//# sourceMappingURL="
COMMENT = f"{PREFIX}data:application/json;base64,"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def decode(text: str) -> list[int]:
    """Decode a segment: Base64 VLQ numbers."""
    numbers, value, shift = [], 0, 0
    for letter in text:
        digit = DIGITS.index(letter)
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value, shift = 0, 0
    return numbers


def count_bytes(script: str, source_map: str) -> dict[str, int]:
    """Return how many bytes of a script come from each source, largest first.

    Text between two mappings belongs to the first one.
    """
    content = json.loads(source_map)
    counts = dict.fromkeys(content["sources"], 0)
    source = 0
    for line, segments in zip(script.split("\n"), content["mappings"].split(";"), strict=False):
        column = 0
        present: str | None = None
        for numbers in map(decode, filter(None, segments.split(","))):
            if present is not None:
                counts[present] += len(line[column : column + numbers[0]].encode())
            column += numbers[0]
            source += numbers[1] if len(numbers) > 1 else 0
            present = content["sources"][source] if len(numbers) > 1 else None
        if present is not None:
            counts[present] += len(line[column:].encode())
    return dict(sorted(counts.items(), key=lambda count: (-count[1], count[0])))


def encode(number: int) -> str:
    """Encode a number as Base64 VLQ: five bits per digit, the sign in the lowest bit."""
    rest = abs(number) << 1 | (number < 0)
    digits = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        digits += DIGITS[digit | (32 if rest else 0)]
        if not rest:
            return digits


def column_of(source: Source, place: Place) -> int:
    """Return a position's column in UTF-16 code units, as source maps require."""
    line = source.lines[place[0] - 1].encode()
    return len(line[: place[1]].decode(errors="replace").encode("utf-16-le")) // 2


def write(code: Code, source: Source) -> str:
    """Return the text of a module with an inline source map."""
    lines: list[list[str]] = [[]]
    text: list[str] = []
    column = 0
    # The values relative to which the next segment is encoded, and the position of the last one.
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
    return annotate("".join(text), json.dumps(content))


def annotate(script: str, source_map: str) -> str:
    """Append an inline source map to a script."""
    return f"{script.rstrip()}\n{COMMENT}{base64.b64encode(source_map.encode()).decode()}\n"


def split(text: str) -> tuple[str, str]:
    """Split a script from its inline source map."""
    script, _, address = text.rpartition(PREFIX)
    return script, base64.b64decode(address.partition("base64,")[2]).decode()
