"""Infers which values of a program are always scalars, and which are always lists.

A scalar is text, a number or a bool, and so never None. Comparisons of values that may be None must
treat null and undefined alike; if one of them is a scalar, ``===`` suffices. A known list needs no
copy for iteration. The inference uses annotations, which mypy checks, and literals.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from neuralens_build.compiler.records import Record


@dataclass(frozen=True)
class Kind:
    """A kind of value: its annotations, and the nodes, builtins and methods that produce it."""

    annotations: frozenset[str]
    nodes: tuple[type[ast.expr], ...]
    builtins: frozenset[str]
    methods: frozenset[str]

    def names(self, annotation: ast.expr | None) -> bool:
        """Return whether an annotation denotes this kind.

        A list of browser objects may be a NodeList, which has few of an array's methods.
        """
        if isinstance(annotation, ast.Subscript) and names_type(annotation.slice) != BROWSER_OBJECT:
            annotation = annotation.value
        return names_type(annotation) in self.annotations

    def makes(self, node: ast.expr) -> bool:
        """Return whether a literal or operator produces this kind."""
        return isinstance(node, self.nodes) and not (
            isinstance(node, ast.Constant) and node.value is None
        )


# The alias of ``types`` for objects of the browser.
BROWSER_OBJECT = "JSObject"


def names_type(annotation: ast.expr | None) -> str | None:
    """Return the name of the type that an annotation is, if it is a mere name."""
    return annotation.id if isinstance(annotation, ast.Name) else None


SCALAR = Kind(
    frozenset(("str", "int", "float", "bool")),
    (ast.Constant, ast.BinOp, ast.JoinedStr, ast.Compare, ast.UnaryOp),
    frozenset(("str", "int", "float", "abs", "isinstance", "len", "max", "min")),
    frozenset(("endswith", "find", "join", "lower", "replace", "startswith", "strip")),
)
LIST = Kind(
    frozenset(("list",)),
    (ast.List, ast.ListComp),
    frozenset(("list", "range", "sorted")),
    frozenset(("keys", "split")),
)


@dataclass(frozen=True)
class Known:
    """The names, functions (by return value) and record attributes of a kind, in one module."""

    kind: Kind
    names: frozenset[str]
    functions: frozenset[str]
    attributes: frozenset[str]

    def hold(self, node: ast.expr, names: frozenset[str] | set[str]) -> bool:
        """Return whether an expression is of the kind, given the names in scope that are."""
        if isinstance(node, ast.Name):
            return node.id in names
        if isinstance(node, ast.Attribute):
            return node.attr in self.attributes
        if isinstance(node, ast.BoolOp):
            # The value of ``or`` is truthy, and so not None, or the last operand. A truthy one may
            # still be a NodeList.
            is_last = isinstance(node.op, ast.Or) and self.kind is SCALAR
            needed = node.values[-1:] if is_last else node.values
            return all(self.hold(value, names) for value in needed)
        if isinstance(node, ast.IfExp):
            return self.hold(node.body, names) and self.hold(node.orelse, names)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                return node.func.id in self.functions
            return isinstance(node.func, ast.Attribute) and node.func.attr in self.kind.methods
        return self.kind.makes(node)

    def find(
        self, body: list[ast.stmt], known: frozenset[str] | set[str], candidates: set[str]
    ) -> set[str]:
        """Return which candidates are only assigned values of the kind in these statements.

        ``known`` are the names of the enclosing scope that are of the kind.
        """
        found: set[str] = set()
        values: dict[str, list[ast.expr | None]] = {name: [] for name in candidates}
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
    """Yield each name that statements bind, with the assigned value or None.

    ``x += y`` does not change the kind, so it is left out.
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
    """Return the known values of a kind for each module of a program, by its name.

    These are constants that the module defines or imports, and the functions and record attributes
    of all modules, whose names are unique.
    """
    program = Known(
        kind,
        frozenset(),
        functions_of(kind, trees.values()),
        attributes_of(kind, records.values()),
    )
    size = -1
    while size != len(program.attributes):
        size = len(program.attributes)
        program = replace(program, attributes=program.attributes - set(changed(trees, program)))
    names = {
        module: frozenset(program.find(tree.body, set(), top_level(tree)))
        for module, tree in trees.items()
    }
    return {
        module: replace(program, names=names[module] | imported_of(tree, names))
        for module, tree in trees.items()
    }


def functions_of(kind: Kind, trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return the functions of a program, and the builtins, that return values of a kind."""
    functions = set(kind.builtins)
    for node in (node for tree in trees for node in tree.body):
        if isinstance(node, ast.FunctionDef):
            functions.discard(node.name)
            if kind.names(node.returns):
                functions.add(node.name)
    return frozenset(functions)


def attributes_of(kind: Kind, records: Iterable[Record]) -> frozenset[str]:
    """Return the attributes of records that are of a kind, in each record that has them."""
    attributes: dict[str, bool] = {}
    for field in (field for record in records for field in record.fields):
        is_such = kind.names(field.annotation) or kind.makes(field.value)
        attributes[field.attribute] = attributes.get(field.attribute, True) and is_such
    return frozenset(name for name, is_such in attributes.items() if is_such)


def imported_of(tree: ast.Module, names: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the constants that a module imports, of those that each module is known to have."""
    return frozenset(
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in names.get(node.module or "", frozenset())
    )


def changed(trees: Mapping[str, ast.Module], program: Known) -> Iterator[str]:
    """Yield the attributes to which the program assigns a value that may be of another kind."""
    for node in (node for tree in trees.values() for node in ast.walk(tree)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and not program.hold(node.value, frozenset()):
                    yield target.attr


def top_level(tree: ast.Module) -> set[str]:
    """Return the module-level variables."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
