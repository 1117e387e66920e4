"""Reads record classes, which have only named fields and compile to plain objects.

A record class has no base and no method but ``__init__``, and that only assigns its parameters, or
literals, to public attributes:

    class Item:
        def __init__(self, element: object, kind: str, ids: list[str]) -> None:
            self.element = element
            self.kind = kind
            self.ids = ids
            self.rank = None

``Item(a, b, c)`` becomes ``{ element$: a, kind$: b, ids$: c, rank$: null }``. The bundler shortens
every property that ends in MARK, consistently in the whole bundle. A record class may have any
number of instances. All other classes are singletons, which the linker replaces.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from neuralens_build.compiler.language import METHODS
from neuralens_build.compiler.refusal import CompileError

# The suffix of property names that the bundler may shorten; Python names cannot contain it.
MARK = "$"
FORM = "only `self.name = parameter` and `self.name = literal`, each name and parameter once"


@dataclass(frozen=True)
class Field:
    """An attribute with its parameter (and that one's annotation), or else its literal value."""

    attribute: str
    parameter: str | None
    value: ast.expr
    annotation: ast.expr | None = None


@dataclass(frozen=True)
class Record:
    """A record class: its parameters, how many are required, and its attributes.

    Attributes with a parameter come first, in the order of the parameters.
    """

    name: str
    parameters: tuple[str, ...]
    least: int
    fields: tuple[Field, ...]


def is_record(node: ast.ClassDef) -> bool:
    """Return whether a class is a record: it has public attributes and no methods."""
    methods = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
    attributes = {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
    }
    is_public = bool(attributes) and not any(name.startswith("_") for name in attributes)
    return methods == ["__init__"] and is_public and not node.bases


def read_record(file: str, node: ast.ClassDef) -> Record:
    """Read a record class; raises CompileError if it does anything but assign its fields."""
    init = next(part for part in node.body if isinstance(part, ast.FunctionDef))
    arguments = init.args
    annotations = {part.arg: part.annotation for part in arguments.args[1:]}
    parameters = tuple(annotations)
    given: dict[str, Field] = {}
    literal: list[Field] = []
    taken: set[str] = set()
    for statement in init.body:
        field = read_field(statement, annotations)
        if field is None or field.attribute in taken or field.parameter in given:
            raise CompileError(file, statement, f"class {node.name} is a record", FORM)
        if field.attribute in METHODS:
            raise CompileError(
                file,
                statement,
                f"{field.attribute} is also a method of text, lists or dicts",
                "another name for the attribute",
            )
        taken.add(field.attribute)
        if field.parameter is None:
            literal.append(field)
        else:
            given[field.parameter] = field
    odd = arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs
    has_value = any(
        not (isinstance(default, ast.Constant) and default.value is None)
        for default in arguments.defaults
    )
    if odd or has_value or set(parameters) != set(given):
        raise CompileError(
            file,
            init,
            f"class {node.name} is a record, and each parameter is one of its attributes",
            "plain parameters, at most with None for a default, and " + FORM,
        )
    fields = (*(given[parameter] for parameter in parameters), *literal)
    return Record(node.name, parameters, len(parameters) - len(arguments.defaults), fields)


def read_field(statement: ast.stmt, annotations: Mapping[str, ast.expr | None]) -> Field | None:
    """Read one statement of ``__init__`` as a field; None for any other statement.

    ``annotations`` are those of its parameters.
    """
    if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
        return None
    target, value = statement.targets[0], statement.value
    is_own = (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    )
    if not is_own:
        return None
    assert isinstance(target, ast.Attribute)  # noqa: S101 - is_own says so
    if isinstance(value, ast.Name) and value.id in annotations:
        return Field(target.attr, value.id, ast.Constant(None), annotations[value.id])
    return Field(target.attr, None, value) if is_literal(value) else None


def is_none(node: ast.AST | None) -> bool:
    """Return whether a node is ``None``."""
    return isinstance(node, ast.Constant) and node.value is None


def is_literal(node: ast.expr) -> bool:
    """Return whether an expression is a constant, an empty list or an empty dict."""
    return (
        isinstance(node, ast.Constant)
        or (isinstance(node, ast.List) and not node.elts)
        or (isinstance(node, ast.Dict) and not node.keys)
    )
