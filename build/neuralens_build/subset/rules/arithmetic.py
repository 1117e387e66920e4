"""Rules for numbers, and for text made from values."""

import ast

from neuralens_build.subset.flow import Value, are, follow, is_asked, kinds, trace
from neuralens_build.subset.module import (
    BOOL,
    DICT,
    LIST,
    NONE,
    TEXT,
    TUPLE,
    Module,
    called,
    is_name,
    method_called,
    within,
)
from neuralens_build.subset.rules.exceptions import catches
from neuralens_build.subset.rules.rule import Found, rule
from neuralens_build.subset.rules.values import CONTAINERS, tests


def builtin_calls(module: Module, *names: str) -> list[ast.Call]:
    """Return the calls of builtins with these names."""
    return [
        node
        for node in module.walk(ast.Call)
        if isinstance(node.func, ast.Name)
        and node.func.id in names
        and not module.bindings(node.func)
    ]


@rule(
    "arithmetic",
    reason="in JavaScript, `+` works on numbers and strings only, and other operators on numbers",
    remedy="`extend(...)` on a copy or a loop for lists, an f-string for strings, "
    "and an annotation, such as `count: int`, for numbers",
)
def arithmetic(module: Module) -> Found:
    """Find concatenation of lists, repetition of lists and strings, and formatting by %.

    A sum of two values of unknown kind is refused, since both may be lists.
    """
    for node in module.walk(ast.BinOp):
        known = {module.kind(node.left), module.kind(node.right)}
        refused = [LIST, TUPLE, DICT] if isinstance(node.op, ast.Add) else [LIST, TUPLE, DICT, TEXT]
        is_unknown = isinstance(node.op, ast.Add) and known == {None}
        sides = (node.left, node.right)
        if is_unknown or any(are(kinds(module, side), *refused) for side in sides):
            yield node, ""
    for changed in module.walk(ast.AugAssign):
        known = {module.kind(changed.target), module.kind(changed.value)}
        is_text = isinstance(changed.op, ast.Mult) and TEXT in known
        if is_text or (isinstance(changed.op, ast.Add) and known == {None}):
            yield changed, ""


@rule(
    "extreme",
    reason="in JavaScript, `min` and `max` compare numbers only",
    remedy="a loop",
)
def extreme(module: Module) -> Found:
    """Find min and max of values that are not numbers."""
    for node in module.walk(ast.Call):
        if called(node) in ("min", "max"):
            depth = 1 if len(node.args) == 1 else 0
            given = [kind for value in node.args for kind in kinds(module, value, depth)]
            if {TEXT, BOOL, NONE, *CONTAINERS}.intersection(given):
                yield node, ""


@rule(
    "sort-key",
    reason="JavaScript compares lists as strings",
    remedy="a key that is a number or a string",
)
def sort_key(module: Module) -> Found:
    """Find sorting by lists."""
    for node in module.walk(ast.Call):
        if (called(node) == "sorted" and node.args) or method_called(node) == "sort":
            key = next((given.value for given in node.keywords if given.arg == "key"), None)
            if key is not None:
                used = key.body if isinstance(key, ast.Lambda) else ast.Call(key, [], [])
                found = kinds(module, used)
            else:
                items = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]
                found = kinds(module, items, 1)
            if not found.isdisjoint(CONTAINERS):
                yield node, ""


@rule(
    "joined",
    reason="JavaScript joins only lists",
    remedy="`join(list(text))`, or `join(list(d.keys()))`",
)
def joined(module: Module) -> Found:
    """Find join of text and dicts."""
    for node in module.walk(ast.Call):
        given = node.args[0] if method_called(node) == "join" and node.args else None
        if are(kinds(module, given), TEXT, DICT):
            yield node, ""


@rule(
    "zero-division",
    reason="division by zero raises no error in JavaScript",
    remedy="a check that the divisor is not 0",
)
def zero_division(module: Module) -> Found:
    """Find division by 0, and division in a try that catches it."""
    for node in module.walk(ast.BinOp, ast.AugAssign):
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            right = node.right if isinstance(node, ast.BinOp) else node.value
            is_zero = isinstance(right, ast.Constant) and right.value == 0
            if is_zero or catches(module, node, "ZeroDivisionError", "ArithmeticError"):
                yield node, ""


@rule(
    "text-of",
    reason="True, None, lists, dicts and integral floats are formatted differently in JavaScript",
    remedy="the text explicitly, such as `'yes' if x else 'no'`",
)
def text_of(module: Module) -> Found:
    """Find the formatting of such values."""
    values = [node.args[0] for node in builtin_calls(module, "str") if node.args]
    values += [node.value for node in module.walk(ast.FormattedValue)]
    for node in module.walk(ast.Call):
        if method_called(node) == "format":
            values += node.args
    for value in values:
        is_wrong = may_be_none(module, value) or not kinds(module, value).isdisjoint(
            (BOOL, *CONTAINERS)
        )
        is_float = may_be_float(module, value) and not is_short(value)
        if module.kind(value) == NONE or ((is_wrong or is_float) and not is_asked(module, value)):
            yield value, ""


