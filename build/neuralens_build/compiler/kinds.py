"""What a program says of its values: which always are scalars, and which always are lists.

A scalar is one text, number or bool, and so never None. Two values that may be None are compared so
that null equals undefined; where one of them is a scalar, JavaScript's own comparison will do. What
is known to be a list needs no copy to be gone through as one. Annotations, which mypy checks, and
literals tell.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neuralens_build.compiler.records import Record


@dataclass(frozen=True)
class Kind:
    """A kind of value: its names in annotations; the nodes, builtins and methods that make it."""

    annotations: frozenset[str]
    nodes: tuple[type[ast.expr], ...]
    builtins: frozenset[str]
    methods: frozenset[str]

    def names(self, annotation: ast.expr | None) -> bool:
        """Tell whether an annotation names this kind."""
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        return isinstance(annotation, ast.Name) and annotation.id in self.annotations

    def makes(self, node: ast.expr) -> bool:
        """Tell whether a literal or an operator makes a value of this kind."""
        return isinstance(node, self.nodes) and not (
            isinstance(node, ast.Constant) and node.value is None
        )


SCALAR = Kind(
    frozenset(("str", "int", "float", "bool")),
    (ast.Constant, ast.BinOp, ast.JoinedStr, ast.Compare, ast.UnaryOp),
    frozenset(("str", "int", "float", "abs", "isinstance", "len")),
    frozenset(("endswith", "find", "join", "lower", "replace", "startswith", "strip")),
)
# What is annotated as a list may be a NodeList of the browser's.
LIST = Kind(
    frozenset(),
    (ast.List, ast.ListComp),
    frozenset(("list", "range", "sorted")),
    frozenset(("keys", "split")),
)


@dataclass(frozen=True)
class Known:
    """The names, the functions and the attributes of records that a module knows to be of a kind.

    Of a function it is what the function returns.
    """

    kind: Kind
    names: frozenset[str]
    functions: frozenset[str]
    attributes: frozenset[str]

    def hold(self, node: ast.expr, names: frozenset[str] | set[str]) -> bool:
        """Tell whether a value is of the kind; ``names`` are those that are, where it stands."""
        if isinstance(node, ast.Name):
            return node.id in names
        if isinstance(node, ast.Attribute):
            return node.attr in self.attributes
        if isinstance(node, ast.BoolOp):
            # What ``or`` gives is true, or the last.
            needed = node.values[-1:] if isinstance(node.op, ast.Or) else node.values
            return all(self.hold(value, names) for value in needed)
        if isinstance(node, ast.IfExp):
            return self.hold(node.body, names) and self.hold(node.orelse, names)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                return node.func.id in self.functions
            return isinstance(node.func, ast.Attribute) and node.func.attr in self.kind.methods
        return self.kind.makes(node)

    def find(
        self, body: list[ast.stmt], known: frozenset[str] | set[str], wanted: set[str]
    ) -> set[str]:
        """Return which of the wanted names are only ever assigned such values in these statements.

        ``known`` are the names around them that are.
        """
        found: set[str] = set()
        values: dict[str, list[ast.expr | None]] = {name: [] for name in wanted}
        for name, value in bindings(body):
            if name in values:
                values[name].append(value)
        size = -1
        while size < len(found):
            size = len(found)
            around = set(known) | found
            found |= {
                name
                for name, given in values.items()
                if given and all(value and self.hold(value, around) for value in given)
            }
        return found


def bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield each name that statements bind, with its value where an assignment gives one.

    ``x += y`` changes no kind.
    """
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            yield node.target.id, None
        elif isinstance(node, ast.arg):
            yield node.arg, None
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler) and node.name:
            yield node.name, None


def read_known(
    kind: Kind, trees: Mapping[str, ast.Module], records: Mapping[str, Record]
) -> dict[str, Known]:
    """Return what each module of a program knows of a kind, by the module's name.

    A module knows constants that it defines or imports, and of all modules the functions, whose
    names are unique, and the attributes of records.
    """
    functions = set(kind.builtins)
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                functions.discard(node.name)
                if kind.names(node.returns):
                    functions.add(node.name)
    attributes: dict[str, bool] = {}
    for record in records.values():
        for field in record.fields:
            is_such = kind.names(field.annotation) or kind.makes(field.value)
            attributes[field.attribute] = attributes.get(field.attribute, True) and is_such
    program = Known(
        kind,
        frozenset(),
        frozenset(functions),
        frozenset(name for name, is_such in attributes.items() if is_such),
    )
    names = {
        module: frozenset(program.find(tree.body, set(), top_level(tree)))
        for module, tree in trees.items()
    }
    known = {}
    for module, tree in trees.items():
        imported = {
            alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name in names.get(node.module or "", frozenset())
        }
        known[module] = Known(kind, names[module] | imported, program.functions, program.attributes)
    return known


def top_level(tree: ast.Module) -> set[str]:
    """Return the names of the values at the top of a module."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
