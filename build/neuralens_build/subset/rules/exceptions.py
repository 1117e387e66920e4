"""Raising and catching."""

import ast

from neuralens_build.subset.module import ERROR, Module, called, method_called
from neuralens_build.subset.rules.names import starts_capital
from neuralens_build.subset.rules.rule import Found, rule

PARENTS = ("BaseException", "LookupError", "ArithmeticError", "OSError", "IOError")


@rule(
    "try-else",
    reason="`else` after `try`, and `except*`, do not compile",
    remedy="the statements at the end of the try",
)
def try_else(module: Module) -> Found:
    """Find try with else, and groups of exceptions."""
    for node in module.walk(ast.Try, ast.TryStar):
        if node.orelse or isinstance(node, ast.TryStar):
            yield node, ""


@rule(
    "raise",
    reason="only `raise Name('text')` and `raise name` compile to what they say",
    remedy="`raise ValueError('text')`, or the caught name to raise it again",
)
def raising(module: Module) -> Found:
    """Find bare raise, causes, and anything but a name or one exception."""
    for node in module.walk(ast.Raise):
        error = node.exc
        if error is None or node.cause is not None:
            yield node, ""
        elif isinstance(error, ast.Call):
            name = called(error)
            if name is None or not starts_capital(name) or len(error.args) > 1 or error.keywords:
                yield node, ""
        elif not isinstance(error, ast.Name):
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
    "exception-class",
    reason="a class of exceptions fails when it is raised",
    remedy="one of Python's own, or a value that says what went wrong",
)
def exception_class(module: Module) -> Found:
    """Find classes derived from exceptions."""
    for node in module.walk(ast.ClassDef):
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id.endswith(("Error", "Exception")):
                yield node, node.name


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
