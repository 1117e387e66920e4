"""Emits expressions: one method, ``emit_`` and its name, for each node type.

None becomes null or undefined, a list or tuple an array, a dict an object. Operators are emitted by
the tables of ``language``.
"""

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass

from neuralens_build.compiler.code import Code, Part, join, place_of
from neuralens_build.compiler.effects import CHANGING
from neuralens_build.compiler.kinds import LIST, SCALAR
from neuralens_build.compiler.language import (
    AND,
    ARITHMETIC,
    ASSIGNMENT,
    ATOM,
    COMPARISON,
    EQUALITY,
    LOWEST,
    MEMBER,
    NUMBER,
    OR,
    PRODUCT,
    REMEDIES,
    UNARY,
    Template,
)
from neuralens_build.compiler.records import MARK, is_none
from neuralens_build.compiler.refusal import CompileError
from neuralens_build.compiler.scopes import Scope, Scopes, spell

# The largest integer up to which JavaScript is exact.
MOST = 2**53
INCLUDES = Template("{0}.includes({1})", (MEMBER, ASSIGNMENT))
HAS_OWN = Template("Object.hasOwn({0}, {1})", (ASSIGNMENT, ASSIGNMENT))
MODULO = Template("$modulo({0}, {1})", (ASSIGNMENT, ASSIGNMENT))
REMAINDER = Template("{0} % {1}", (PRODUCT, PRODUCT + 1), PRODUCT)
FLOOR = Template("Math.floor({0} / {1})", (PRODUCT, PRODUCT + 1))


@dataclass(frozen=True)
class Counted:
    """A test whether a list or text is empty, or not."""

    items: ast.expr
    is_empty: bool


