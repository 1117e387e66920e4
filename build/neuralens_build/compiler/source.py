"""A module on its way through the compiler."""

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One module: the file as messages and source maps name it, its text, and its syntax tree."""

    file: str
    text: str
    tree: ast.Module
