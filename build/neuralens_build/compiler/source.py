"""The source of a module."""

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A module: its file name for messages and source maps, its text, and its syntax tree."""

    file: str
    text: str
    tree: ast.Module
