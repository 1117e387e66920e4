"""What a rule is."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from neuralens_build.subset.module import Module

# The nodes that a rule refuses, each with the word that it is about, or "".
Found = Iterator[tuple[ast.AST, str]]


@dataclass(frozen=True)
class Rule:
    """One thing that portable Python does without.

    ``reason`` says what goes wrong, on the engine named by ``engine``; ``remedy`` what to write.
    """

    name: str
    reason: str
    remedy: str
    find: Callable[[Module], Found]
    engine: str = "pscript"


def rule(
    name: str,
    *,
    reason: str,
    remedy: str,
    engine: str = "pscript",
) -> Callable[[Callable[[Module], Found]], Rule]:
    """Make a Rule of the function that finds what it refuses."""

    def make(find: Callable[[Module], Found]) -> Rule:
        return Rule(name, reason, remedy, find, engine)

    return make


def syntax_rule(
    name: str,
    types: tuple[type[ast.AST], ...],
    *,
    reason: str,
    remedy: str,
    engine: str = "pscript",
) -> Rule:
    """Make a Rule that refuses every node of the given types."""

    def find(module: Module) -> Found:
        return ((node, "") for node in module.walk(*types))

    return Rule(name, reason, remedy, find, engine)
