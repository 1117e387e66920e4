"""Finds the functions of a program that have side effects.

JavaScript may evaluate expressions in another order than Python, or leave some out: that matters
only if one of them has a side effect. Calls of browser objects do not count, because they cannot
change the program's own values.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from neuralens_build.compiler.language import ACCESS, BUILTINS
from neuralens_build.names import ADAPTER

# Methods that change their list or dict.
CHANGING = frozenset(("append", "extend", "insert", "pop", "remove", "sort", "update"))
FRESH = (ast.List, ast.ListComp, ast.Dict)


@dataclass(frozen=True)
class Effects:
    """The functions without effects and those with, by their names."""

    pure: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()

    def has(self, node: ast.expr | None) -> bool:
        """Return whether the evaluation of an expression may have an effect."""
        return node is not None and any(
            self.is_effect(call, frozenset())
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
        )

    def is_effect(self, call: ast.Call, own: frozenset[str]) -> bool:
        """Return whether a call may have an effect, except on the fresh lists and dicts ``own``."""
        function = call.func
        if isinstance(function, ast.Name):
            return function.id not in self.pure
        if isinstance(function, ast.Attribute):
            holder = function.value
            is_own = isinstance(holder, ast.Name) and holder.id in own
            return function.attr in CHANGING and not is_own
        return True


def read_effects(trees: Collection[ast.Module], records: Mapping[str, object]) -> Effects:
    """Return the functions of a program that have no effects."""
    functions: dict[str, list[ast.FunctionDef]] = {}
    # A call of a parameter or a variable may have any effect.
    variables: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef):
            functions.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.arg):
            variables.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            variables.add(node.id)
    given = {name for tree in trees for name in browser_functions(tree)}
    variables -= given
    pure = {"isinstance", *BUILTINS, *ACCESS, *records, *functions, *given} - variables
    size = -1
    while size != len(pure):
        size = len(pure)
        effects = Effects(frozenset(pure))
        pure -= {
            name
            for name, definitions in functions.items()
            if any(changes(definition, effects) for definition in definitions)
        }
    return Effects(frozenset(pure), frozenset(functions.keys() - pure))


def browser_functions(tree: ast.Module) -> Iterator[str]:
    """Yield the constants of a module that hold what a function of the adapter returns."""
    adapter = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == ADAPTER
        for alias in node.names
    }
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        function, target = node.value.func, node.targets[0]
        is_made = isinstance(function, ast.Name) and function.id in adapter
        if is_made and isinstance(target, ast.Name):
            yield target.id


def changes(function: ast.FunctionDef, effects: Effects) -> bool:
    """Return whether a function changes something other than its own fresh lists and dicts."""
    own = frozenset(fresh(function))
    for node in (node for statement in function.body for node in ast.walk(statement)):
        if isinstance(node, ast.Global | ast.Nonlocal):
            return True
        if isinstance(node, ast.Call) and effects.is_effect(node, own):
            return True
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            holder = node.value
            if not (isinstance(holder, ast.Name) and holder.id in own):
                return True
    return False


def fresh(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the variables of a function that only hold lists and dicts that it creates."""
    values: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.arg):
            values.setdefault(node.arg, []).append(None)
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            values.setdefault(node.target.id, []).append(None)
    for name, given in values.items():
        if all(isinstance(value, FRESH) for value in given):
            yield name
