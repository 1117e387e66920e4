"""Record classes: named fields and nothing else, which compile to plain objects.

A record class has no base and no method but ``__init__``, and that only assigns its parameters, or
literals, to public attributes:

    class Item:
        def __init__(self, element: Any, kind: str, ids: list[str]) -> None:
            self.element = element
            self.kind = kind
            self.ids = ids
            self.rank = None

``Item(a, b, c)`` becomes ``{ element$: a, kind$: b, ids$: c, rank$: null }``. The bundler shortens
every property that ends in MARK, alike in the whole bundle. There may be any number of objects. All
other classes are singletons, which the linker takes apart.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from neuralens_build.compiler.language import METHODS
from neuralens_build.compiler.refusal import CompileError

# The end of a property's name that the bundler may change; no name in Python has it.
MARK = "$"
FORM = "only `self.name = parameter` and `self.name = literal`, each name and parameter once"


@dataclass(frozen=True)
class Field:
    """An attribute, the parameter that it is given by, if it is, and its value otherwise.

    ``annotation`` is that of the parameter.
    """

    attribute: str
    parameter: str | None
    value: ast.expr
    annotation: ast.expr | None = None


@dataclass(frozen=True)
class Record:
    """A record class: its parameters, how many must be given, and its attributes.

    The attributes that parameters give come first, in the order of the parameters.
    """

    name: str
    parameters: tuple[str, ...]
    least: int
    fields: tuple[Field, ...]


def is_record(node: ast.ClassDef) -> bool:
    """Tell whether a class is meant to be a record: it has public attributes and no method."""
    methods = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
    attributes = {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
    }
    is_public = bool(attributes) and not any(name.startswith("_") for name in attributes)
    return methods == ["__init__"] and is_public and not node.bases


def read_record(file: str, node: ast.ClassDef) -> Record:
    """Return a record class; CompileError where it does anything but hold its fields."""
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
    """Return what one statement of ``__init__`` gives the record; None for any other statement.

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
    """Tell whether a node is ``None``."""
    return isinstance(node, ast.Constant) and node.value is None


def is_literal(node: ast.expr) -> bool:
    """Tell whether an expression is the same whenever it is evaluated, or empty."""
    return (
        isinstance(node, ast.Constant)
        or (isinstance(node, ast.List) and not node.elts)
        or (isinstance(node, ast.Dict) and not node.keys)
    )
