"""The names of a module while it is emitted: their scopes, and what is known of their values."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from neuralens_build.compiler.effects import Effects
from neuralens_build.compiler.kinds import Kind, Known
from neuralens_build.compiler.language import ACCESS, NATIVE, TAKEN
from neuralens_build.compiler.records import Record
from neuralens_build.compiler.refusal import CompileError
from neuralens_build.names import ADAPTER


@dataclass
class Scope:
    """The names of a function or module."""

    # The names that it binds.
    names: set[str]
    # Those that are already declared, as parameters or by statements.
    declared: set[str] = field(default_factory=set)
    # The names that always hold values of a kind.
    kinds: dict[Kind, set[str]] = field(default_factory=dict)


def bound_in(body: list[ast.stmt], *apart: type[ast.stmt]) -> set[str]:
    """Return the names that statements bind in their function, without those of inner functions.

    Statements of the types ``apart`` do not count.
    """
    names: set[str] = set()
    outer: set[str] = set()
    for node in statements(body):
        if isinstance(node, apart):
            continue
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outer |= set(node.names)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
            names |= {node.target.id} if isinstance(node.target, ast.Name) else set()
    return names - outer


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and their nested statements, without those of inner functions."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)


def origins_of_imports(tree: ast.Module) -> dict[str, str | None]:
    """Return the module from which a module imports each name."""
    return {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def spell(name: str) -> str:
    """Return the JavaScript name of a variable."""
    return f"{name}$" if name in TAKEN else name


@dataclass(frozen=True)
class Facts:
    """What is known of a program when one of its modules is emitted.

    ``records`` are its record classes, ``known`` the inferred kinds of the module's values,
    ``outside`` the names of globals, and ``effects`` those of the program's functions.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    known: Sequence[Known] = ()
    outside: frozenset[str] = frozenset()
    effects: Effects | None = None


class Scopes:
    """The scopes of one module; ``file`` is its name in messages."""

    def __init__(self, file: str, tree: ast.Module, facts: Facts) -> None:
        self.file = file
        self.tree = tree
        self.records = facts.records
        self.attributes = {
            part.attribute for record in facts.records.values() for part in record.fields
        }
        self.known = facts.known
        self.effects = facts.effects
        # The names that more than one function may assign.
        self.shared = {
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }
        # The expression that is a statement, so that its value is not used.
        self.unused: ast.expr | None = None
        self.depth = 0
        origins = origins_of_imports(tree)
        adapter = {name for name, origin in origins.items() if origin == ADAPTER}
        self.access = adapter & ACCESS.keys()
        self.window = adapter & {"window"}
        names = bound_in(tree.body) | origins.keys() | facts.outside
        kinds = {known.kind: set(known.names) for known in facts.known}
        self.scopes = [Scope(names, kinds=kinds)]
        self.library: set[str] = set()

    def refuse(self, node: ast.AST, reason: str, remedy: str) -> CompileError:
        """Return the error for an unsupported construct, with its remedy."""
        return CompileError(self.file, node, reason, remedy)

    def is_bound(self, name: str) -> bool:
        """Return whether a name is bound in the program, and so no builtin or global."""
        return any(name in scope.names for scope in self.scopes)

    def is_module_name(self, name: str) -> bool:
        """Return whether a name means here what it means at the top of the module."""
        return not any(name in scope.names for scope in self.scopes[1:])

    def is_native(self, node: ast.AST) -> bool:
        """Return whether a node is a name of JavaScript in the adapter."""
        is_adapter = self.file.endswith("ffi_javascript.py")
        return is_adapter and isinstance(node, ast.Name) and node.id in NATIVE

    def is_builtin(self, node: ast.AST, name: str, count: int) -> bool:
        """Return whether a node is a call of a builtin with so many arguments."""
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == name
            and len(node.args) == count
            and not node.keywords
            and not self.is_bound(name)
        )

    def is_of(self, kind: Kind, node: ast.expr) -> bool:
        """Return whether a value is known to be of a kind."""
        hidden = {name for scope in self.scopes[1:] for name in scope.names}
        return any(
            replace(known, functions=known.functions - hidden).hold(node, self.names_of(kind))
            for known in self.known
            if known.kind == kind
        )

    def names_of(self, kind: Kind) -> set[str]:
        """Return the names in scope that are known to be of a kind."""
        names: set[str] = set()
        for scope in self.scopes:
            names = names - scope.names | scope.kinds.get(kind, set())
        return names

    def has_effects(self, node: ast.expr | None) -> bool:
        """Return whether the evaluation of an expression may change something."""
        return self.effects is not None and self.effects.has(node)

    def changes(self, function: ast.expr | None) -> bool:
        """Return whether a function is known to have an effect."""
        if isinstance(function, ast.Lambda):
            return self.has_effects(function.body)
        changing = self.effects.changing if self.effects else frozenset()
        return isinstance(function, ast.Name) and function.id in changing

    def is_steady(self, node: ast.expr) -> bool:
        """Return whether no call can change the value of an expression."""
        if isinstance(node, ast.Name):
            return node.id not in self.shared
        if isinstance(node, ast.BinOp):
            return self.is_steady(node.left) and self.is_steady(node.right)
        if self.is_builtin(node, "str", 1):
            return self.is_steady(node.args[0])  # type: ignore[attr-defined]
        return isinstance(node, ast.Constant)

    def refuse_order(self, node: ast.AST, first: ast.expr, second: ast.expr) -> None:
        """Refuse two expressions that JavaScript evaluates in the other order, if it matters."""
        pairs = ((first, second), (second, first))
        if any(self.has_effects(one) and not self.is_steady(other) for one, other in pairs):
            raise self.refuse(
                node,
                f"JavaScript evaluates `{ast.unparse(second)}` before `{ast.unparse(first)}`",
                "one of them into a variable first",
            )

    def declare(self, name: str) -> str:
        """Return the declaration of a name at its first assignment, otherwise "".

        By ``var``, which is function-scoped like Python's variables.
        """
        scope = self.scopes[-1]
        if name not in scope.names or name in scope.declared:
            return ""
        scope.declared.add(name)
        return "var "

    def enter(self, arguments: ast.arguments, body: list[ast.stmt]) -> None:
        """Enter the scope of a function."""
        names = {part.arg for part in arguments.args}
        if arguments.vararg is not None and arguments.vararg.arg != "_":
            names.add(arguments.vararg.arg)
        bound = bound_in(body)
        self.refuse_unset(body, names)
        kinds = {}
        # The only default is None, whatever the annotation says.
        optional = arguments.args[len(arguments.args) - len(arguments.defaults) :]
        for known in self.known:
            given = {
                part.arg
                for part in arguments.args
                if known.kind.names(part.annotation)
                and part.arg not in bound
                and part not in optional
            }
            around = self.names_of(known.kind) - names - bound
            kinds[known.kind] = given | known.find(body, around | given, bound - names)
        self.scopes.append(Scope(names | bound, names, kinds))

    def refuse_unset(self, body: list[ast.stmt], parameters: set[str]) -> None:
        """Refuse an augmented assignment of a variable without a value."""
        for node in statements(body):
            target = node.target if isinstance(node, ast.AugAssign) else None
            name = target.id if isinstance(target, ast.Name) else ""
            if name in bound_in(body) - parameters - bound_in(body, ast.AugAssign):
                raise self.refuse(
                    node,
                    f"{name} is local to this function, and has no value yet",
                    f"`nonlocal {name}` or `global {name}` above it, or assign it first",
                )
