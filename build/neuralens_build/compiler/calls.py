"""Emits calls: of builtins and methods by the tables of ``language``, records, and the adapter.

A record becomes an object with its class's attributes as properties; the adapter's functions are
inlined.
"""

import ast
from collections.abc import Mapping

from neuralens_build.compiler.code import Code, Part, join
from neuralens_build.compiler.expressions import Expressions
from neuralens_build.compiler.language import (
    ACCESS,
    ASSIGNMENT,
    BUILTINS,
    EQUALITY,
    GLOBALS,
    MEMBER,
    METHODS,
    REPLACEMENTS,
    TYPES,
    UNARY,
    VOID,
    Template,
)
from neuralens_build.compiler.records import MARK, Record, is_none

PLAIN_REPLACE = {2: Template("{0}.replaceAll({1}, {2})", (MEMBER, ASSIGNMENT, ASSIGNMENT))}


class Calls(Expressions):
    """Emits the calls of one module."""

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

    def refuse_keywords(self, node: ast.Call, keywords: list[ast.keyword]) -> None:
        """Refuse keyword arguments."""
        if keywords:
            raise self.refuse(
                keywords[0], "arguments are positional", "the argument without its name"
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
                node, f"{name} takes {counts} arguments, one by one", f"{name} with those only"
            )
        return self.fill(node, forms[count], arguments)

    def emit_sort(self, node: ast.Call, name: str, arguments: list[ast.expr]) -> Code:
        """Write ``sort`` and ``sorted`` with their keywords."""
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if len(arguments) != 1 or given.keys() - {"key", "reverse"}:
            raise self.refuse(node, f"{name} takes key and reverse", f"{name} with those only")
        key = None if is_none(given.get("key")) else given.get("key")
        if self.changes(key):
            raise self.refuse(
                node, "a key may be evaluated more than once per item", "a key without side effects"
            )
        values = [self.write(arguments[0], ASSIGNMENT)]
        values.append(self.write(key, ASSIGNMENT) if key else self.code(node, "undefined"))
        if "reverse" in given:
            values.append(self.write(given["reverse"], ASSIGNMENT))
        self.library.add(f"${name}")
        return self.code(node, f"${name}(", *join(", ", values), ")", rank=MEMBER)

    def emit_method(self, node: ast.Call, function: ast.Attribute) -> Code:
        """Write a call of a method of text, a list or a dict."""
        name = function.attr
        if name not in METHODS:
            raise self.refuse(
                node,
                f"the method {name} is not supported for text, lists and dicts",
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
                    node,
                    "the replacement is evaluated for each match",
                    "it into a variable first",
                )
            if is_plain(node.args[1]):
                forms = PLAIN_REPLACE
        if name == "join" and len(node.args) == 1:
            self.refuse_order(node, function.value, node.args[0])
        written = self.emit_template(node, name, forms, arguments)
        if name in VOID and node is not self.unused:
            return self.code(node, "void ", written, rank=UNARY)
        return written

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
            raise self.refuse(node, f"{name} takes {form.least} arguments", "those only")
        if any(isinstance(value, ast.Starred) for value in leading):
            raise self.refuse(node, f"{name} takes its first arguments one by one", "out each one")
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
                node, "the name of a browser object's property is a literal", "a literal name"
            )
        return name

    def property_of(self, target: ast.expr, name: str, *, is_call: bool) -> list[Part]:
        """Write a property access; known globals of ``window`` by their bare name."""
        is_window = isinstance(target, ast.Name) and target.id in self.window
        if is_window and (is_call or name in GLOBALS) and not self.is_bound(name):
            return [name]
        return [self.write(target, MEMBER), f".{name}"]


def is_plain(node: ast.expr) -> bool:
    """Return whether a replacement has no ``$``, which is special in JavaScript's replacements."""
    return isinstance(node, ast.Constant) and "$" not in str(node.value)
