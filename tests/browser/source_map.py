"""Reads source maps: the Python line for a position in a bundle."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from neuralens_build.compiler.source_map import decode


class SourceMap:
    """A parsed source map. Lines of Python are counted from 1, those of the bundle from 0."""

    def __init__(self, text: str) -> None:
        content = json.loads(text)
        self.text = text
        self.sources: dict[str, str] = dict(
            zip(content["sources"], content["sourcesContent"], strict=True)
        )
        self._segments = list(self._read(content))
        self._positions = [position for position, _ in self._segments]

    @staticmethod
    def _read(content: dict[str, Any]) -> Iterator[tuple[tuple[int, int], tuple[str, int]]]:
        source = line = 0
        for row, segments in enumerate(content["mappings"].split(";")):
            column = 0
            for segment in filter(None, segments.split(",")):
                numbers = decode(segment)
                column += numbers[0]
                if len(numbers) > 1:
                    source += numbers[1]
                    line += numbers[2]
                    yield (row, column), (content["sources"][source], line + 1)

    def origin(self, row: int, column: int) -> tuple[str, int]:
        """Return the Python file and line of a position in the bundle."""
        return self._segments[bisect_right(self._positions, (row, column)) - 1][1]

    def positions(self, file: str, line: int) -> list[tuple[int, int]]:
        """Return the positions [row, column] in the bundle of a Python line."""
        return [position for position, origin in self._segments if origin == (file, line)]
