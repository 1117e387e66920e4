"""Emits JavaScript for the syntax tree of a module; raises CompileError for unsupported constructs.

Each node type has one method: ``emit_`` and its name for expressions, ``run_`` and its name for
statements. Operators, builtins and methods are emitted by the tables of ``language``. None becomes
null or undefined, a list or tuple an array, a dict an object, and a record an object with its
class's attributes as properties.
"""

import ast
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from neuralens_build.compiler.code import Code, Part, join, place_of
from neuralens_build.compiler.effects import Effects
from neuralens_build.compiler.kinds import LIST, SCALAR, Kind, Known
from neuralens_build.compiler.language import (
    ACCESS,
    ADAPTER,
    AND,
    ARITHMETIC,
    ASSIGNMENT,
    ATOM,
    BUILTINS,
    COMPARISON,
    EQUALITY,
    EXCEPTIONS,
    GLOBALS,
    LOWEST,
    MEMBER,
    METHODS,
    NATIVE,
    NUMBER,
    OR,
    PRODUCT,
    RAISED,
    REMEDIES,
    REPLACEMENTS,
    TAKEN,
    TYPES,
    UNARY,
    Template,
)
from neuralens_build.compiler.linker import MEMBER as MEMBER_OF_OBJECT
from neuralens_build.compiler.records import MARK, Record, is_none
from neuralens_build.compiler.refusal import CompileError

INDENT = "  "
LIBRARY_FILE = "library.js"
# The largest integer up to which JavaScript is exact.
MOST = 2**53
# Precedes module-level calls without side effects, so that unused results are tree-shaken.
# https://esbuild.github.io/api/#pure
PURE = "/* @__PURE__ */ "
FUNCTIONS = (ast.FunctionDef, ast.Lambda)


