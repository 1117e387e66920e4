"""Truth, identity and equality."""

import ast
import re

from neuralens_build.subset.module import (
    BOOL,
    DICT,
    LIST,
    NONE,
    NUMBER,
    TEXT,
    TUPLE,
    Module,
    called,
)
from neuralens_build.subset.rules.rule import Found, rule

CONTAINERS = (LIST, TUPLE, DICT)
SCALARS = (TEXT, NUMBER, BOOL)
# What the text of a test holds when pscript takes it for a comparison.
COMPARING = re.compile("[<>]|==")


def is_boolean(module: Module, node: ast.expr) -> bool:
    """Tell whether an expression is a comparison or the like, so that all engines agree on it."""
    if isinstance(node, ast.BoolOp):
        return all(is_boolean(module, value) for value in node.values)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    if isinstance(node, ast.Compare):
        return True
    return isinstance(node, ast.Constant | ast.Call) and module.kind(node) == BOOL


@rule(
    "truth",
    reason="an empty list or dict counts as true here",
    remedy="a comparison, such as `len(xs) > 0` or `x is not None`",
)
def truth(module: Module) -> Found:
    """Find while, assert and the conditions of comprehensions that are no comparison."""
    for node in module.walk(ast.While, ast.Assert):
        if not is_boolean(module, node.test):
            yield node.test, ""
    for part in module.walk(ast.comprehension):
        yield from ((test, "") for test in part.ifs if not is_boolean(module, test))


@rule(
    "mixed-truth",
    reason="beside a comparison an empty list or dict counts as true",
    remedy="a comparison in its place, such as `len(xs) > 0` or `x is not None`",
)
def mixed_truth(module: Module) -> Found:
    """Find values tested beside a comparison, where pscript does not ask for their truth."""
    for test in tests(module):
        for leaf in unasked(test):
            if not is_simple(module, leaf) and looks_compared(test):
                yield leaf, ""


def tests(module: Module) -> list[ast.expr]:
    """Return every expression whose truth decides something."""
    found: list[ast.expr] = []
    for node in module.walk(ast.If, ast.IfExp, ast.UnaryOp, ast.BoolOp):
        if isinstance(node, ast.If | ast.IfExp):
            found.append(node.test)
        elif isinstance(node, ast.UnaryOp):
            found += [node.operand] if isinstance(node.op, ast.Not) else []
        else:
            found += node.values[:-1] if isinstance(node.op, ast.Or) else node.values
    return found


def unasked(test: ast.expr) -> list[ast.expr]:
    """Return the parts whose truth depends on what the whole test looks like."""
    if isinstance(test, ast.BoolOp):
        return unasked(test.values[-1]) if isinstance(test.op, ast.Or) else []
    return [test]


def is_simple(module: Module, node: ast.expr) -> bool:
    """Tell whether a value is no list or dict, as far as its kind, or its origin, says."""
    if is_boolean(module, node) or module.kind(node) in (*SCALARS, NONE):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        made = module.definition(node.func)
        is_annotated = getattr(made, "returns", None) is not None
        return is_annotated and module.kind(node) not in CONTAINERS
    return isinstance(node, ast.Subscript)


def looks_compared(test: ast.expr) -> bool:
    """Tell whether the compiled text of a test holds a comparison or begins with `!`."""
    return any(
        isinstance(part, ast.Compare | ast.Not)
        or (isinstance(part, ast.Constant) and COMPARING.search(str(part.value)))
        or called(part) == "isinstance"
        for part in ast.walk(test)
    )


@rule(
    "and-value",
    reason="`and` gives False in place of an empty list or dict",
    remedy="`x if test else y`",
)
def and_value(module: Module) -> Found:
    """Find lists and dicts under an `and` whose value is used."""
    judged = set(map(id, tests(module)))
    for node in module.walk(ast.BoolOp):
        is_test = id(node) in judged or isinstance(module.parents[node], ast.BoolOp)
        if isinstance(node.op, ast.And) and not is_test:
            yield from ((v, "") for v in node.values if module.kind(v) in CONTAINERS)


@rule(
    "identity",
    reason="engines differ on which values are one object",
    remedy="`==`, or `is` with None, True or False",
    engine="all",
)
def identity(module: Module) -> Found:
    """Find `is` between anything but the three constants."""
    for node in module.walk(ast.Compare):
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.Is | ast.IsNot):
                known = isinstance(right, ast.Constant) and (
                    right.value is None or isinstance(right.value, bool)
                )
                if not known:
                    yield node, ""


@rule(
    "equality",
    reason="text equals numbers, and lists and dicts are compared as objects or not at all",
    remedy="a comparison of two texts or two numbers, one by one",
)
def equality(module: Module) -> Found:
    """Find comparisons with lists and dicts, and between text and numbers."""
    for node in module.walk(ast.Compare):
        values = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            kinds = (module.kind(left), module.kind(right))
            if isinstance(operator, ast.In | ast.NotIn):
                if isinstance(right, ast.Tuple | ast.List) and any(
                    is_mixed(kinds[0], module.kind(part)) for part in right.elts
                ):
                    yield node, ""
            elif not isinstance(operator, ast.Is | ast.IsNot) and (
                any(kind in CONTAINERS for kind in kinds) or is_mixed(*kinds)
            ):
                yield node, ""


def is_mixed(left: str | None, right: str | None) -> bool:
    """Tell whether two kinds are both known scalars, and not the same."""
    return left in SCALARS and right in SCALARS and left != right
