"""Rules for exceptions: which handlers catch them, and what a caught one is used for."""

import ast

from neuralens_build.subset.flow import kinds
from neuralens_build.subset.module import ERROR, Module, called, is_name, method_called
from neuralens_build.subset.rules.rule import Found, rule

# Base classes of other exceptions; in JavaScript, exceptions match only by their own name.
PARENTS = ("BaseException", "LookupError", "ArithmeticError", "OSError", "IOError")


@rule(
    "except",
    reason="a tuple of exceptions, or a base class of the one raised, is not caught in JavaScript",
    remedy="one `except` for each exception, or `except Exception`",
)
def catching(module: Module) -> Found:
    """Find handlers of tuples and of base classes."""
    for node in module.walk(ast.ExceptHandler):
        if isinstance(node.type, ast.Name):
            if node.type.id in PARENTS:
                yield node, node.type.id
        elif node.type is not None:
            yield node, ""


# Python raises these by itself where JavaScript goes on, or raises something else.
IMPLICIT = (
    *("AttributeError", "IndexError", "KeyError", "NameError", "OverflowError", "RecursionError"),
    *("RuntimeError", "TypeError", "UnboundLocalError"),
)


@rule(
    "never-raised",
    reason="no `raise` in this file raises it, and JavaScript does not by itself",
    remedy="a check before, such as `x is not None` or `key in list(d.keys())`",
)
def never_raised(module: Module) -> Found:
    """Find handlers of exceptions that only the language raises."""
    raised = {called(node.exc) for node in module.walk(ast.Raise)}
    for node in module.walk(ast.ExceptHandler):
        name = node.type.id if isinstance(node.type, ast.Name) else ""
        if name in IMPLICIT and name not in raised:
            yield node, name


@rule(
    "exception-text",
    reason="in JavaScript, an exception's text includes its class name, and it has no attributes",
    remedy="your own text",
)
def exception_text(module: Module) -> Found:
    """Find uses of caught exceptions, except for raising them again."""
    for node in module.walk(ast.Call, ast.FormattedValue, ast.Attribute):
        if isinstance(node, ast.Call):
            is_text = called(node) in ("str", "repr") or method_called(node) == "format"
            values = node.args if is_text else []
        else:
            values = [node.value]
        yield from ((node, "") for value in values if ERROR in kinds(module, value))


def catches(module: Module, node: ast.AST, *names: str) -> bool:
    """Return whether a node is in a try whose handlers catch one of these exceptions."""
    child = node
    for ancestor in module.ancestors(node):
        if isinstance(ancestor, ast.Try) and child in ancestor.body:
            for handler in ancestor.handlers:
                if handler.type is None or any(
                    is_name(handler.type, name) for name in (*names, "Exception")
                ):
                    return True
        child = ancestor
    return False
