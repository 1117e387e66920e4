"""Rules for items of lists and dicts: missing ones, indexes, deletion, and views."""

import ast
from collections.abc import Iterator

from neuralens_build.subset.flow import Value, are, follow, is_checked_as, kinds, trace
from neuralens_build.subset.module import (
    BOOL,
    DICT,
    LIST,
    TUPLE,
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
    remedy="`d.get(key)`, or check `key in list(d.keys())` or `len(xs) > 0` first",
)
def missing_item(module: Module) -> Found:
    """Find items in a try that catches the error for missing ones."""
    for node in module.walk(ast.Subscript):
        if catches(module, node, "KeyError", "IndexError", "LookupError"):
            yield node, ""
    for call in module.walk(ast.Call):
        is_pop = method_called(call) == "pop" and catches(module, call, "IndexError")
        is_extreme = called(call) in ("min", "max") and len(call.args) == 1
        if is_pop or (is_extreme and catches(module, call, "ValueError")):
            yield call, ""


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
            or any(is_negative(source.node) for source in trace(Value(module, place), origins))
        ):
            yield node, place.id if isinstance(place, ast.Name) else ""


def origins(value: Value) -> list[Value] | None:
    """Return where an index comes from: also what calls pass, whatever the annotation says."""
    module, node = value.module, value.node
    if value.depth == 0 and isinstance(node, ast.Name):
        found: list[Value] = []
        for binding in module.bindings(node):
            if isinstance(binding.node, ast.arg):
                found += value.at(binding.node)
            elif isinstance(binding.node, ast.AugAssign):
                found += value.at(binding.value)
            elif called(binding.iterated) == "range":
                found += [part for end in ends(binding.iterated) for part in value.at(end)]
        return [*found, *(follow(value) or [])] or None
    return follow(value)


def ends(numbers: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the first number of a range, and the last one of a range that counts down."""
    assert isinstance(numbers, ast.Call)  # noqa: S101 - the caller has looked
    yield from numbers.args[:1] if len(numbers.args) > 1 else []
    if len(numbers.args) > 2 and ast.unparse(numbers.args[1]) != "-1":
        yield numbers.args[1]


def is_negative(node: ast.AST | None) -> bool:
    """Return whether an expression may be negative: a search may fail."""
    if isinstance(node, ast.BinOp):
        is_difference = isinstance(node.op, ast.Sub) and called(node.left) != "len"
        return is_difference or is_minus(node.left) or is_minus(node.right)
    return is_minus(node) or method_called(node) in ("find", "rfind")


def is_minus(node: ast.AST | None) -> bool:
    """Return whether a node has a minus sign."""
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


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
            is_item = isinstance(target, ast.Subscript) and is_dict(module, target.value)
            if not is_item and not isinstance(target, ast.Attribute):
                yield target, ""


@rule(
    "dict-question",
    reason="in JavaScript, `len`, `list`, `sorted`, `in`, `*` and loops do not work on dicts",
    remedy="`list(d.keys())` instead",
)
def dict_question(module: Module) -> Found:
    """Find these builtins, `in` and loops on dicts."""
    for call in module.walk(ast.Call):
        is_extreme = called(call) in ("min", "max") and len(call.args) == 1
        is_asked = called(call) in ("len", "list", "sorted") or method_called(call) == "extend"
        if (is_asked or is_extreme) and call.args and is_dict(module, call.args[0]):
            yield call, ""
    for star in module.walk(ast.Starred):
        if is_dict(module, star.value):
            yield star, ""
    for node in module.walk(ast.Compare):
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn) and is_dict(module, right):
                yield node, ""
    for loop in module.walk(ast.For, ast.comprehension):
        if is_dict(module, loop.iter):
            yield loop.iter, ""


def is_dict(module: Module, node: ast.expr) -> bool:
    """Return whether a value is known to be a dict."""
    return are(kinds(module, node), DICT) or is_checked_as(module, node, DICT)


@rule(
    "update",
    reason="in JavaScript, `update` takes a dict alone",
    remedy="a loop with `d[pair[0]] = pair[1]`",
)
def updating(module: Module) -> Found:
    """Find update with a list of pairs."""
    for call in module.walk(ast.Call):
        given = call.args[0] if method_called(call) == "update" and call.args else None
        if not kinds(module, given).isdisjoint((LIST, TUPLE)):
            yield call, ""


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
