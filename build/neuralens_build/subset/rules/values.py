"""Rules for truth, identity, equality, and imports."""

import ast

from neuralens_build.names import PACKAGE
from neuralens_build.subset.flow import OBJECT, are, is_checked_as, kinds
from neuralens_build.subset.module import (
    BOOL,
    DICT,
    ERROR,
    LIST,
    NONE,
    NUMBER,
    TUPLE,
    VIEW,
    Module,
    called,
    is_name,
    method_called,
)
from neuralens_build.subset.rules.rule import Found, rule
from neuralens_build.subset.stripping import ANNOTATION_MODULES

CONTAINERS = (LIST, TUPLE, DICT, VIEW)


@rule(
    "truth",
    reason="an empty list or dict is truthy in JavaScript",
    remedy="a comparison, such as `len(xs) > 0` or `x is not None`",
)
def truth(module: Module) -> Found:
    """Find lists and dicts that are tested for truth."""
    for test in tests(module):
        is_container = may_be_container(module, test) or any(
            is_checked_as(module, test, kind) for kind in (LIST, DICT)
        )
        if is_container and not has_empty_default(module, test):
            yield test, ""


def has_empty_default(module: Module, test: ast.expr) -> bool:
    """Return whether an empty list or dict follows by ``or`` on a value of unknown kind."""
    parent = module.parents[test]
    if not isinstance(parent, ast.BoolOp) or not isinstance(parent.op, ast.Or):
        return False
    last = parent.values[-1]
    is_empty = (isinstance(last, ast.List) and not last.elts) or (
        isinstance(last, ast.Dict) and not last.keys
    )
    return is_empty and module.kind(test) is None


def may_be_container(module: Module, node: ast.AST | None, depth: int = 0) -> bool:
    """Return whether a value, or an item of it, may be a list or a dict."""
    return not kinds(module, node, depth).isdisjoint(CONTAINERS)


def tests(module: Module) -> list[ast.expr]:
    """Return every expression that is tested for truth."""
    found: list[ast.expr] = []
    for node in module.walk(ast.If, ast.IfExp, ast.While, ast.UnaryOp, ast.BoolOp):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            found.append(last_operand(node.test))
        elif isinstance(node, ast.UnaryOp):
            found += [node.operand] if isinstance(node.op, ast.Not) else []
        else:
            found += node.values[:-1]
    for part in module.walk(ast.comprehension):
        found += part.ifs
    return found


def last_operand(test: ast.expr) -> ast.expr:
    """Return the operand that a test may end with; the others are found by themselves."""
    return last_operand(test.values[-1]) if isinstance(test, ast.BoolOp) else test


@rule(
    "identity",
    reason="engines differ in which values are the same object",
    remedy="`==`, or `is` with None, True or False",
)
def identity(module: Module) -> Found:
    """Find `is` with anything except the three constants."""
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
    reason="in Python, True equals 1; in JavaScript, lists and dicts are compared by identity",
    remedy="comparisons of two strings or two numbers",
)
def equality(module: Module) -> Found:
    """Find comparisons of lists and dicts, and of bools with numbers."""
    for node in module.walk(ast.Compare):
        values = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            if isinstance(operator, ast.Is | ast.IsNot):
                continue
            depth = 1 if isinstance(operator, ast.In | ast.NotIn) else 0
            if (depth == 0 and {module.kind(left), module.kind(right)} & {*CONTAINERS}) or differs(
                kinds(module, left), kinds(module, right, depth)
            ):
                yield node, ""
    for call in module.walk(ast.Call):
        if method_called(call) == "remove" and call.args:
            assert isinstance(call.func, ast.Attribute)  # noqa: S101 - what method_called says
            if differs(kinds(module, call.args[0]), kinds(module, call.func.value, 1)):
                yield call, ""


def differs(left: set[str | None], right: set[str | None]) -> bool:
    """Return whether such values may be equal in only one of the languages.

    Both are lists or dicts; or one is a bool and the other a number: in Python, True equals 1.
    """
    if are(left, *CONTAINERS) and are(right, *CONTAINERS):
        return True
    both = left | right
    return are(both, BOOL, NUMBER) and {BOOL, NUMBER} <= both


@rule(
    "none-item",
    reason="in JavaScript, a missing value is undefined, which no list with None has",
    remedy="`x is None or x in ...`",
)
def none_item(module: Module) -> Found:
    """Find searches for None in lists."""
    for node in module.walk(ast.Compare):
        values = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            items = right.elts if isinstance(right, ast.List | ast.Tuple) else []
            if isinstance(operator, ast.In | ast.NotIn) and any(
                module.kind(item) == NONE for item in [left, *items]
            ):
                yield node, ""


@rule(
    "number-type",
    reason="in CPython and Brython, True and False are numbers",
    remedy="`x is True or x is False` for a bool, and check that first where one may occur",
)
def number_type(module: Module) -> Found:
    """Find isinstance of bools with numeric types."""
    for call in module.walk(ast.Call):
        if called(call) == "isinstance" and len(call.args) == 2:
            is_number = isinstance(call.args[1], ast.Tuple)
            if is_number and are(kinds(module, call.args[0]), BOOL):
                yield call, ""


@rule(
    "object-type",
    reason="in JavaScript, a tuple is a list, and an object is a dict",
    remedy="a list for the tuple, or a field that says what it is",
)
def object_type(module: Module) -> Found:
    """Find isinstance of tuples with list, and of objects with dict."""
    for call in module.walk(ast.Call):
        if called(call) == "isinstance" and len(call.args) == 2:
            given = kinds(module, call.args[0])
            asked = call.args[1]
            if (is_name(asked, LIST) and TUPLE in given) or (
                is_name(asked, DICT) and not given.isdisjoint((OBJECT, ERROR))
            ):
                yield call, ""


@rule(
    "import",
    reason="engines have only the tracker's own modules; pass in time and randomness",
    remedy=f"`from {PACKAGE}... import names` at the top",
)
def importing(module: Module) -> Found:
    """Find imports of other than tracker modules, and typing names used as values."""
    for node in module.walk(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield node, node.names[0].name
        elif module.parents[node] is not module.tree or node.level or node.names[0].name == "*":
            yield node, node.module or "."
        elif node.module in ANNOTATION_MODULES:
            used = {name.id for name in module.walk(ast.Name)}
            yield from (
                (node, alias.name) for alias in node.names if (alias.asname or alias.name) in used
            )
        elif (node.module or "").split(".")[0] != PACKAGE:
            yield node, node.module or "."
