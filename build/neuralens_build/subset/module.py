"""Static analysis of a module: scopes, bindings, and kinds of values."""

import ast
import importlib.util
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, overload

from neuralens_build.names import PACKAGE
from neuralens_build.subset.stripping import is_docstring

# Kinds of values.
TEXT, NUMBER, BOOL, NONE, LIST, TUPLE, DICT = (
    "str",
    "number",
    "bool",
    "None",
    "list",
    "tuple",
    "dict",
)
ERROR, VIEW = "exception", "view"

ANNOTATED = {
    "str": TEXT,
    "int": NUMBER,
    "float": NUMBER,
    "bool": BOOL,
    "None": NONE,
    "list": LIST,
    "tuple": TUPLE,
    "dict": DICT,
}
CALLED = {
    "str": TEXT,
    "chr": TEXT,
    "len": NUMBER,
    "int": NUMBER,
    "float": NUMBER,
    "abs": NUMBER,
    "min": NUMBER,
    "max": NUMBER,
    "ord": NUMBER,
    "bool": BOOL,
    "isinstance": BOOL,
    "hasattr": BOOL,
    "callable": BOOL,
    "all": BOOL,
    "any": BOOL,
    "list": LIST,
    "range": TUPLE,
    "sorted": LIST,
    "dict": DICT,
    "tuple": TUPLE,
}
METHODS = {
    "join": TEXT,
    "lower": TEXT,
    "strip": TEXT,
    "lstrip": TEXT,
    "rstrip": TEXT,
    "replace": TEXT,
    "format": TEXT,
    "split": LIST,
    "rsplit": LIST,
    "find": NUMBER,
    "rfind": NUMBER,
    "startswith": BOOL,
    "endswith": BOOL,
    "isdigit": BOOL,
    "isalpha": BOOL,
    "isspace": BOOL,
}
VIEWS = ("keys", "values", "items")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
Node = TypeVar("Node", bound=ast.AST)


@dataclass
class Binding:
    """A binding of a name; ``node`` is the statement or clause that binds it.

    ``iterated`` is what a loop runs over.
    """

    node: ast.AST
    value: ast.expr | None = None
    kind: str | None = None
    iterated: ast.expr | None = None


@dataclass
class Scope:
    """The names that a function or module binds."""

    node: ast.AST
    names: dict[str, list[Binding]] = field(default_factory=dict)
    outward: set[str] = field(default_factory=set)

    def bind(self, name: str, binding: Binding) -> None:
        """Add a binding of name."""
        self.names.setdefault(name, []).append(binding)


class Library:
    """Loads and caches the modules that a module imports."""

    def __init__(self) -> None:
        self.modules: dict[Path, Module | None] = {}
        # The module of each function.
        self.homes: dict[ast.AST, Module] = {}

    def find(self, name: str, beside: str) -> "Module | None":
        """Return the module with a dotted name, searched next to ``beside``, or None."""
        path = next((path for path in candidates(name, beside) if path.is_file()), None)
        return self.read(path) if path else None

    def around(self, file: str) -> "list[Module | None]":
        """Return the other modules of the package that a file belongs to."""
        parents = Path(file).absolute().parents
        package = next((parent for parent in parents if parent.name == PACKAGE), None)
        others = sorted(package.rglob("*.py")) if package else []
        return [self.read(path) for path in others if path != Path(file).absolute()]

    def read(self, path: Path) -> "Module | None":
        """Return the module in a file; None while it is being read, for circular imports."""
        if path not in self.modules:
            self.modules[path] = None
            self.modules[path] = Module(path.read_text("utf-8"), str(path), self)
        return self.modules[path]


def candidates(name: str, beside: str) -> Iterator[Path]:
    """Yield the files that may contain the module with a dotted name."""
    roots = [parent.parent for parent in Path(beside).absolute().parents if parent.name == PACKAGE]
    installed = importlib.util.find_spec(PACKAGE)
    if installed is not None and installed.origin is not None:
        roots.append(Path(installed.origin).parent.parent)
    for root in roots:
        path = root.joinpath(*name.split("."))
        yield from (path.with_suffix(".py"), path.with_suffix(".pyi"), path / "__init__.py")


