"""The source of a module."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property

# What ends a line of Python. Not splitlines(), which also splits at a form feed or U+2028.
LINE_END = re.compile("\r\n|\r|\n")


@dataclass(frozen=True)
class Source:
    """A module: its file name for messages and source maps, its text, and its syntax tree."""

    file: str
    text: str
    tree: ast.Module

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return LINE_END.split(self.text)
