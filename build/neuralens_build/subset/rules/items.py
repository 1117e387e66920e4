"""Rules for items of lists and dicts: missing ones, indexes, deletion, and views."""

import ast

from neuralens_build.subset.flow import are, kinds, sources
from neuralens_build.subset.module import (
    BOOL,
    DICT,
    LIST,
    VIEW,
    VIEWS,
    Module,
    called,
    is_name,
    method_called,
)
from neuralens_build.subset.rules.exceptions import catches
from neuralens_build.subset.rules.rule import Found, rule


@rule(
    "missing-item",
    reason="in JavaScript, a missing item is None and raises no error",
    remedy="`d.get(key)`, or check `key in list(d.keys())` first",
)
def missing_item(module: Module) -> Found:
    """Find items in a try that catches the error for missing ones."""
    for node in module.walk(ast.Subscript):
        if catches(module, node, "KeyError", "IndexError", "LookupError"):
            yield node, ""


@rule(
    "index",
    reason="in JavaScript, a negative index finds nothing unless it is a literal, nor does a bool",
    remedy="`xs[len(xs) - n]`, or `a if x else b` for a bool",
)
def index(module: Module) -> Found:
    """Find indexes that are, or may be, negative."""
    for node in module.walk(ast.Subscript):
        place = node.slice
        if isinstance(place, ast.UnaryOp) and isinstance(place.op, ast.USub):
            if not isinstance(place.operand, ast.Constant):
                yield node, ""
        elif isinstance(place, ast.BinOp) and isinstance(place.op, ast.Sub):
            left = place.left
            if not (isinstance(left, ast.Call) and is_name(left.func, "len")):
                yield node, ""
        elif not isinstance(place, ast.Slice) and (
            BOOL in kinds(module, place)
            or any(is_negative(source.node) for source in sources(module, place))
        ):
            yield node, place.id if isinstance(place, ast.Name) else ""


def is_negative(node: ast.AST | None) -> bool:
    """Return whether an expression is a negative literal, or a search that may fail."""
    is_minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    return is_minus or method_called(node) in ("find", "rfind")


@rule(
    "list-plus",
    reason="in JavaScript, `+=` creates a new list, whereas Python extends the existing one",
    remedy="`extend(...)` or `append(...)`",
)
def list_plus(module: Module) -> Found:
    """Find += on lists."""
    for node in module.walk(ast.AugAssign):
        if LIST in kinds(module, node.target) | kinds(module, node.value):
            yield node, ""


@rule(
    "del",
    reason="in JavaScript, `del` neither shortens a list nor deletes a name",
    remedy="`pop(i)`",
)
def deletion(module: Module) -> Found:
    """Find del of anything except attributes and items of dicts."""
    for node in module.walk(ast.Delete):
        for target in node.targets:
            is_item = isinstance(target, ast.Subscript) and module.kind(target.value) == "dict"
            if not is_item and not isinstance(target, ast.Attribute):
                yield target, ""


@rule(
    "dict-question",
    reason="in JavaScript, `len`, `list`, `sorted`, `in` and loops do not work on dicts",
    remedy="`list(d.keys())` instead",
)
def dict_question(module: Module) -> Found:
    """Find these builtins, `in` and loops on dicts."""
    for call in module.walk(ast.Call):
        is_asked = called(call) in ("len", "list", "sorted") and call.args
        if is_asked and are(kinds(module, call.args[0]), DICT):
            yield call, ""
    for node in module.walk(ast.Compare):
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn) and are(kinds(module, right), DICT):
                yield node, ""
    for loop in module.walk(ast.For, ast.comprehension):
        if are(kinds(module, loop.iter), DICT):
            yield loop.iter, ""


@rule(
    "view",
    reason="in JavaScript, keys() returns a list, which does not reflect later changes",
    remedy="`list(...)` around it",
)
def view(module: Module) -> Found:
    """Find views that are stored."""
    for node in module.walk(ast.Call):
        if method_called(node) in VIEWS and module.kind(node) == VIEW:
            parent = module.parents[node]
            is_looped = isinstance(parent, ast.For | ast.comprehension) and parent.iter is node
            is_asked = isinstance(parent, ast.Compare) or called(parent) in (
                "list",
                "len",
                "sorted",
            )
            if not is_looped and not is_asked:
                yield node, ""