class Module:
    """One module: its nodes (annotations and docstrings aside), parents, scopes and imports.

    Raises SyntaxError if the source is not Python.
    """

    def __init__(self, source: str, filename: str, library: Library) -> None:
        self.filename = filename
        self.library = library
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(source, filename)
            # What the grammar alone allows: `break` outside of a loop, a parameter twice.
            compile(self.tree, filename, "exec", dont_inherit=True)
        self.parents: dict[ast.AST, ast.AST] = {}
        self.annotations: dict[ast.AST, ast.expr] = {}
        self.nodes: list[ast.AST] = []
        self.collect(self.tree)
        self.scopes: dict[ast.AST, Scope] = {}
        self.attributes: dict[tuple[ast.AST, str], list[Binding]] = {}
        self.bind_names()
        self.kinds: dict[ast.AST, str | None] = {}

    # The tree

    def collect(self, node: ast.AST) -> None:
        """Record every node and its parent, without annotations and docstrings."""
        self.nodes.append(node)
        body = getattr(node, "body", None)
        documented = isinstance(node, DOCUMENTED)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST):
                    continue
                if name in ("annotation", "returns") and isinstance(child, ast.expr):
                    self.annotations[node] = child
                    continue
                self.parents[child] = node
                if documented and body and child is body[0] and is_docstring(child):
                    continue
                self.collect(child)

    @overload
    def walk(self, one: type[Node], /) -> Iterator[Node]: ...

    @overload
    def walk(self, *types: type[ast.AST]) -> Iterator[Any]: ...

    def walk(self, *types: type[ast.AST]) -> Iterator[Any]:
        """Yield the nodes of the given types."""
        return (node for node in self.nodes if isinstance(node, types))

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the ancestors of a node, nearest first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def function(self, node: ast.AST) -> ast.AST:
        """Return the enclosing function of a node, or the module."""
        return next((a for a in self.ancestors(node) if isinstance(a, FUNCTIONS)), self.tree)

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the enclosing class of a node."""
        return next((a for a in self.ancestors(node) if isinstance(a, ast.ClassDef)), None)

    # Names

    def bind_names(self) -> None:
        """Fill the scopes: which names each function binds, and the attributes of each class."""
        self.scopes[self.tree] = Scope(self.tree)
        for function in self.walk(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
            scope = self.scopes[function] = Scope(function)
            self.library.homes[function] = self
            for argument in parameters(function.args):
                annotation = self.annotations.get(argument)
                scope.bind(argument.arg, Binding(argument, kind=self.annotated(annotation)))
        for declared in self.walk(ast.Global, ast.Nonlocal):
            self.scopes[self.function(declared)].outward |= set(declared.names)
        for node in self.nodes:
            self.bind_node(node)

    def bind_node(self, node: ast.AST) -> None:
        """Record the bindings of one statement or clause."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.bind_target(target, Binding(node, value=node.value))
        elif isinstance(node, ast.AnnAssign):
            kind = self.annotated(self.annotations.get(node))
            self.bind_target(node.target, Binding(node, value=node.value, kind=kind))
        elif isinstance(node, ast.AugAssign):
            value = ast.BinOp(left=node.target, op=node.op, right=node.value)
            self.bind_target(node.target, Binding(node, value=value))
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self.bind_loop(node)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self.scope_of(node, node.name).bind(node.name, Binding(node, kind=ERROR))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(self.parents[node], ast.ClassDef):
                self.attributes.setdefault((self.parents[node], node.name), []).append(
                    Binding(node)
                )
            else:
                self.scope_of(node, node.name).bind(node.name, Binding(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = (alias.asname or alias.name).split(".")[0]
                self.scope_of(node, name).bind(name, Binding(node))

    def annotated(self, annotation: ast.expr | None) -> str | None:
        """Return the kind that an annotation names, or that its alias stands for."""
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        if isinstance(annotation, ast.Constant) and annotation.value is None:
            return NONE
        if not isinstance(annotation, ast.Name):
            return None
        return ANNOTATED.get(annotation.id) or self.aliased(annotation.id)

    def returned(self, function: ast.AST | None) -> str | None:
        """Return the kind of what a function returns, by its annotation in its own module."""
        home = self.library.homes.get(function, self) if function else self
        return home.annotated(getattr(function, "returns", None))

    def aliased(self, name: str) -> str | None:
        """Return the kind of a type that the module defines or imports."""
        for node in self.tree.body:
            if isinstance(node, ast.AnnAssign) and is_name(node.target, name):
                return self.annotated(node.value)
            if isinstance(node, ast.ClassDef) and node.name == name:
                return DICT if any(is_name(base, "TypedDict") for base in node.bases) else None
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        module = self.library.find(node.module or "", self.filename)
                        return module.aliased(alias.name) if module else None
        return None

    def bind_loop(self, loop: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        """Record the bindings of a loop; ``range`` yields numbers, and a string yields strings."""
        kind = NUMBER if called(loop.iter) == "range" else None
        self.bind_target(loop.target, Binding(loop, kind=kind, iterated=loop.iter))

    def bind_target(self, target: ast.AST, binding: Binding) -> None:
        """Record an assignment to a name, an attribute of self, or a tuple of these."""
        if isinstance(target, ast.Name):
            holder = self.parents.get(binding.node)
            if isinstance(holder, ast.ClassDef):
                self.attributes.setdefault((holder, target.id), []).append(binding)
            else:
                self.scope_of(binding.node, target.id).bind(target.id, binding)
        elif isinstance(target, ast.Attribute):
            owner = self.enclosing_class(binding.node)
            if owner is not None and is_name(target.value, "self"):
                self.attributes.setdefault((owner, target.attr), []).append(binding)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self.bind_target(part, Binding(binding.node))

    def scope_of(self, node: ast.AST, name: str) -> Scope:
        """Return the scope in which a statement at node binds name."""
        scope = self.scopes[self.function(node)]
        while name in scope.outward and scope.node is not self.tree:
            scope = self.scopes[self.function(scope.node)]
            if name in scope.names:
                break
        return scope

    def bindings(self, name: ast.Name) -> list[Binding]:
        """Return the bindings of a name at its use; none for a builtin or unknown name."""
        place: ast.AST = name
        while True:
            place = self.function(place)
            found = self.scopes[place].names.get(name.id)
            if found is not None and name.id not in self.scopes[place].outward:
                return found
            if place is self.tree:
                return found or []

    def imported(self, binding: Binding, name: str) -> "tuple[Module, list[Binding]]":
        """Return the module and the bindings behind a name that this module imports.

        For any other name, there are no bindings.
        """
        node = binding.node
        if not isinstance(node, ast.ImportFrom) or not node.module:
            return self, []
        origin = next((a.name for a in node.names if (a.asname or a.name) == name), name)
        module = self.library.find(node.module, self.filename)
        found = module.scopes[module.tree].names.get(origin) if module else None
        return (module, found) if module and found else (self, [])

    def definition(self, name: ast.Name) -> ast.AST | None:
        """Resolve a name to a function or class, in this module or the one it is imported from."""
        for binding in self.bindings(name):
            if isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                return binding.node
            _, others = self.imported(binding, name.id)
            for other in others:
                if isinstance(other.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    return other.node
        return None

    def methods(self, name: str, *, anywhere: bool = False) -> list[ast.FunctionDef]:
        """Return the methods of that name of the classes here and in the imported modules.

        ``anywhere``: in all modules of this module's package.
        """
        if anywhere:
            others = self.library.around(self.filename)
        else:
            imports = self.walk(ast.ImportFrom)
            others = [self.library.find(node.module or "", self.filename) for node in imports]
        return [
            binding.node
            for module in [self, *filter(None, others)]
            for (_, attribute), bindings in module.attributes.items()
            for binding in bindings
            if attribute == name and isinstance(binding.node, ast.FunctionDef)
        ]

    def attribute_names(self) -> set[str]:
        """Return the attributes and methods of all classes here and in the package around."""
        others = self.library.around(self.filename)
        modules = [self, *(module for module in others if module is not None)]
        return {name for module in modules for _, name in module.attributes}

    # Kinds

    def kind(self, node: ast.AST | None) -> str | None:
        """Return the kind of an expression, or None if it is unknown."""
        if node is None:
            return None
        if node not in self.kinds:
            self.kinds[node] = None  # remains for circular definitions
            self.kinds[node] = self.infer(node)
        return self.kinds[node]

    def infer(self, node: ast.AST) -> str | None:
        """Infer the kind of an expression."""
        if isinstance(node, ast.Constant):
            return constant_kind(node.value)
        if isinstance(node, ast.Name):
            return self.common(node.id, self.bindings(node))
        if isinstance(node, ast.Attribute):
            owner = self.enclosing_class(node)
            if owner is None or not is_name(node.value, "self"):
                return None
            return self.common(node.attr, self.attributes.get((owner, node.attr), []))
        if isinstance(node, ast.BinOp):
            return self.infer_operation(node)
        if isinstance(node, ast.BoolOp):
            return same(self.kind(value) for value in node.values)
        if isinstance(node, ast.IfExp):
            return same(self.kind(value) for value in (node.body, node.orelse))
        if isinstance(node, ast.UnaryOp):
            return BOOL if isinstance(node.op, ast.Not) else NUMBER
        if isinstance(node, ast.Subscript):
            value = self.kind(node.value)
            return value if isinstance(node.slice, ast.Slice) or value == TEXT else None
        if isinstance(node, ast.Call):
            return self.infer_call(node)
        displays = {
            ast.JoinedStr: TEXT,
            ast.List: LIST,
            ast.ListComp: LIST,
            ast.Tuple: TUPLE,
            ast.Dict: DICT,
            ast.Compare: BOOL,
            ast.ExceptHandler: ERROR,
        }
        return displays.get(type(node))

    def common(self, name: str, bindings: list[Binding]) -> str | None:
        """Return the kind that all bindings of a name share.

        An augmented assignment keeps the kind.
        """
        kinds = []
        for binding in bindings:
            if isinstance(binding.node, ast.AugAssign) and len(bindings) > 1:
                continue
            kind = binding.kind or self.kind(binding.value)
            if kind is None and self.kind(binding.iterated) == TEXT:
                kind = TEXT
            module, others = self.imported(binding, name)
            if others:
                kind = module.common(name, others)
            kinds.append(kind)
        return same(kinds)

    def infer_operation(self, node: ast.BinOp) -> str | None:
        """Infer the kind of an arithmetic expression."""
        kinds = (self.kind(node.left), self.kind(node.right))
        if isinstance(node.op, ast.Add):
            known = (TEXT, NUMBER, LIST, TUPLE)
            return next((kind for kind in known if kind in kinds), same(kinds))
        if isinstance(node.op, ast.Mult):
            return next((kind for kind in (TEXT, LIST, TUPLE) if kind in kinds), NUMBER)
        return TEXT if kinds[0] == TEXT else NUMBER

    def infer_call(self, node: ast.Call) -> str | None:
        """Infer the kind of a call's result."""
        function = node.func
        if isinstance(function, ast.Name):
            if not self.bindings(function):
                return CALLED.get(function.id)
            made = self.definition(function)
            return self.returned(made)
        if isinstance(function, ast.Attribute):
            own = self.methods(function.attr)
            if own:
                return same(self.returned(method) for method in own)
            if function.attr in VIEWS and not node.args:
                return VIEW
            if function.attr == "copy":
                return self.kind(function.value)
            return METHODS.get(function.attr)
        return None


def same(kinds: "Iterator[str | None] | list[str | None] | tuple[str | None, ...]") -> str | None:
    """Return the common kind; None if they differ or one is unknown."""
    distinct = set(kinds)
    return distinct.pop() if len(distinct) == 1 else None


def constant_kind(value: object) -> str | None:
    """Return the kind of a literal."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | float):
        return NUMBER
    return TEXT if isinstance(value, str) else None


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function."""
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred]


def is_name(node: ast.AST | None, name: str) -> bool:
    """Return whether a node is a certain name."""
    return isinstance(node, ast.Name) and node.id == name


def called(node: ast.AST | None) -> str | None:
    """Return the plain name that a node calls, or None."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return None


def method_called(node: ast.AST | None) -> str | None:
    """Return the name of the method that a node calls, or None."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr
    return None


def within(root: ast.AST | list[ast.stmt], *types: type[ast.AST]) -> Iterator[Any]:
    """Yield the nodes of the given types in root, itself included."""
    for top in root if isinstance(root, list) else [root]:
        for node in ast.walk(top):
            if isinstance(node, types):
                yield node
