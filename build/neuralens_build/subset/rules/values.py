"""Rules for truth, identity, equality, and imports."""

import ast

from neuralens_build.subset.module import (
    BOOL,
    DICT,
    LIST,
    NUMBER,
    PACKAGE,
    TUPLE,
    VIEW,
    Module,
    called,
    within,
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
        if may_be_container(module, test):
            yield test, ""


def may_be_container(module: Module, node: ast.expr | None) -> bool:
    """Return whether a value may be a list or a dict, as far as this module shows."""
    if isinstance(node, ast.BoolOp):
        return any(may_be_container(module, value) for value in node.values)
    return module.kind(node) in CONTAINERS or any(
        module.kind(value) in CONTAINERS for value in given(module, node)
    )


def given(module: Module, node: ast.expr | None) -> list[ast.expr | None]:
    """Return the values that an expression may have, as far as this module shows."""
    if isinstance(node, ast.Name):
        bindings = module.bindings(node)
        values = [binding.value for binding in bindings]
        for binding in bindings:
            if isinstance(binding.node, ast.arg):
                values += arguments(module, binding.node)
            elif isinstance(binding.node, ast.For | ast.comprehension):
                values += getattr(binding.node.iter, "elts", [])
        return values
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        made = module.definition(node.func)
        return [part.value for part in within(made, ast.Return)] if made is not None else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        holder = node.func.value if node.func.attr == "get" else None
    else:
        holder = node.value if isinstance(node, ast.Subscript) else None
    if not isinstance(holder, ast.Name):
        return []
    displays = [binding.value for binding in module.bindings(holder)]
    return [
        value for display in displays if isinstance(display, ast.Dict) for value in display.values
    ]


def arguments(module: Module, parameter: ast.arg) -> list[ast.expr | None]:
    """Return the arguments that calls in this module pass for a parameter."""
    function = module.parents[module.parents[parameter]]
    if not isinstance(function, ast.FunctionDef) or parameter not in function.args.args:
        return []
    place = function.args.args.index(parameter)
    calls = [call for call in module.walk(ast.Call) if called(call) == function.name]
    return [call.args[place] for call in calls if len(call.args) > place]


def tests(module: Module) -> list[ast.expr]:
    """Return every expression that is tested for truth."""
    found: list[ast.expr] = []
    for node in module.walk(ast.If, ast.IfExp, ast.While, ast.UnaryOp, ast.BoolOp):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            found.append(node.test)
        elif isinstance(node, ast.UnaryOp):
            found += [node.operand] if isinstance(node.op, ast.Not) else []
        else:
            found += node.values[:-1]
    for part in module.walk(ast.comprehension):
        found += part.ifs
    return found


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
    """Return whether one is a bool and the other a number: in Python, True equals 1."""
    return {left, right} == {BOOL, NUMBER}


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
            if is_number and module.kind(call.args[0]) == BOOL:
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