class Expressions(Scopes):
    """Emits the expressions of one module, apart from calls."""

    def write(self, node: ast.AST, rank: int = LOWEST) -> Code:
        """Return the JavaScript of an expression, parenthesized if needed for the precedence."""
        method = getattr(self, f"emit_{type(node).__name__}", None)
        if method is None:
            raise self.refuse_syntax(node)
        written: Code = method(node)
        return written if written.rank >= rank else self.code(node, "(", written, ")")

    def refuse_syntax(self, node: ast.AST) -> CompileError:
        """Return the error for unsupported syntax."""
        name = type(node).__name__
        remedy = REMEDIES.get(name, "it another way")
        return self.refuse(node, f"portable Python has no {name}", remedy)

    def code(self, node: ast.AST, *parts: Part, rank: int = ATOM) -> Code:
        """Return code with the position of a node."""
        return Code(parts, rank, place_of(node))

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
        """Write a variable; builtins and record classes can only be called."""
        if node.id in self.records:
            raise self.refuse(node, f"{node.id} is a record class, not a value", "a call of it")
        if not self.is_bound(node.id) and isinstance(node.ctx, ast.Store):
            raise self.refuse(
                node,
                f"the module has no variable `{node.id}`",
                f"`{node.id} = None` at the top of the module",
            )
        if not self.is_bound(node.id) and not self.is_native(node):
            raise self.refuse(
                node,
                f"`{node.id}` is not a variable here",
                "a lambda that calls it, or another name",
            )
        return self.code(node, node.id if self.is_native(node) else spell(node.id))

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
            raise self.refuse(node, "the only unary operators are `not` and `-`", "arithmetic")
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
                node, "bitwise operators differ in JavaScript", "`+ - * / // % **` on numbers"
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

    def emit_Compare(self, node: ast.Compare) -> Code:
        """Write a comparison; in a chain, the middle operand is written twice."""
        operands = [node.left, *node.comparators]
        for middle in node.comparators[:-1]:
            if not isinstance(middle, ast.Name | ast.Constant):
                raise self.refuse(
                    middle,
                    "the middle of a chained comparison is evaluated twice",
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
            return self.membership(node, left, operator, right)
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
        if (emptiness := self.emptiness(node)) is not None:
            return emptiness
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

    def emptiness(self, node: ast.Compare) -> Code | None:
        """Write the test whether a comprehension has items; None for any other comparison."""
        question = self.counted(node)
        if question is None or not isinstance(question.items, ast.ListComp):
            return None
        if self.has_effects(question.items):
            return None
        found = self.emit_any(question.items)
        return self.code(node, "!", found, rank=UNARY) if question.is_empty else found

    def membership(
        self, node: ast.Compare, left: ast.expr, operator: ast.cmpop, right: ast.expr
    ) -> Code:
        """Write whether a value is in a list, a text or the keys of a dict."""
        self.refuse_order(node, left, right)
        keys = self.keys_of(right)
        asked = (
            self.fill(node, INCLUDES, [right, left])
            if keys is None
            else self.fill(node, HAS_OWN, [keys, left])
        )
        return asked if isinstance(operator, ast.In) else self.code(node, "!", asked, rank=UNARY)

    def or_null(self, node: ast.expr) -> list[Part]:
        """Write a value that may be None, with undefined converted to null."""
        # `??` does not mix with `&&` and `||`.
        return ["(", self.write(node, AND + 1), " ?? null)"]

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
                    raise self.refuse(
                        node, "an f-string has no formats or conversions", "`+` and `str(...)`"
                    )
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
                raise self.refuse(node, "a slice has no step, and is not assigned to", "a loop")
            ends: list[Part] = [self.write(place.lower, ASSIGNMENT) if place.lower else "0"]
            if place.upper is not None:
                ends += [", ", *self.end_of(place.upper)]
            return self.code(node, base, ".slice(", *ends, ")", rank=MEMBER)
        if isinstance(place, ast.UnaryOp) and isinstance(place.operand, ast.Constant):
            if not isinstance(node.ctx, ast.Load):
                raise self.refuse(
                    node, "an item is assigned by an index from 0", "`xs[len(xs) - 1]`"
                )
            return self.code(node, base, ".at(", self.write(place), ")", rank=MEMBER)
        return self.code(node, base, "[", self.write(place), "]", rank=MEMBER)

    def end_of(self, node: ast.expr) -> list[Part]:
        """Write the end of a slice; None, for no end, must become undefined and not null."""
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

    def parameters(self, arguments: ast.arguments) -> list[Part]:
        """Write the parameters; ``*rest`` becomes a rest parameter, and ``*_`` is dropped."""
        if arguments.kwonlyargs or arguments.kwarg or arguments.posonlyargs:
            odd = [*arguments.kwonlyargs, *arguments.posonlyargs, arguments.kwarg]
            raise self.refuse(
                next(part for part in odd if part),
                "a function has no `**`, and no keyword-only or positional-only parameters",
                "plain parameters",
            )
        for default in arguments.defaults:
            if not is_none(default):
                raise self.refuse(
                    default, "the only default is None", "None, and check for it in the function"
                )
        names = [spell(part.arg) for part in arguments.args]
        if arguments.vararg is not None and arguments.vararg.arg != "_":
            names.append("..." + spell(arguments.vararg.arg))
        return [", ".join(names)]

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
                    "in Python, all functions created by a comprehension see the last item",
                    "a loop, and a function that creates the function",
                )
        self.refuse_changes(node, loop)
        self.scopes.append(Scope({loop.target.id}))
        is_item = isinstance(node.elt, ast.Name) and node.elt.id == loop.target.id
        value = None if is_item else self.write(node.elt, ASSIGNMENT)
        tests = [self.condition(test, AND) for test in loop.ifs]
        # A brace would begin the body of the function.
        tests = [Code(tuple(guarded(test))) for test in tests]
        self.scopes.pop()
        return loop, spell(loop.target.id), tests, value

    def refuse_changes(self, node: ast.ListComp, loop: ast.comprehension) -> None:
        """Refuse a comprehension over a list that it changes itself."""
        items = ast.unparse(loop.iter)
        for part in (part for step in (node.elt, *loop.ifs) for part in ast.walk(step)):
            if (
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Attribute)
                and part.func.attr in CHANGING
                and ast.unparse(part.func.value) == items
            ):
                raise self.refuse(
                    part, "JavaScript goes on over the items that the list had before", "a loop"
                )

    def as_list(self, node: ast.expr) -> Code:
        """Write the iterable of a comprehension as an array, as it may be a NodeList or a string.

        Not by Array.from, which the page may have replaced.
        """
        if self.is_of(LIST, node):
            return self.write(node, MEMBER)
        return self.code(node, "[...", self.write(node, ASSIGNMENT), "]")


def guarded(code: Code) -> list[Part]:
    """Return an expression, parenthesized if its brace would begin a block."""
    return ["(", code, ")"] if str(code).startswith("{") else [code]


def is_zero(node: ast.expr) -> bool:
    """Return whether a node is 0."""
    return isinstance(node, ast.Constant) and node.value == 0 and not isinstance(node.value, bool)
