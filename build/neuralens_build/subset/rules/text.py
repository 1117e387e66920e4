"""Arithmetic, and text made from values."""

import ast
import re

from neuralens_build.subset.module import BOOL, NONE, TEXT, Module, is_name, method_called
from neuralens_build.subset.rules.calls import builtin_calls, catches
from neuralens_build.subset.rules.items import is_negative
from neuralens_build.subset.rules.rule import Found, rule
from neuralens_build.subset.rules.truth import CONTAINERS

BRACES = re.compile("[{}]")
# A number of decimals; and a template of nothing but text and such fields.
FORMAT = re.compile(r"(\.\d+f)?")
FIELDS = re.compile(r"[^{}]|\{(:\.\d+f)?\}")


@rule(
    "modulo",
    reason="the remainder of a negative number is negative, and `%` on text knows few formats",
    remedy="`%` on numbers from 0, and `+` for text",
)
def modulo(module: Module) -> Found:
    """Find remainders of what may be negative, and formatting by %."""
    for node in module.walk(ast.BinOp, ast.AugAssign):
        if not isinstance(node.op, ast.Mod):
            continue
        left, right = (
            (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        )
        if (
            module.kind(left) == TEXT
            or may_be_negative(module, left)
            or may_be_negative(module, right)
        ):
            yield node, ""


def may_be_negative(module: Module, node: ast.expr) -> bool:
    """Tell whether a number is a difference or a negative literal, or was set to one."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Sub)
    return isinstance(node, ast.Name) and any(
        is_negative(binding.value) for binding in module.bindings(node)
    )


@rule(
    "zero-division",
    reason="division by zero is no error here",
    remedy="a comparison of the divisor first",
)
def zero_division(module: Module) -> Found:
    """Find division by 0, and division in a try for it."""
    for node in module.walk(ast.BinOp):
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            is_zero = isinstance(node.right, ast.Constant) and node.right.value == 0
            if is_zero or catches(module, node, "ZeroDivisionError", "ArithmeticError"):
                yield node, ""


@rule(
    "text-of",
    reason="True, None, lists, dicts and whole floats have another text here",
    remedy="the words themselves, such as `'yes' if x else 'no'`",
)
def text_of(module: Module) -> Found:
    """Find text made of such values."""
    values = [node.args[0] for node in builtin_calls(module, "str") if node.args]
    values += [node.value for node in module.walk(ast.FormattedValue) if not has_format(node)]
    for node in module.walk(ast.Call):
        if method_called(node) == "format":
            values += node.args
    for value in values:
        if module.kind(value) in (BOOL, NONE, *CONTAINERS) or is_whole_float(module, value):
            yield value, ""


def has_format(node: ast.FormattedValue) -> bool:
    """Tell whether a value in an f-string has a format of its own."""
    return node.format_spec is not None


def is_whole_float(module: Module, node: ast.expr) -> bool:
    """Tell whether an expression is a quotient or a literal float without a fraction."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and node.value.is_integer()
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div)
    if isinstance(node, ast.Name):
        values = [binding.value for binding in module.bindings(node)]
        return any(v is not None and v is not node and is_quotient(v) for v in values)
    return isinstance(node, ast.Call) and is_name(node.func, "float")


def is_quotient(node: ast.expr) -> bool:
    """Tell whether an expression is a division or a whole float."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and node.value.is_integer()
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


@rule(
    "format",
    reason="of all formats only `.2f` and the like come out right, and doubled braces do not",
    remedy="`+` and `str(...)`",
)
def text_format(module: Module) -> Found:
    """Find f-strings and format templates with anything else."""
    for node in module.walk(ast.JoinedStr):
        parent = module.parents[node]
        if isinstance(parent, ast.FormattedValue) and parent.format_spec is node:
            continue
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                is_right = part.conversion == -1 and is_plain(part.format_spec)
            else:
                is_right = isinstance(part, ast.Constant) and not BRACES.search(str(part.value))
            if not is_right:
                yield node, ""
    for call in module.walk(ast.Call):
        if method_called(call) == "format" and not module.methods("format"):
            assert isinstance(call.func, ast.Attribute)  # noqa: S101 - what method_called says
            template = call.func.value
            text = template.value if isinstance(template, ast.Constant) else None
            if not isinstance(text, str) or FIELDS.sub("", text) or call.keywords:
                yield call, ""


def is_plain(spec: ast.expr | None) -> bool:
    """Tell whether a format is none, or a number of decimals."""
    if spec is None:
        return True
    parts = spec.values if isinstance(spec, ast.JoinedStr) else [spec]
    return (
        len(parts) == 1
        and isinstance(parts[0], ast.Constant)
        and FORMAT.fullmatch(str(parts[0].value)) is not None
    )
