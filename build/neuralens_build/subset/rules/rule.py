"""The type of a rule."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from neuralens_build.subset.module import Module

# The nodes that a rule refuses, each with the name at fault, or "".
Found = Iterator[tuple[ast.AST, str]]


@dataclass(frozen=True)
class Rule:
    """A construct that behaves differently, or not at all, on one of the engines.

    ``reason`` describes the difference, ``remedy`` what to write instead.
    """

    name: str
    reason: str
    remedy: str
    find: Callable[[Module], Found]


def rule(name: str, *, reason: str, remedy: str) -> Callable[[Callable[[Module], Found]], Rule]:
    """Create a Rule from the function that finds the refused nodes."""

    def make(find: Callable[[Module], Found]) -> Rule:
        return Rule(name, reason, remedy, find)

    return make
