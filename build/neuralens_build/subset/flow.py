"""Finds which values an expression may have, as far as a module shows.

Follows names to what they are bound to, parameters to the arguments of calls, calls to what is
returned, attributes to what is assigned, and items to what is put into a list or dict.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from neuralens_build.names import PACKAGE
from neuralens_build.subset.module import (
    NONE,
    TEXT,
    TUPLE,
    Binding,
    Module,
    called,
    is_name,
    method_called,
    parameters,
    within,
)

# The kind of an instance of a class.
OBJECT = "object"
# Annotations of values that may be anything.
VAGUE = ("object", "Any")
# The position of the value among the arguments of a method that puts it into a list.
ADDING = {"append": 0, "insert": 1}
# Deeper nested items are not followed.
DEEPEST = 4


@dataclass(frozen=True)
class Value:
    """The value of an expression, or the values ``depth`` levels inside of it.

    ``annotates``: the expression is an annotation, and the values are those of its type.
    """

    module: Module
    node: ast.AST
    depth: int = 0
    annotates: bool = False

    def at(self, node: ast.AST | None, change: int = 0) -> "Iterator[Value]":
        """Yield the value of another expression, so many levels deeper."""
        if node is not None and 0 <= self.depth + change <= DEEPEST:
            yield Value(self.module, node, self.depth + change)


def sources(module: Module, node: ast.AST | None, depth: int = 0) -> list[Value]:
    """Return where the values of an expression come from: literals, operations and the unknown."""
    return trace(Value(module, node, depth), follow) if node is not None else []


def trace(start: Value, step: Callable[[Value], list[Value] | None]) -> list[Value]:
    """Return where a value comes from: each value that ``step`` does not follow further."""
    pending = [start]
    seen = set(pending)
    found = []
    while pending:
        value = pending.pop()
        before = step(value)
        if before is None:
            found.append(value)
            continue
        new = [other for other in before if other not in seen]
        seen |= set(new)
        pending += new
    return found


def kinds(module: Module, node: ast.AST | None, depth: int = 0) -> set[str | None]:
    """Return the kinds that the values of an expression may have; None for an unknown one."""
    return {kind_of(value) for value in sources(module, node, depth)}


def are(known: set[str | None], *wanted: str) -> bool:
    """Return whether all these kinds are of those wanted, apart from None."""
    return bool(known - {NONE}) and known <= {NONE, *wanted}


def is_asked(module: Module, node: ast.expr) -> bool:
    """Return whether a function asks for the type of an expression, or compares it."""
    wanted = ast.dump(node)
    for part in within(module.function(node), ast.Compare, ast.Call):
        asked = part.left if isinstance(part, ast.Compare) else None
        if called(part) == "isinstance" and part.args:
            asked = part.args[0]
        if asked is not None and ast.dump(asked) == wanted:
            return True
    return False


def kind_of(value: Value) -> str | None:
    """Return the kind of a source."""
    module, node = value.module, value.node
    if value.annotates:
        assert isinstance(node, ast.expr)  # noqa: S101 - an annotation
        return module.annotated(node) if value.depth == 0 else None
    if isinstance(node, ast.arg):
        function = module.parents[module.parents[node]]
        is_rest = getattr(function, "args", None) is not None and function.args.vararg is node  # type: ignore[attr-defined]
        return TUPLE if is_rest and value.depth == 0 else None
    if value.depth > 0:
        is_text = module.kind(node) == TEXT or method_called(node) in ("keys", "split")
        return TEXT if is_text else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        made = module.definition(node.func)
        return OBJECT if isinstance(made, ast.ClassDef) else module.kind(node)
    return module.kind(node)


def follow(value: Value) -> list[Value] | None:
    """Return where a value comes from; None for a source."""
    node, depth = value.node, value.depth
    if value.annotates:
        return follow_annotation(value)
    if isinstance(node, ast.arg):
        return [*passed(value)] or None
    if isinstance(node, ast.Name):
        return follow_name(value)
    if isinstance(node, ast.Attribute):
        return [*stored(value)] or None
    if isinstance(node, ast.IfExp):
        return [*value.at(node.body), *value.at(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [part for operand in node.values for part in value.at(operand)]
    if isinstance(node, ast.Subscript):
        return [*value.at(node.value, 0 if isinstance(node.slice, ast.Slice) else 1)] or None
    if isinstance(node, ast.Call):
        return follow_call(value, node)
    if depth == 0:
        return None
    if isinstance(node, ast.List | ast.Tuple):
        return [part for item in node.elts for part in value.at(item, -1)]
    if isinstance(node, ast.Dict):
        return [part for item in node.values for part in value.at(item, -1)]
    if isinstance(node, ast.ListComp):
        return [*value.at(node.elt, -1)]
    return None


def follow_annotation(value: Value) -> list[Value] | None:
    """Return the types of a union, or of the items of a list or dict."""
    node, depth, module = value.node, value.depth, value.module
    if isinstance(node, ast.BinOp):
        return [Value(module, part, depth, True) for part in (node.left, node.right)]
    if depth > 0 and isinstance(node, ast.Subscript):
        inner = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
        return [Value(module, inner, depth - 1, True)]
    return None


def annotated(module: Module, annotation: ast.expr | None, depth: int) -> Iterator[Value]:
    """Yield the type of an annotation, if it says anything."""
    if annotation is not None and not any(is_name(annotation, name) for name in VAGUE):
        yield Value(module, annotation, depth, True)


def follow_name(value: Value) -> list[Value] | None:
    """Return what a name is bound to, and what is put into it."""
    module, name = value.module, value.node
    assert isinstance(name, ast.Name)  # noqa: S101 - the caller has looked
    bindings = module.bindings(name)
    found: list[Value] = []
    for binding in bindings:
        home, others = module.imported(binding, name.id)
        for other in others or [binding]:
            found += bound(Value(home, name, value.depth), other)
    found += put_into(value, lambda node: is_name(node, name.id))
    return found or None


def bound(value: Value, binding: Binding) -> Iterator[Value]:
    """Yield the values of one binding of a name."""
    module = value.module
    known = [*annotated(module, module.annotations.get(binding.node), value.depth)]
    if known:
        yield from known
    elif isinstance(binding.node, ast.arg):
        yield from value.at(binding.node)
    elif called(binding.iterated) == "range":
        yield from value.at(ast.Constant(0))
    elif binding.iterated is not None:
        yield from value.at(binding.iterated, 1)
    elif isinstance(binding.node, ast.ExceptHandler):
        yield from value.at(binding.node)
    elif isinstance(binding.node, ast.AugAssign):
        yield from value.at(binding.node.value)
    else:
        yield from value.at(binding.value)


def put_into(value: Value, is_holder: Callable[[ast.AST], bool]) -> Iterator[Value]:
    """Yield what is put into a list or dict by its name."""
    if value.depth == 0:
        return
    for call in value.module.walk(ast.Call):
        if isinstance(call.func, ast.Attribute) and is_holder(call.func.value):
            place = ADDING.get(call.func.attr)
            if place is not None and len(call.args) > place:
                yield from value.at(call.args[place], -1)
            elif call.func.attr in ("extend", "update") and call.args:
                yield from value.at(call.args[0])
    for node in value.module.walk(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and is_holder(target.value):
                yield from value.at(node.value, -1)


def passed(value: Value) -> Iterator[Value]:
    """Yield the arguments that calls in this module pass for a parameter."""
    module, parameter = value.module, value.node
    function = module.parents[module.parents[parameter]]
    if any(registers(module, call, function) for call in module.walk(ast.Call)):
        yield from value.at(ast.Dict([], []))
    if not isinstance(function, ast.FunctionDef):
        return
    names = [part.arg for part in parameters(function.args)]
    place = names.index(parameter.arg) - (names[0] == "self")  # type: ignore[attr-defined]
    holder = module.parents[function]
    name = function.name
    if name == "__init__" and isinstance(holder, ast.ClassDef):
        name = holder.name
    calls = [call for call in module.walk(ast.Call) if name in (called(call), method_called(call))]
    is_rest = function.args.vararg is parameter
    if is_rest and value.depth == 0:
        return
    for call in calls:
        for argument in call.args[place:] if is_rest else call.args[place : place + 1]:
            yield from value.at(argument, -1 if is_rest else 0)


def registers(module: Module, call: ast.Call, function: ast.AST) -> bool:
    """Return whether a call hands a function to the tracker, which calls it with an event."""
    return (
        called(call) == "before"
        and bool(call.args)
        and (call.args[0] is function or is_name(call.args[0], getattr(function, "name", "")))
        and any(
            isinstance(binding.node, ast.ImportFrom) and binding.node.module == PACKAGE
            for binding in module.bindings(call.func)  # type: ignore[arg-type]
        )
    )


def is_checked_as(module: Module, node: ast.expr, kind: str) -> bool:
    """Return whether an expression is evaluated only after isinstance says that it is of a kind."""
    wanted = ast.dump(node)
    child: ast.AST = node
    for around in module.ancestors(node):
        known: list[ast.expr] = []
        if isinstance(around, ast.BoolOp) and isinstance(around.op, ast.And):
            known = [value for value in around.values if value is not child]
        elif (isinstance(around, ast.If) and child in around.body) or (
            isinstance(around, ast.IfExp) and child is around.body
        ):
            known = operands(around.test)
        if any(asks(test, wanted, kind) for test in known):
            return True
        child = around
    return False


def operands(test: ast.expr) -> list[ast.expr]:
    """Return what is true if a test is true."""
    is_and = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)
    return test.values if is_and else [test]  # type: ignore[attr-defined]


def asks(test: ast.expr, wanted: str, kind: str) -> bool:
    """Return whether a test is isinstance of an expression with a kind."""
    return (
        isinstance(test, ast.Call)
        and called(test) == "isinstance"
        and len(test.args) > 1
        and ast.dump(test.args[0]) == wanted
        and is_name(test.args[1], kind)
    )


def stored(value: Value) -> Iterator[Value]:
    """Yield what is assigned to an attribute: of this class, or of any class that has it."""
    module, node = value.module, value.node
    assert isinstance(node, ast.Attribute)  # noqa: S101 - the caller has looked
    owner = module.enclosing_class(node) if is_name(node.value, "self") else None
    homes = [module] if owner else [module, *filter(None, module.library.around(module.filename))]
    for home in homes:
        for (holder, name), bindings in home.attributes.items():
            if name == node.attr and owner in (None, holder):
                for binding in bindings:
                    yield from bound(Value(home, node, value.depth), binding)
    yield from put_into(
        value, lambda other: isinstance(other, ast.Attribute) and other.attr == node.attr
    )


def follow_call(value: Value, call: ast.Call) -> list[Value] | None:
    """Return where the result of a call comes from."""
    module, depth = value.module, value.depth
    if isinstance(call.func, ast.Attribute):
        holder, name = call.func.value, call.func.attr
        own = module.methods(name)
        if own:
            return [part for method in own for part in returned(value, method)] or None
        if name in ("get", "pop"):
            defaults = [part for given in call.args[1:] for part in value.at(given)]
            return [*value.at(holder, 1), *defaults] or None
        return [*value.at(holder)] if name == "copy" else None
    name = called(call) or ""
    if isinstance(call.func, ast.Name) and module.bindings(call.func):
        made = module.definition(call.func)
        if isinstance(made, ast.FunctionDef):
            return [*returned(value, made)] or None
        lambdas = [binding.value for binding in module.bindings(call.func)]
        bodies = [made.body for made in lambdas if isinstance(made, ast.Lambda)]
        return [part for body in bodies for part in value.at(body)] or None
    if name in ("list", "sorted") and depth > 0 and call.args:
        return [*value.at(call.args[0])]
    return None


def returned(value: Value, function: ast.FunctionDef) -> Iterator[Value]:
    """Yield what a function returns."""
    home = value.module.library.homes.get(function, value.module)
    known = [*annotated(home, home.annotations.get(function), value.depth)]
    yield from known
    if not known:
        for node in within(function.body, ast.Return):
            if home.function(node) is function:
                yield from Value(home, function, value.depth).at(node.value)