def may_be_none(module: Module, node: ast.expr) -> bool:
    """Return whether a node is an optional argument or a lookup, and not tested."""
    if isinstance(node, ast.Name):
        arguments = [binding.node for binding in module.bindings(node)]
        is_optional = any(
            argument in optional(function.args)
            for argument in arguments
            if isinstance(argument, ast.arg)
            and isinstance(function := module.function(argument), ast.FunctionDef)
        )
    else:
        is_optional = isinstance(node, ast.Call) and method_called(node) == "get"
        is_optional = is_optional and len(node.args) == 1  # type: ignore[attr-defined]
    wanted, function = ast.dump(node), module.function(node)
    return is_optional and not any(
        ast.dump(test) == wanted and module.function(test) is function for test in tests(module)
    )


def optional(arguments: ast.arguments) -> list[ast.arg]:
    """Return the parameters that have a default."""
    return arguments.args[len(arguments.args) - len(arguments.defaults) :]


def is_short(node: ast.expr) -> bool:
    """Return whether a float is a literal that has the same text in both languages."""
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, float)
        and not node.value.is_integer()
        and "e" not in repr(node.value)
    )


def may_be_float(module: Module, node: ast.AST) -> bool:
    """Return whether a value may be a float: a literal, a quotient, or what is made of one."""
    return any(is_float(source) for source in trace(Value(module, node), follow_operands))


def is_float(source: Value) -> bool:
    """Return whether a source is a float itself."""
    node = source.node
    if source.depth > 0:
        return False
    if source.annotates:
        return is_name(node, "float")
    return (
        (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        or called(node) == "float"
    )


def follow_operands(value: Value) -> list[Value] | None:
    """Return where a value comes from, even through arithmetic; None for a source."""
    node = value.node
    operands: list[ast.expr] = []
    if value.depth == 0 and not value.annotates:
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Div):
            operands = [node.left, node.right]
        elif isinstance(node, ast.UnaryOp):
            operands = [node.operand]
        elif isinstance(node, ast.Call) and called(node) in ("abs", "min", "max"):
            operands = node.args
    return [part for operand in operands for part in value.at(operand)] or follow(value)


@rule(
    "float-quotient",
    reason="JavaScript rounds the quotient of two floats before `//` cuts it",
    remedy="`int(x / y)`, and for negative numbers how to round them",
)
def float_quotient(module: Module) -> Found:
    """Find whole quotients of floats."""
    for node in module.walk(ast.BinOp):
        is_whole = isinstance(node.op, ast.FloorDiv)
        if is_whole and any(may_be_float(module, part) for part in (node.left, node.right)):
            yield node, ""


@rule(
    "number-from-text",
    reason="a string that is not a number becomes NaN or 0 in JavaScript, without an error",
    remedy="`int(text) if is_digits(text) else ...`, with value_types.is_digits",
)
def number_from_text(module: Module) -> Found:
    """Find conversions of unchecked strings to numbers, and those with a base."""
    for node in builtin_calls(module, "int", "float"):
        if len(node.args) != 1:
            yield node, ""
            continue
        text = node.args[0]
        if isinstance(text, ast.Constant):
            if isinstance(text.value, str) and not is_number(text.value, called(node) == "float"):
                yield node, ""
        elif (
            module.kind(text) == TEXT or catches(module, node, "ValueError")
        ) and not is_digits_checked(module, text):
            yield node, ""


def is_number(text: str, has_point: bool) -> bool:
    """Return whether a string is a number in both languages, perhaps with a decimal point."""
    return text.isascii() and text.replace(".", "", int(has_point)).isdigit()


def is_digits_checked(module: Module, text: ast.expr) -> bool:
    """Return whether the enclosing function calls ``is_digits`` on an expression."""
    wanted = ast.dump(text)
    return any(
        called(call) == "is_digits" and call.args and ast.dump(call.args[0]) == wanted
        for call in within(module.function(text), ast.Call)
    )


@rule(
    "nested-text",
    reason="MicroPython has no f-string inside an f-string",
    remedy="the inner one into a variable first",
)
def nested_text(module: Module) -> Found:
    """Find f-strings in f-strings."""
    for node in module.walk(ast.FormattedValue):
        yield from ((inner, "") for inner in within(node.value, ast.JoinedStr))


@rule(
    "prefix-tuple",
    reason="in JavaScript, `startswith` and `endswith` accept one string only",
    remedy="one call for each string, combined with `or`",
)
def prefix_tuple(module: Module) -> Found:
    """Find startswith and endswith with a tuple or list."""
    for node in module.walk(ast.Call):
        is_called = method_called(node) in ("startswith", "endswith")
        if is_called and any(module.kind(value) in (TUPLE, LIST) for value in node.args):
            yield node, ""


@rule(
    "astral",
    reason="a character above U+FFFF counts as two in JavaScript",
    remedy="characters up to U+FFFF",
)
def astral(module: Module) -> Found:
    """Find strings with characters outside the basic multilingual plane."""
    for node in module.walk(ast.Constant):
        if isinstance(node.value, str) and any(ord(letter) > 0xFFFF for letter in node.value):
            yield node, ""
