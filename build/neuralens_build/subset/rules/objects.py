"""Rules for singletons: where they may be created."""

import ast

from neuralens_build.compiler.records import is_record
from neuralens_build.subset.module import Module
from neuralens_build.subset.rules.rule import Found, rule


@rule(
    "object",
    reason="a class with methods has one instance, which is created in one place",
    remedy="`name = Class(...)` in `start`, or `self._name = Class(...)` in `__init__`, once",
)
def one_object(module: Module) -> Found:
    """Find instances created elsewhere, or several of one class, except of records."""
    made: set[str] = set()
    for node in module.walk(ast.Call):
        if not isinstance(node.func, ast.Name):
            continue
        definition = module.definition(node.func)
        if not isinstance(definition, ast.ClassDef) or is_record(definition):
            continue
        if node.func.id in made or not is_composition(module, node):
            yield node, node.func.id
        made.add(node.func.id)


def is_composition(module: Module, call: ast.Call) -> bool:
    """Return whether a call's result is assigned directly, once, in ``start`` or ``__init__``."""
    around = list(module.ancestors(call))
    function = module.function(call)
    is_held = isinstance(around[0], ast.Assign | ast.AnnAssign) and around[0].value is call
    is_repeated = any(isinstance(a, ast.For | ast.While) for a in around[: around.index(function)])
    names = ("start", "__init__")
    is_start = function is module.tree or getattr(function, "name", "") in names
    return is_held and is_start and not is_repeated
