"""JavaScript as it is put together: pieces of text that know where in the Python they come from."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from neuralens_build.compiler.language import ATOM

# A place in the Python: a line from 1, a column from 0 in bytes of UTF-8, as ast has them.
Place = tuple[int, int]


@dataclass(frozen=True)
class Code:
    """Text and other pieces, how tightly the whole binds, and the place that it comes from."""

    parts: tuple[Union[str, "Code"], ...]
    rank: int = ATOM
    place: Place | None = None

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def pieces(self, place: Place | None = None) -> Iterator[tuple[str, Place | None]]:
        """Yield the texts in order, each with the place of the innermost piece around it."""
        place = self.place or place
        for part in self.parts:
            if isinstance(part, Code):
                yield from part.pieces(place)
            else:
                yield part, place


Part = str | Code


def place_of(node: ast.AST) -> Place | None:
    """Return where a node stands; None for one that no line of the Python stands for."""
    line = getattr(node, "lineno", 0)
    return (line, node.col_offset) if line else None  # type: ignore[attr-defined]


def join(separator: str, parts: list[Code]) -> list[Part]:
    """Return the parts with a text between each two."""
    joined: list[Part] = []
    for part in parts:
        joined += [separator, part] if joined else [part]
    return joined
