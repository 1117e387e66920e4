"""Rules for numbers, and for text made from values."""

import ast

from neuralens_build.subset.module import (
    BOOL,
    DICT,
    ERROR,
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
from neuralens_build.subset.rules.items import catches
from neuralens_build.subset.rules.rule import Found, rule
from neuralens_build.subset.rules.values import CONTAINERS

# Parents of other exceptions: what is raised matches by its own name alone.
PARENTS = ("BaseException", "LookupError", "ArithmeticError", "OSError", "IOError")


def builtin_calls(module: Module, *names: str) -> list[ast.Call]:
    """Return the calls of the builtins of those names."""
    return [
        node
        for node in module.walk(ast.Call)
        if isinstance(node.func, ast.Name)
        and node.func.id in names
        and not module.bindings(node.func)
    ]


@rule(
    "arithmetic",
    reason="`+` is for numbers and for texts, the other signs are for numbers",
    remedy="`extend(...)` on a copy, or a loop",
)
def arithmetic(module: Module) -> Found:
    """Find sums of lists, lists and texts that are repeated, and formatting by %."""
    for node in module.walk(ast.BinOp):
        kinds = (module.kind(node.left), module.kind(node.right))
        wrong: tuple[str, ...] = (LIST, TUPLE, DICT)
        if not isinstance(node.op, ast.Add):
            wrong = (*wrong, TEXT)
        if any(kind in wrong for kind in kinds):
            yield node, ""


@rule(
    "extreme",
    reason="`min` and `max` are for numbers in JavaScript",
    remedy="a loop",
)
def extreme(module: Module) -> Found:
    """Find min and max of what is no number."""
    for node in module.walk(ast.Call):
        if called(node) in ("min", "max"):
            values = list(node.args)
            if len(values) == 1 and isinstance(values[0], ast.List | ast.Tuple):
                values = [*values[0].elts] or values
            elif len(values) == 1:
                values = []
            if any(module.kind(value) in (TEXT, NONE, *CONTAINERS) for value in values):
                yield node, ""


@rule(
    "sort-key",
    reason="JavaScript compares lists as text",
    remedy="a number or a text for the key",
)
def sort_key(module: Module) -> Found:
    """Find sorting by lists."""
    for node in module.walk(ast.Call):
        if called(node) == "sorted" or method_called(node) == "sort":
            for given in node.keywords:
                body = given.value.body if isinstance(given.value, ast.Lambda) else None
                if module.kind(body) in CONTAINERS:
                    yield node, ""


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
    values += [node.value for node in module.walk(ast.FormattedValue)]
    for node in module.walk(ast.Call):
        if method_called(node) == "format":
            values += node.args
    for value in values:
        if module.kind(value) in (BOOL, NONE, *CONTAINERS) or is_whole_float(module, value):
            yield value, ""


def is_whole_float(module: Module, node: ast.expr) -> bool:
    """Return whether an expression is a quotient or a literal float without a fraction."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and node.value.is_integer()
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div)
    if isinstance(node, ast.Name):
        values = [binding.value for binding in module.bindings(node)]
        return any(v is not None and v is not node and is_quotient(v) for v in values)
    return isinstance(node, ast.Call) and is_name(node.func, "float")


def is_quotient(node: ast.expr) -> bool:
    """Return whether an expression is a division or a whole float."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and node.value.is_integer()
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


@rule(
    "number-from-text",
    reason="text that is no number becomes NaN or 0, and no error",
    remedy="`int(text) if is_digits(text) else ...`, with value_types.is_digits",
)
def number_from_text(module: Module) -> Found:
    """Find numbers made from text that was not checked, or in another base."""
    for node in builtin_calls(module, "int", "float"):
        if len(node.args) != 1:
            yield node, ""
            continue
        text = node.args[0]
        if isinstance(text, ast.Constant):
            if isinstance(text.value, str) and not text.value.replace(".", "", 1).isdigit():
                yield node, ""
        elif (
            module.kind(text) == TEXT or catches(module, node, "ValueError")
        ) and not is_digits_checked(module, text):
            yield node, ""


def is_digits_checked(module: Module, text: ast.expr) -> bool:
    """Return whether the function around an expression asks whether it is digits."""
    wanted = ast.dump(text)
    return any(
        called(call) == "is_digits" and call.args and ast.dump(call.args[0]) == wanted
        for call in within(module.function(text), ast.Call)
    )


@rule(
    "prefix-tuple",
    reason="`startswith` and `endswith` take one text",
    remedy="one call for each, joined by `or`",
)
def prefix_tuple(module: Module) -> Found:
    """Find startswith and endswith with several choices."""
    for node in module.walk(ast.Call):
        is_asked = method_called(node) in ("startswith", "endswith")
        if is_asked and any(module.kind(value) in (TUPLE, LIST) for value in node.args):
            yield node, ""


@rule(
    "astral",
    reason="a character past U+FFFF counts as two in JavaScript",
    remedy="characters up to U+FFFF",
)
def astral(module: Module) -> Found:
    """Find text with characters outside the basic plane."""
    for node in module.walk(ast.Constant):
        if isinstance(node.value, str) and any(ord(letter) > 0xFFFF for letter in node.value):
            yield node, ""


@rule(
    "except",
    reason="several exceptions, and a parent of the one raised, match nothing",
    remedy="one `except` for each, or `except Exception`",
)
def catching(module: Module) -> Found:
    """Find handlers of tuples and of parent classes."""
    for node in module.walk(ast.ExceptHandler):
        if isinstance(node.type, ast.Name):
            if node.type.id in PARENTS:
                yield node, node.type.id
        elif node.type is not None:
            yield node, ""


@rule(
    "exception-text",
    reason="the text of an exception repeats its class, and its attributes are undefined",
    remedy="a text of your own",
)
def exception_text(module: Module) -> Found:
    """Find uses of caught exceptions but raising them again."""
    for node in module.walk(ast.Call, ast.FormattedValue, ast.Attribute):
        if isinstance(node, ast.Call):
            is_text = called(node) in ("str", "repr") or method_called(node) == "format"
            values = node.args if is_text else []
        else:
            values = [node.value]
        yield from ((node, "") for value in values if module.kind(value) == ERROR)