@dataclass
class Scope:
    """The names of a function or module."""

    # The names that it binds.
    names: set[str]
    # Those that are already declared, as parameters or by statements.
    declared: set[str] = field(default_factory=set)
    # Those that always hold values of a kind.
    kinds: dict[Kind, set[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counted:
    """A test whether a list or text is empty, or not."""

    items: ast.expr
    is_empty: bool


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


def spell(name: str) -> str:
    """Return the JavaScript name of a variable."""
    return f"{name}$" if name in TAKEN else name


class Emitter:
    """Emits one module; ``file`` is its name in messages.

    ``records`` are the record classes of the program, ``known`` the inferred kinds of the module's
    values, ``outside`` the names of globals, and ``effects`` those of the program's functions.
    """

    def __init__(
        self,
        file: str,
        tree: ast.Module,
        records: Mapping[str, Record],
        known: Sequence[Known] = (),
        outside: frozenset[str] = frozenset(),
        effects: Effects | None = None,
    ) -> None:
        self.file = file
        self.tree = tree
        self.records = records
        self.attributes = {part.attribute for record in records.values() for part in record.fields}
        self.known = known
        self.effects = effects
        # The names that a function around, or another one, may assign.
        self.shared = {
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }
        self.depth = 0
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        taken = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in imports
            for alias in node.names
        }
        self.access = {name for name, (origin, _) in taken.items() if origin == ADAPTER} & set(
            ACCESS
        )
        self.window = {name for name, (origin, _) in taken.items() if origin == ADAPTER} & {
            "window"
        }
        self.scopes = [
            Scope(
                bound_in(tree.body) | taken.keys() | outside,
                kinds={facts.kind: set(facts.names) for facts in known},
            )
        ]
        self.library: set[str] = set()

    # Modules

    def module(self) -> Code:
        """Return an ES module that exports the top-level names."""
        variables = self.variables()
        lines: list[Part] = []
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom):
                lines += [self.emit_import(node)]
            elif isinstance(node, ast.FunctionDef):
                lines += ["export const ", self.function_statement(node), "\n"]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = self.single_target(node)
                lines += ["export let " if name in variables else "export const "]
                lines += [self.first_value(node), "\n"]
            else:
                raise self.refuse(
                    node, "a module has functions and values at its top", "a function"
                )
        return Code((self.import_library(), *lines))

    def wrapped(self, before: str, after: str) -> Code:
        """Return the imports, and the top-level statements between two texts."""
        imports = [node for node in self.tree.body if isinstance(node, ast.ImportFrom)]
        body = [node for node in self.tree.body if not isinstance(node, ast.ImportFrom)]
        lines: list[Part] = [self.emit_import(node) for node in imports]
        self.scopes[0] = Scope(self.scopes[0].names - bound_in(body))
        self.scopes.append(Scope(bound_in(body)))
        function = self.block(body)
        return Code((self.import_library(), *lines, before, "(() => ", function, ")", after))

    def import_library(self) -> str:
        """Return the import of the library functions that the emitted code calls."""
        names = ", ".join(sorted(self.library))
        return f"import {{ {names} }} from './{LIBRARY_FILE}';\n" if names else ""

    def variables(self) -> set[str]:
        """Return the module-level names that are reassigned."""
        return {
            name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Global)
            for name in node.names
        }

    def first_value(self, node: ast.Assign) -> Code:
        """Return ``name = value;``, or ``name;`` for an unset member: undefined suffices."""
        target = node.targets[0]
        is_unset = is_none(node.value) and str(getattr(target, "id", "")).startswith(
            MEMBER_OF_OBJECT
        )
        if is_unset:
            return self.code(node, self.write(target), ";")
        value = self.write(node.value, ASSIGNMENT)
        pure = [PURE] if self.is_call_of_function(node.value) else []
        return self.code(node, self.write(target), " = ", *pure, value, ";")

    def is_call_of_function(self, node: ast.expr) -> bool:
        """Return whether a call is emitted as a call, and not inlined or built as a record."""
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and self.is_bound(node.func.id)
            and node.func.id not in self.access
            and node.func.id not in self.records
        )

    def emit_import(self, node: ast.ImportFrom) -> Code:
        """Return an import, without the adapter functions that are inlined."""
        names = [
            f"{alias.name} as {spell(alias.asname)}" if alias.asname else spell(alias.name)
            for alias in node.names
            if (alias.asname or alias.name) not in self.access and alias.name not in self.records
        ]
        text = f"import {{ {', '.join(names)} }} from './{node.module}.js';\n" if names else ""
        return Code((text,))

    # Names and places

    def refuse(self, node: ast.AST, reason: str, remedy: str) -> CompileError:
        """Return the error for an unsupported construct, with its remedy."""
        return CompileError(self.file, node, reason, remedy)

    def refuse_syntax(self, node: ast.AST) -> CompileError:
        """Return the error for unsupported syntax."""
        name = type(node).__name__
        remedy = REMEDIES.get(name, "it another way")
        return self.refuse(node, f"portable Python has no {name}", remedy)

    def code(self, node: ast.AST, *parts: Part, rank: int = ATOM) -> Code:
        """Return code with the position of a node."""
        return Code(parts, rank, place_of(node))

    def is_bound(self, name: str) -> bool:
        """Return whether a name is bound in the program, and so no builtin or global."""
        return any(name in scope.names for scope in self.scopes)

    def is_of(self, kind: Kind, node: ast.expr) -> bool:
        """Return whether a value is known to be of a kind."""
        return any(
            facts.kind == kind and facts.hold(node, self.names_of(kind)) for facts in self.known
        )

    def names_of(self, kind: Kind) -> set[str]:
        """Return the names in scope that are known to be of a kind."""
        names: set[str] = set()
        for scope in self.scopes:
            names = names - scope.names | scope.kinds.get(kind, set())
        return names

    # Expressions

    def write(self, node: ast.AST, rank: int = LOWEST) -> Code:
        """Return the JavaScript of an expression, parenthesized if needed for the precedence."""
        method = getattr(self, f"emit_{type(node).__name__}", None)
        if method is None:
            raise self.refuse_syntax(node)
        written: Code = method(node)
        return written if written.rank >= rank else self.code(node, "(", written, ")")

    def has_effects(self, node: ast.expr | None) -> bool:
        """Return whether the evaluation of an expression may change something."""
        return self.effects is not None and self.effects.has(node)

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
        """Refuse two expressions that JavaScript evaluates the other way round, if it matters."""
        pairs = ((first, second), (second, first))
        if any(self.has_effects(one) and not self.is_steady(other) for one, other in pairs):
            raise self.refuse(
                node,
                f"JavaScript evaluates `{ast.unparse(second)}` before `{ast.unparse(first)}`",
                "one of them into a variable first",
            )

    def condition(self, node: ast.expr, rank: int = LOWEST) -> Code:
        """Return an expression used as a condition, where ``len(x) > 0`` is just the length."""
        if isinstance(node, ast.BoolOp):
            written = self.emit_BoolOp(node, self.condition)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            written = self.emit_UnaryOp(node)
        else:
            asked = self.counted(node)
            if asked is None or isinstance(asked.items, ast.ListComp):
                return self.write(node, rank)
            length = self.code(node, self.write(asked.items, MEMBER), ".length", rank=MEMBER)
            written = self.code(node, "!", length, rank=UNARY) if asked.is_empty else length
        return written if written.rank >= rank else self.code(node, "(", written, ")")

    def fill(self, node: ast.AST, template: Template, arguments: list[ast.expr]) -> Code:
        """Fill in the arguments of a template."""
        parts: list[Part] = []
        text = template.text
        self.library |= {name for name in text.split("(")[:1] if name.startswith("$")}
        while "{" in text:
            before, _, rest = text.partition("{")
            if not rest[0].isdigit():
                parts.append(before + "{")
                text = rest
                continue
            place = int(rest[0])
            parts += [before, self.write(arguments[place], template.ranks[place])]
            text = rest[2:]
        return self.code(node, *parts, text, rank=template.rank)

    def emit_Constant(self, node: ast.Constant) -> Code:
        """Write text, a number, a bool or None."""
        value = node.value
        if value is None:
            return self.code(node, "null")
        if isinstance(value, bool):
            return self.code(node, "true" if value else "false")
        if isinstance(value, str):
            return self.code(node, json.dumps(value))
        if isinstance(value, int | float) and abs(value) <= MOST:
            return self.code(node, repr(value), rank=NUMBER)
        # Python itself does not write numbers of thousands of digits.
        is_vast = isinstance(value, int) and value.bit_length() > 1000
        shown = "a number of this size" if is_vast else repr(value)
        raise self.refuse(
            node, f"JavaScript has no such value as {shown}", "text, a number up to 2**53 or None"
        )

    def emit_Name(self, node: ast.Name) -> Code:
        """Write a variable; a builtin is called and no value."""
        if node.id in self.records:
            raise self.refuse(node, f"{node.id} is a record class and no value", "a call of it")
        if not self.is_bound(node.id) and not self.is_native(node):
            raise self.refuse(
                node,
                f"`{node.id}` is not a variable here",
                "a lambda that calls it, or another name",
            )
        return self.code(node, node.id if self.is_native(node) else spell(node.id))

    def is_native(self, node: ast.AST) -> bool:
        """Return whether a node is a name of JavaScript in the adapter."""
        is_adapter = self.file.endswith("ffi_javascript.py")
        return is_adapter and isinstance(node, ast.Name) and node.id in NATIVE

    def emit_List(self, node: ast.List | ast.Tuple) -> Code:
        """Write a list or a tuple."""
        items = [self.write(item, ASSIGNMENT) for item in node.elts]
        return self.code(node, "[", *join(", ", items), "]")

    emit_Tuple = emit_List

    def emit_Dict(self, node: ast.Dict) -> Code:
        """Write a dict with string keys."""
        fields = []
        given: list[object] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise self.refuse(
                    node, "a dict is written key by key", "`copy()` and `update(...)`"
                )
            if isinstance(key, ast.Constant) and key.value in given:
                raise self.refuse(key, f"the dict has the key {key.value!r} already", "it once")
            given += [key.value] if isinstance(key, ast.Constant) else []
            fields.append(self.code(key, self.key(key), ": ", self.write(value, ASSIGNMENT)))
        return self.code(node, "{", *join(", ", fields), "}")

    def key(self, node: ast.expr) -> Code:
        """Write a dict's key, unquoted if it is an identifier."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value if node.value.isidentifier() else json.dumps(node.value)
            return self.code(node, text)
        return self.code(node, "[", self.write(node, ASSIGNMENT), "]")

    def emit_BoolOp(
        self, node: ast.BoolOp, write: Callable[[ast.expr, int], Code] | None = None
    ) -> Code:
        """Write ``and`` and ``or``, which return an operand in both languages."""
        text, rank = (" && ", AND) if isinstance(node.op, ast.And) else (" || ", OR)
        values = [(write or self.write)(value, rank) for value in node.values]
        return self.code(node, *join(text, values), rank=rank)

    def emit_UnaryOp(self, node: ast.UnaryOp) -> Code:
        """Write ``not`` and the minus sign."""
        signs: dict[type[ast.unaryop], str] = {ast.Not: "!", ast.USub: "-"}
        sign = signs.get(type(node.op))
        if sign is None:
            raise self.refuse(node, "only `not` and `-` stand in front of a value", "arithmetic")
        if sign == "!":
            return self.code(node, sign, self.condition(node.operand, UNARY), rank=UNARY)
        # Two minus signs in a row would be a decrement.
        return self.code(node, sign, self.write(node.operand, UNARY + 1), rank=UNARY)

    def emit_BinOp(self, node: ast.BinOp) -> Code:
        """Write arithmetic, without redundant ``str`` calls in string concatenation."""
        if isinstance(node.op, ast.FloorDiv):
            return self.fill(node, FLOOR, [node.left, node.right])
        if isinstance(node.op, ast.Mod):
            return self.fill(node, MODULO, [node.left, node.right])
        operator = ARITHMETIC.get(type(node.op))
        if operator is None:
            raise self.refuse(
                node, "JavaScript works on bits in another way", "`+ - * / // % **` on numbers"
            )
        right = node.right
        if isinstance(node.op, ast.Add) and self.is_builtin(right, "str", 1):
            right = right.args[0]  # type: ignore[attr-defined]  # is_builtin says that it is a call
        return self.code(
            node,
            self.write(node.left, operator.left),
            operator.text,
            self.write(right, operator.right),
            rank=operator.rank,
        )

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

    def emit_Compare(self, node: ast.Compare) -> Code:
        """Write a comparison; in a chain, the middle operand is written twice."""
        operands = [node.left, *node.comparators]
        for middle in node.comparators[:-1]:
            if not isinstance(middle, ast.Name | ast.Constant):
                raise self.refuse(
                    middle,
                    "the middle of a chained comparison is worked out twice",
                    "it into a variable first, or `a < b and b < c`",
                )
        pairs = [
            self.comparison(node, left, operator, right)
            for left, operator, right in zip(operands, node.ops, node.comparators, strict=False)
        ]
        if len(pairs) == 1:
            return pairs[0]
        return self.code(node, *join(" && ", pairs), rank=AND)

    def counted(self, node: ast.expr) -> Counted | None:
        """Return the test in ``len(x) > 0`` or ``len(x) == 0``; None for anything else."""
        if not isinstance(node, ast.Compare) or len(node.ops) > 1:
            return None
        operator, call = node.ops[0], node.left
        is_asked = isinstance(operator, ast.Gt | ast.Eq) and is_zero(node.comparators[0])
        if not is_asked or not self.is_builtin(call, "len", 1):
            return None
        items = call.args[0]  # type: ignore[attr-defined]  # is_builtin says that it is a call
        return Counted(items, isinstance(operator, ast.Eq))

    def comparison(
        self, node: ast.Compare, left: ast.expr, operator: ast.cmpop, right: ast.expr
    ) -> Code:
        """Write one comparison; null and undefined are equal unless an operand is a scalar."""
        if isinstance(operator, ast.In | ast.NotIn):
            self.refuse_order(node, left, right)
            keys = self.keys_of(right)
            asked = (
                self.fill(node, INCLUDES, [right, left])
                if keys is None
                else self.fill(node, HAS_OWN, [keys, left])
            )
            is_in = isinstance(operator, ast.In)
            return asked if is_in else self.code(node, "!", asked, rank=UNARY)
        if (
            isinstance(operator, ast.Eq | ast.NotEq)
            and isinstance(left, ast.BinOp)
            and isinstance(left.op, ast.Mod)
            and is_zero(right)
        ):
            # Compared with 0, JavaScript's remainder with its different sign suffices.
            asked = self.fill(left, REMAINDER, [left.left, left.right])
            text = COMPARISON[type(operator)].text
            return self.code(node, asked, text, "0", rank=EQUALITY)
        question = self.counted(node)
        if (
            question is not None
            and isinstance(question.items, ast.ListComp)
            and not self.has_effects(question.items)
        ):
            found = self.emit_any(question.items)
            return self.code(node, "!", found, rank=UNARY) if question.is_empty else found
        written = COMPARISON[type(operator)]
        text = written.text
        if written.rank == EQUALITY and (is_none(left) or is_none(right)):
            text = text.replace("==", "=", 1)
        elif isinstance(operator, ast.Eq | ast.NotEq) and not (
            self.is_of(SCALAR, left) or self.is_of(SCALAR, right)
        ):
            return self.code(
                node, *self.or_null(left), text, *self.or_null(right), rank=written.rank
            )
        return self.code(
            node,
            self.write(left, written.left),
            text,
            self.write(right, written.right),
            rank=written.rank,
        )

    def or_null(self, node: ast.expr) -> list[Part]:
        """Write a value that may be None, with undefined converted to null."""
        # `??` does not mix with `&&` and `||`.
        return ["(", self.write(node, AND + 1), " ?? null)"]

    def emit_IfExp(self, node: ast.IfExp) -> Code:
        """Write ``a if test else b``."""
        return self.code(
            node,
            self.condition(node.test, OR),
            " ? ",
            self.write(node.body, ASSIGNMENT),
            " : ",
            self.write(node.orelse, ASSIGNMENT),
            rank=ASSIGNMENT,
        )

    def emit_JoinedStr(self, node: ast.JoinedStr) -> Code:
        """Write an f-string as a template."""
        parts: list[Part] = ["`"]
        for part in node.values:
            if isinstance(part, ast.Constant):
                text = json.dumps(part.value)[1:-1].replace('\\"', '"')
                parts.append(text.replace("`", "\\`").replace("${", "\\${"))
            elif isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion != -1:
                    raise self.refuse(node, "a value in a text has no format", "`+` and `str(...)`")
                parts += ["${", self.write(part.value), "}"]
        return self.code(node, *parts, "`")

    def emit_Attribute(self, node: ast.Attribute) -> Code:
        """Write an attribute of a record, under a property name that the bundler shortens."""
        if self.is_native(node.value):
            return self.code(node, self.write(node.value), f".{node.attr}", rank=MEMBER)
        if node.attr not in self.attributes:
            raise self.refuse(
                node,
                f"no record class has the attribute {node.attr}",
                "`get(target, name)` for a browser object, `d[key]` for a dict",
            )
        return self.code(node, self.write(node.value, MEMBER), f".{node.attr}{MARK}", rank=MEMBER)

    def emit_Subscript(self, node: ast.Subscript) -> Code:
        """Write an item, or a slice."""
        base = self.write(node.value, MEMBER)
        place = node.slice
        if isinstance(place, ast.Slice):
            if place.step is not None or not isinstance(node.ctx, ast.Load):
                raise self.refuse(node, "a slice has no step and is no target", "a loop")
            ends: list[Part] = [self.write(place.lower, ASSIGNMENT) if place.lower else "0"]
            if place.upper is not None:
                ends += [", ", *self.end_of(place.upper)]
            return self.code(node, base, ".slice(", *ends, ")", rank=MEMBER)
        if isinstance(place, ast.UnaryOp) and isinstance(place.operand, ast.Constant):
            if not isinstance(node.ctx, ast.Load):
                raise self.refuse(node, "an item is assigned by its place", "`xs[len(xs) - 1]`")
            return self.code(node, base, ".at(", self.write(place), ")", rank=MEMBER)
        return self.code(node, base, "[", self.write(place), "]", rank=MEMBER)

    def end_of(self, node: ast.expr) -> list[Part]:
        """Write the end of a slice; None, which means none, must not be null."""
        if self.is_of(SCALAR, node):
            return [self.write(node, ASSIGNMENT)]
        return [self.write(node, AND + 1), " ?? undefined"]

    def emit_Lambda(self, node: ast.Lambda) -> Code:
        """Write a lambda."""
        self.enter(node.args, [])
        parameters = self.parameters(node.args)
        body = self.write(node.body, ASSIGNMENT)
        self.scopes.pop()
        return self.code(node, "(", *parameters, ") => ", *guarded(body), rank=ASSIGNMENT)

    def emit_ListComp(self, node: ast.ListComp) -> Code:
        """Write a comprehension with one loop, by ``filter`` and ``map``."""
        loop, name, tests, value = self.loop_of(node)
        if not tests and value is None:
            return self.code(node, "[...", self.write(loop.iter, ASSIGNMENT), "]")
        parts: list[Part] = [self.as_list(loop.iter)]
        steps = [*loop.ifs, *([] if value is None else [node.elt])]
        if len(steps) > 1 and any(map(self.has_effects, steps)):
            # One item after the other, as what is evaluated for one may decide on the next.
            parts += [f".flatMap(({name}) => ", *join(" && ", tests)]
            return self.code(node, *parts, " ? [", value or name, "] : [])", rank=MEMBER)
        for test in tests:
            parts += [f".filter(({name}) => ", test, ")"]
        if value is not None:
            parts += [f".map(({name}) => ", *guarded(value), ")"]
        return self.code(node, *parts, rank=MEMBER)

    def emit_any(self, node: ast.ListComp) -> Code:
        """Write ``some`` for a test whether a comprehension has items."""
        loop, name, tests, _ = self.loop_of(node)
        test = join(" && ", tests) if tests else ["true"]
        return self.code(
            node, self.as_list(loop.iter), f".some(({name}) => ", *test, ")", rank=MEMBER
        )

    def loop_of(self, node: ast.ListComp) -> tuple[ast.comprehension, str, list[Code], Code | None]:
        """Return a comprehension's loop, the name of its item, its tests, and its value.

        The value is None where that is the item itself.
        """
        loop = node.generators[0]
        if len(node.generators) > 1 or not isinstance(loop.target, ast.Name) or loop.is_async:
            raise self.refuse(node, "a comprehension has one loop with one name", "loops")
        for part in ast.walk(node):
            if isinstance(part, ast.Lambda):
                raise self.refuse(
                    part,
                    "in Python all functions of a comprehension see the last item",
                    "a loop, and a function that makes the function",
                )
        self.scopes.append(Scope({loop.target.id}))
        is_item = isinstance(node.elt, ast.Name) and node.elt.id == loop.target.id
        value = None if is_item else self.write(node.elt, ASSIGNMENT)
        tests = [self.condition(test, AND) for test in loop.ifs]
        # A brace would begin the body of the function.
        tests = [Code(tuple(guarded(test))) for test in tests]
        self.scopes.pop()
        return loop, spell(loop.target.id), tests, value

    def as_list(self, node: ast.expr) -> Code:
        """Write the iterable of a comprehension as an array, as it may be a NodeList or a text.

        Not by Array.from, which the page may have replaced.
        """
        if self.is_of(LIST, node):
            return self.write(node, MEMBER)
        return self.code(node, "[...", self.write(node, ASSIGNMENT), "]")

    # Calls

    def emit_Call(self, node: ast.Call) -> Code:
        """Write a call of a builtin, a method, a record class, the adapter, or a function."""
        function = node.func
        if isinstance(function, ast.Name):
            if function.id in self.access and self.is_module_name(function.id):
                return self.emit_access(node, function.id)
            if function.id in self.records:
                return self.emit_record(node, self.records[function.id])
            if not self.is_bound(function.id):
                return self.emit_builtin(node, function.id)
        elif isinstance(function, ast.Attribute) and not (
            function.attr in self.attributes or self.is_native(function.value)
        ):
            return self.emit_method(node, function)
        self.refuse_keywords(node, node.keywords)
        arguments = [self.argument(value) for value in node.args]
        called = self.write(function, MEMBER)
        return self.code(node, called, "(", *join(", ", arguments), ")", rank=MEMBER)

    def argument(self, node: ast.expr) -> Code:
        """Write an argument, or a spread list."""
        if isinstance(node, ast.Starred):
            return self.code(node, "...", self.write(node.value, ASSIGNMENT))
        return self.write(node, ASSIGNMENT)

    def is_module_name(self, name: str) -> bool:
        """Return whether a name means here what it means at the top of the module."""
        return not any(name in scope.names for scope in self.scopes[1:])

    def refuse_keywords(self, node: ast.Call, keywords: list[ast.keyword]) -> None:
        """Refuse keyword arguments."""
        if keywords:
            raise self.refuse(
                keywords[0], "arguments go by their place", "the argument without its name"
            )

    def emit_builtin(self, node: ast.Call, name: str) -> Code:
        """Write a call of a builtin."""
        if name == "isinstance" and len(node.args) == 2 and not node.keywords:
            kind = ast.unparse(node.args[1])
            if kind not in TYPES:
                raise self.refuse(node, f"isinstance knows {', '.join(TYPES)}, not {kind}", "one")
            return self.fill(node, TYPES[kind], node.args)
        if name not in BUILTINS:
            remedy = REPLACEMENTS.get(name, "a function of your own")
            raise self.refuse(node, f"there is no `{name}` here", remedy)
        if name == "list" and self.is_keys(node.args):
            # A new list already.
            return self.write(node.args[0])
        return self.emit_template(node, name, BUILTINS[name], node.args)

    def keys_of(self, node: ast.expr) -> ast.expr | None:
        """Return the dict whose keys a node is, as ``list(d.keys())``; None for anything else."""
        if not isinstance(node, ast.Call) or not self.is_builtin(node, "list", 1):
            return None
        if not self.is_keys(node.args):
            return None
        owner: ast.expr = node.args[0].func.value  # type: ignore[attr-defined]  # is_keys says so
        return owner

    def is_keys(self, arguments: list[ast.expr]) -> bool:
        """Return whether the one argument is ``d.keys()``."""
        return (
            len(arguments) == 1
            and isinstance(arguments[0], ast.Call)
            and isinstance(arguments[0].func, ast.Attribute)
            and arguments[0].func.attr == "keys"
        )

    def emit_template(
        self, node: ast.Call, name: str, forms: Mapping[int, Template], arguments: list[ast.expr]
    ) -> Code:
        """Write a call that has a template for its number of arguments."""
        keywords = node.keywords
        if name in ("sort", "sorted"):
            return self.emit_sort(node, name, arguments)
        self.refuse_keywords(node, keywords)
        count = len(node.args)
        if count not in forms or any(isinstance(value, ast.Starred) for value in node.args):
            counts = " or ".join(map(str, forms))
            raise self.refuse(
                node, f"{name} takes {counts} arguments, one by one", f"{name} with those alone"
            )
        return self.fill(node, forms[count], arguments)

    def emit_sort(self, node: ast.Call, name: str, arguments: list[ast.expr]) -> Code:
        """Write ``sort`` and ``sorted`` with their keywords."""
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if len(arguments) != 1 or given.keys() - {"key", "reverse"}:
            raise self.refuse(node, f"{name} takes key and reverse", f"{name} with those alone")
        key = None if is_none(given.get("key")) else given.get("key")
        if self.changes(key):
            raise self.refuse(
                node, "a key is evaluated more than once for an item", "a key without effects"
            )
        values = [self.write(arguments[0], ASSIGNMENT)]
        values.append(self.write(key, ASSIGNMENT) if key else self.code(node, "undefined"))
        if "reverse" in given:
            values.append(self.write(given["reverse"], ASSIGNMENT))
        self.library.add(f"${name}")
        return self.code(node, f"${name}(", *join(", ", values), ")", rank=MEMBER)

    def changes(self, function: ast.expr | None) -> bool:
        """Return whether a function is known to have an effect."""
        if isinstance(function, ast.Lambda):
            return self.has_effects(function.body)
        changing = self.effects.changing if self.effects else frozenset()
        return isinstance(function, ast.Name) and function.id in changing

    def emit_method(self, node: ast.Call, function: ast.Attribute) -> Code:
        """Write a call of a method of text, a list or a dict."""
        name = function.attr
        if name not in METHODS:
            raise self.refuse(
                node,
                f"text, lists and dicts have no method {name} here, and no record has it",
                f"one of {', '.join(METHODS)}, or `call(target, name)` for a browser object",
            )
        forms = METHODS[name]
        is_first = not node.args or (
            isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        )
        if name == "pop" and not is_first:
            raise self.refuse(
                node,
                "an item is taken from one of the ends of a list",
                "`pop()` or `pop(0)`; for a dict, `del d[key]`",
            )
        arguments = [function.value, *node.args]
        if name == "replace" and len(node.args) == 2:
            if self.has_effects(node.args[1]):
                raise self.refuse(
                    node, "what replaces is evaluated each time", "it into a variable first"
                )
            if is_plain(node.args[1]):
                forms = PLAIN_REPLACE
        if name == "join" and len(node.args) == 1:
            self.refuse_order(node, function.value, node.args[0])
        return self.emit_template(node, name, forms, arguments)

    def emit_record(self, node: ast.Call, record: Record) -> Code:
        """Write a record as an object literal: its arguments in order, then the literals."""
        self.refuse_keywords(node, node.keywords)
        counts = (record.least, len(record.parameters))
        has_star = any(isinstance(value, ast.Starred) for value in node.args)
        if has_star or not counts[0] <= len(node.args) <= counts[1]:
            raise self.refuse(
                node,
                f"{record.name} takes {' to '.join(map(str, sorted(set(counts))))} arguments",
                f"{record.name}({', '.join(record.parameters)})",
            )
        values = dict(zip(record.parameters, node.args, strict=False))
        fields = []
        for part in record.fields:
            value = values.get(part.parameter or "", part.value)
            fields.append(
                self.code(node, f"{part.attribute}{MARK}: ", self.write(value, ASSIGNMENT))
            )
        return self.code(node, "{ ", *join(", ", fields), " }")

    def emit_access(self, node: ast.Call, name: str) -> Code:
        """Inline a call of the adapter."""
        form = ACCESS[name]
        self.refuse_keywords(node, node.keywords)
        count = len(node.args)
        leading = node.args[: form.least]
        if count < form.least or (form.most is not None and count > form.most):
            raise self.refuse(node, f"{name} takes {form.least} arguments", "those alone")
        if any(isinstance(value, ast.Starred) for value in leading):
            raise self.refuse(node, f"{name} takes its first arguments one by one", "them out")
        word = "" if form.name is None else self.property_name(node, node.args[form.name])
        if name in ("elements", "record"):
            return self.write(node.args[0])
        if name == "same":
            pair = [self.write(value, EQUALITY + 1) for value in node.args]
            return self.code(node, pair[0], " === ", pair[1], rank=EQUALITY)
        if name == "construct":
            owner: list[Part] = ["window."] if self.is_bound(word) else []
            target = ["new ", *owner, word]
        else:
            target = self.property_of(node.args[0], word, is_call=name == "call")
        rest = [self.argument(value) for value in node.args[form.least :]]
        if name == "get":
            return self.code(node, *target, rank=MEMBER)
        if name == "put":
            return self.code(node, *target, " = ", self.write(node.args[2], ASSIGNMENT), rank=1)
        return self.code(node, *target, "(", *join(", ", rest), ")", rank=MEMBER)

    def property_name(self, node: ast.Call, given: ast.expr) -> str:
        """Return the name of a property, a method or a class."""
        name = given.value if isinstance(given, ast.Constant) else None
        if not isinstance(name, str) or not name.isidentifier():
            raise self.refuse(
                node, "a browser object's property has a fixed name", "a literal name"
            )
        return name

    def property_of(self, target: ast.expr, name: str, *, is_call: bool) -> list[Part]:
        """Write a property access; known globals of ``window`` by their bare name."""
        is_window = isinstance(target, ast.Name) and target.id in self.window
        if is_window and (is_call or name in GLOBALS) and not self.is_bound(name):
            return [name]
        return [self.write(target, MEMBER), f".{name}"]

    # Statements

    def block(self, body: list[ast.stmt]) -> Code:
        """Return statements in braces."""
        self.depth += 1
        margin = INDENT * self.depth
        lines: list[Part] = []
        for statement in body:
            lines += self.lines(statement, margin)
        self.depth -= 1
        return Code(("{\n", *lines, INDENT * self.depth + "}"))

    def lines(self, node: ast.stmt, margin: str) -> list[Part]:
        """Return the lines of a statement; none if it has no JavaScript."""
        method = getattr(self, f"run_{type(node).__name__}", None)
        if method is None:
            raise self.refuse_syntax(node)
        written: Code | None = method(node)
        return [] if written is None else [margin, written, "\n"]

    def run_Pass(self, node: ast.Pass) -> Code | None:
        """Write nothing."""

    run_Global = run_Nonlocal = run_Pass

    def run_Break(self, node: ast.Break) -> Code:
        """Write break."""
        return self.code(node, "break;")

    def run_Continue(self, node: ast.Continue) -> Code:
        """Write continue."""
        return self.code(node, "continue;")

    def run_Expr(self, node: ast.Expr) -> Code | None:
        """Write an expression statement; a string literal is dropped as a comment."""
        if isinstance(node.value, ast.Constant):
            return None
        return self.code(node, *guarded(self.write(node.value)), ";")

    def run_Return(self, node: ast.Return) -> Code:
        """Write return, without the value if it is None."""
        if node.value is None or is_none(node.value):
            return self.code(node, "return;")
        return self.code(node, "return ", self.write(node.value), ";")

    def declare(self, name: str) -> str:
        """Return the declaration of a name at its first assignment.

        ``var``, which holds for the whole function as a variable of Python's does.
        """
        scope = self.scopes[-1]
        if name not in scope.names or name in scope.declared:
            return ""
        scope.declared.add(name)
        return "var "

    def single_target(self, node: ast.Assign) -> str:
        """Return the name that an assignment has for its target, if it is one."""
        target = node.targets[0]
        if len(node.targets) > 1 or isinstance(target, ast.Tuple | ast.List | ast.Starred):
            raise self.refuse(node, "one target is assigned at a time", "one assignment for each")
        return target.id if isinstance(target, ast.Name) else ""

    def run_Assign(self, node: ast.Assign) -> Code:
        """Write an assignment, to a new variable together with its declaration."""
        name = self.single_target(node)
        value = self.write(node.value, ASSIGNMENT)
        target = node.targets[0]
        places = [target.value] if isinstance(target, ast.Subscript | ast.Attribute) else []
        places += [target.slice] if isinstance(target, ast.Subscript) else []
        for place in places:
            self.refuse_order(node, node.value, place)
        return self.code(node, self.declare(name), self.write(node.targets[0]), " = ", value, ";")

    def run_AnnAssign(self, node: ast.AnnAssign) -> Code | None:
        """Write an assignment without its annotation."""
        if node.value is None:
            return None
        return self.run_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def run_AugAssign(self, node: ast.AugAssign) -> Code:
        """Write an augmented assignment."""
        operator = ARITHMETIC.get(type(node.op))
        if operator is None or isinstance(node.op, ast.Pow | ast.Mod):
            raise self.refuse(node, "an assignment has `+= -= *= /=` alone", "`x = x // y`")
        target = self.write(node.target)
        value = self.write(node.value, ASSIGNMENT)
        return self.code(node, target, operator.text.rstrip() + "= ", value, ";")

    def run_If(self, node: ast.If) -> Code:
        """Write if, elif and else."""
        parts: list[Part] = ["if (", self.condition(node.test), ") ", self.block(node.body)]
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            parts += [" else ", self.run_If(node.orelse[0])]
        elif node.orelse:
            parts += [" else ", self.block(node.orelse)]
        return self.code(node, *parts)

    def refuse_else(self, node: ast.While | ast.For) -> None:
        """Refuse the ``else`` of a loop."""
        if node.orelse:
            raise self.refuse(node.orelse[0], "a loop has no else", "a function, or a flag")

    def run_While(self, node: ast.While) -> Code:
        """Write while."""
        self.refuse_else(node)
        return self.code(node, "while (", self.condition(node.test), ") ", self.block(node.body))

    def run_For(self, node: ast.For) -> Code:
        """Write a loop over a list or a text."""
        self.refuse_else(node)
        if not isinstance(node.target, ast.Name):
            raise self.refuse(
                node.target,
                "a loop has one name",
                "a loop over `list(d.keys())`, or over pairs by `pair[0]`",
            )
        items = self.write(node.iter, ASSIGNMENT)
        head = f"for ({self.declare(node.target.id)}{spell(node.target.id)} of "
        return self.code(node, head, items, ") ", self.block(node.body))

    def run_Delete(self, node: ast.Delete) -> Code:
        """Write ``del`` of a dict's item."""
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            raise self.refuse(node, "del takes one item of a dict", "`del d[key]`, or `xs.pop(0)`")
        return self.code(node, "delete ", self.write(target), ";")

    def run_Try(self, node: ast.Try) -> Code:
        """Write try, except and finally."""
        if node.orelse:
            raise self.refuse(node.orelse[0], "a try has no else", "the statements inside it")
        parts: list[Part] = ["try ", self.block(node.body)]
        if node.handlers:
            parts += [" catch (", *self.handlers(node.handlers)]
        if node.finalbody:
            parts += [" finally ", self.block(node.finalbody)]
        return self.code(node, *parts)

    def handlers(self, handlers: list[ast.ExceptHandler]) -> list[Part]:
        """Write the handlers as one ``catch``, which rethrows what none of them matches."""
        names = {handler.name for handler in handlers if handler.name} or {"error$"}
        if len(names) > 1 or names & self.scopes[-1].names:
            raise self.refuse(
                handlers[-1], "what is caught has one name, and none of a variable", "such a name"
            )
        name = names.pop()
        # JavaScript declares it in the handler alone.
        scope = self.scopes[-1]
        self.scopes[-1] = Scope(scope.names | {name}, scope.declared, scope.kinds)
        self.depth += 1
        choices: list[Part] = []
        catches_all = False
        for handler in handlers:
            kind = handler.type.id if isinstance(handler.type, ast.Name) else None
            if catches_all or (handler.type is not None and kind is None):
                raise self.refuse(handler, "an except names one exception", "one for each")
            if kind is not None and (self.is_bound(kind) or kind not in EXCEPTIONS):
                raise self.refuse(handler, f"{kind} is no exception of Python", "one of those")
            catches_all = kind in (None, "Exception")
            test = "" if catches_all else f'if ({name}.name === "{kind}") '
            choices += [" else " if choices else "", test, self.block(handler.body)]
        if not catches_all:
            choices += [f" else throw {name};"]
        self.depth -= 1
        scope.declared |= self.scopes[-1].declared
        self.scopes[-1] = scope
        margin = INDENT * self.depth
        return [f"{name}) {{\n{margin}{INDENT}", *choices, f"\n{margin}}}"]

    def run_Raise(self, node: ast.Raise) -> Code:
        """Write ``raise`` of a new exception with a message, or of a caught one."""
        error = node.exc
        if isinstance(error, ast.Name) and node.cause is None and self.is_bound(error.id):
            return self.code(node, "throw ", self.write(error), ";")
        call = error if isinstance(error, ast.Call) else None
        name = call.func.id if call and isinstance(call.func, ast.Name) else ""
        if call is None or node.cause or not name or len(call.args) > 1 or call.keywords:
            raise self.refuse(
                node, "a raise has one exception with one text", "`raise ValueError('text')`"
            )
        text: Part = self.write(call.args[0], ASSIGNMENT) if call.args else '""'
        if self.is_bound(name) or name not in RAISED:
            raise self.refuse(
                node,
                f"there is no {name} here, or it has a parent, by which JavaScript does not catch",
                "`raise ValueError('text')`, or another exception with the parent Exception",
            )
        self.library.add("$named")
        return self.code(node, "throw $named(new Error(", text, f'), "{name}");')

    # Functions

    def enter(self, arguments: ast.arguments, body: list[ast.stmt]) -> None:
        """Enter the scope of a function."""
        names = {part.arg for part in arguments.args}
        if arguments.vararg is not None and arguments.vararg.arg != "_":
            names.add(arguments.vararg.arg)
        bound = bound_in(body)
        self.refuse_unset(body, names)
        kinds = {}
        for facts in self.known:
            given = {
                part.arg
                for part in arguments.args
                if facts.kind.names(part.annotation) and part.arg not in bound
            }
            around = self.names_of(facts.kind) - names - bound
            kinds[facts.kind] = given | facts.find(body, around | given, bound - names)
        self.scopes.append(Scope(names | bound, names, kinds))

    def refuse_unset(self, body: list[ast.stmt], parameters: set[str]) -> None:
        """Refuse a variable that is changed, but never assigned: in Python, it has no value."""
        for node in statements(body):
            target = node.target if isinstance(node, ast.AugAssign) else None
            name = target.id if isinstance(target, ast.Name) else ""
            if name in bound_in(body) - parameters - bound_in(body, ast.AugAssign):
                raise self.refuse(
                    node,
                    f"{name} is a variable of this function alone, and has no value yet",
                    f"`nonlocal {name}` or `global {name}` above it, or assign it first",
                )

    def parameters(self, arguments: ast.arguments) -> list[Part]:
        """Write the parameters; ``*rest`` becomes a rest parameter, and ``*_`` is dropped."""
        if arguments.kwonlyargs or arguments.kwarg or arguments.posonlyargs:
            odd = [*arguments.kwonlyargs, *arguments.posonlyargs, arguments.kwarg]
            raise self.refuse(
                next(part for part in odd if part), "arguments go by their place", "parameters"
            )
        for default in arguments.defaults:
            if not is_none(default):
                raise self.refuse(
                    default, "a parameter that is left out is None", "None, and ask for it inside"
                )
        names = [spell(part.arg) for part in arguments.args]
        if arguments.vararg is not None and arguments.vararg.arg != "_":
            names.append("..." + spell(arguments.vararg.arg))
        return [", ".join(names)]

    def run_FunctionDef(self, node: ast.FunctionDef) -> Code:
        """Write an inner function together with its declaration."""
        return Code((self.declare(node.name), self.function_statement(node)))

    def function_statement(self, node: ast.FunctionDef) -> Code:
        """Write ``name = (parameters) => { ... };``."""
        if node.decorator_list:
            raise self.refuse(node, "a function has no decorator", "a call of what decorates")
        self.enter(node.args, node.body)
        parameters = self.parameters(node.args)
        body = self.block(node.body)
        self.scopes.pop()
        name = self.code(node, spell(node.name))
        return self.code(node, name, " = (", *parameters, ") => ", body, ";")


def guarded(code: Code) -> list[Part]:
    """Return an expression, parenthesized if its brace would begin a block."""
    return ["(", code, ")"] if str(code).startswith("{") else [code]


def is_zero(node: ast.expr) -> bool:
    """Return whether a node is 0."""
    return isinstance(node, ast.Constant) and node.value == 0 and not isinstance(node.value, bool)


def is_plain(node: ast.expr) -> bool:
    """Return whether a replacement has no ``$``, by which JavaScript quotes what it replaces."""
    return isinstance(node, ast.Constant) and "$" not in str(node.value)


INCLUDES = Template("{0}.includes({1})", (MEMBER, ASSIGNMENT))
HAS_OWN = Template("Object.hasOwn({0}, {1})", (ASSIGNMENT, ASSIGNMENT))
MODULO = Template("$modulo({0}, {1})", (ASSIGNMENT, ASSIGNMENT))
REMAINDER = Template("{0} % {1}", (PRODUCT, PRODUCT + 1), PRODUCT)
FLOOR = Template("Math.floor({0} / {1})", (PRODUCT, PRODUCT + 1))
PLAIN_REPLACE = {2: Template("{0}.replaceAll({1}, {2})", (MEMBER, ASSIGNMENT, ASSIGNMENT))}
