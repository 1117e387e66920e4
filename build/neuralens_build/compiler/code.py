"""JavaScript code as a tree of text fragments with their positions in the Python source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from neuralens_build.compiler.language import ATOM

# A position in the Python source as in ast: line from 1, column from 0 in UTF-8 bytes.
Place = tuple[int, int]


@dataclass(frozen=True)
class Code:
    """A fragment: text and nested fragments, its precedence, and its source position."""

    parts: tuple[Union[str, "Code"], ...]
    rank: int = ATOM
    place: Place | None = None

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def pieces(self, place: Place | None = None) -> Iterator[tuple[str, Place | None]]:
        """Yield the texts in order, each with the position of its innermost fragment."""
        place = self.place or place
        for part in self.parts:
            if isinstance(part, Code):
                yield from part.pieces(place)
            else:
                yield part, place


Part = str | Code


def place_of(node: ast.AST) -> Place | None:
    """Return the position of a node; None for a synthetic one."""
    line = getattr(node, "lineno", 0)
    return (line, node.col_offset) if line else None  # type: ignore[attr-defined]


def join(separator: str, parts: list[Code]) -> list[Part]:
    """Return the parts with a separator between them."""
    joined: list[Part] = []
    for part in parts:
        joined += [separator, part] if joined else [part]
    return joined
