"""Syntax that one of the engines does not have, or takes for something else."""

import ast

from neuralens_build.subset.module import PACKAGE, Module
from neuralens_build.subset.rules.rule import Found, rule, syntax_rule
from neuralens_build.subset.stripping import ANNOTATION_MODULES, is_docstring

set_display = syntax_rule(
    "set",
    (ast.Set, ast.SetComp),
    reason="sets do not compile",
    remedy="a list, or a dict with the members as keys",
)

comprehension = syntax_rule(
    "comprehension",
    (ast.DictComp, ast.GeneratorExp),
    reason="dict comprehensions and generators do not compile",
    remedy="a list comprehension or a loop",
)

yielding = syntax_rule(
    "yield",
    (ast.Yield, ast.YieldFrom),
    reason="generators do not compile",
    remedy="a function that returns a list",
)

walrus = syntax_rule(
    "walrus",
    (ast.NamedExpr,),
    reason="`:=` does not compile",
    remedy="an assignment on a line of its own",
)

match = syntax_rule(
    "match",
    (ast.Match,),
    reason="`match` does not compile, and MicroPython has none",
    remedy="if and elif",
)

with_statement = syntax_rule(
    "with",
    (ast.With, ast.AsyncWith),
    reason="after one caught exception every later run of the block counts as failed",
    remedy="try and finally",
)

bits = syntax_rule(
    "bits",
    (ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift, ast.Invert, ast.MatMult),
    reason="operations on bits are cut to 32 bits, and `|` does not join dicts",
    remedy="arithmetic, or `and` and `or`",
)

async_syntax = syntax_rule(
    "async-loop",
    (ast.AsyncFor,),
    reason="`async for` does not compile",
    remedy="a loop with await",
)


@rule(
    "decorator",
    reason="decorators do not compile",
    remedy="a plain function or method, and call what would decorate it",
)
def decorator(module: Module) -> Found:
    """Find decorators."""
    for node in module.walk(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        yield from ((line, "") for line in node.decorator_list)


@rule(
    "starred",
    reason="unpacking by a star works in calls of own functions alone",
    remedy="`+` and slices, or a loop",
)
def starred(module: Module) -> Found:
    """Find stars outside calls, and in calls of builtins."""
    for node in module.walk(ast.Starred):
        call = module.parents[node]
        if not isinstance(call, ast.Call) or (
            isinstance(call.func, ast.Name) and not module.bindings(call.func)
        ):
            yield node, ""


@rule(
    "dict-unpacking",
    reason="`{**a}` exists on no other engine",
    remedy="`copy()` and `update(...)`",
)
def dict_unpacking(module: Module) -> Found:
    """Find dict displays with a double star."""
    for node in module.walk(ast.Dict):
        if None in node.keys:
            yield node, ""


@rule(
    "slice",
    reason="slices have no step, and can be neither assigned nor deleted",
    remedy="a loop, or a new list",
)
def slicing(module: Module) -> Found:
    """Find stepped slices, and slices as targets."""
    for node in module.walk(ast.Subscript):
        part = node.slice
        if isinstance(part, ast.Slice):
            if part.step is not None or not isinstance(node.ctx, ast.Load):
                yield node, ""
        elif isinstance(part, ast.Tuple):
            yield node, ""


@rule(
    "annotation",
    reason="an annotation without a value leaves nothing behind",
    remedy="the name with its first value",
)
def bare_annotation(module: Module) -> Found:
    """Find annotations without a value."""
    for node in module.walk(ast.AnnAssign):
        if node.value is None:
            yield node, ""


@rule(
    "empty-body",
    reason="a body of nothing but a docstring is taken for JavaScript",
    remedy="`pass` or `return` after the docstring",
)
def empty_body(module: Module) -> Found:
    """Find functions that hold only a docstring."""
    for node in module.walk(ast.FunctionDef, ast.AsyncFunctionDef):
        if len(node.body) == 1 and is_docstring(node.body[0]):
            yield node, ""


@rule(
    "literal",
    reason="bytes, complex numbers, `...` and whole numbers past 2**53 do not exist in JavaScript",
    remedy="text, a float, or `pass`",
)
def literal(module: Module) -> Found:
    """Find literals without a JavaScript twin."""
    for node in module.walk(ast.Constant):
        value = node.value
        if (
            isinstance(value, bytes | complex)
            or value is ...
            or (isinstance(value, int) and abs(value) > 2**53)
        ):
            yield node, ""


@rule(
    "astral",
    reason="a character past U+FFFF counts as two in JavaScript",
    remedy="characters up to U+FFFF",
)
def astral(module: Module) -> Found:
    """Find text with characters outside the basic plane."""
    for node in module.walk(ast.Constant):
        if isinstance(node.value, str) and any(ord(letter) > 0xFFFF for letter in node.value):
            yield node, ""


@rule(
    "dict-key",
    reason="keys are text on every engine, digits are reordered and `__proto__` is lost",
    remedy="text keys that begin with a letter",
)
def dict_key(module: Module) -> Found:
    """Find literal keys that JavaScript changes."""
    for node in module.walk(ast.Dict):
        for key in node.keys:
            if key is not None and is_wrong_key(module, key):
                yield key, ""
    for subscript in module.walk(ast.Subscript):
        if module.kind(subscript.value) == "dict" and is_wrong_key(module, subscript.slice):
            yield subscript.slice, ""


def is_wrong_key(module: Module, key: ast.expr) -> bool:
    """Tell whether a key is known to be no text, or text that JavaScript treats in its own way."""
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value == "__proto__" or key.value.isdigit()
    return module.kind(key) not in (None, "str")


@rule(
    "assignment-target",
    reason="only names, attributes, items and one level of them can be assigned",
    remedy="one assignment for each level",
)
def assignment_target(module: Module) -> Found:
    """Find nested targets, and loops over anything but names."""
    for node in module.walk(ast.Tuple, ast.List):
        if isinstance(node.ctx, ast.Store) and any(
            isinstance(part, ast.Tuple | ast.List) for part in node.elts
        ):
            yield node, ""
    for loop in module.walk(ast.For, ast.comprehension):
        parts = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
        if not all(isinstance(part, ast.Name | ast.Tuple) for part in parts):
            yield loop.target, ""


@rule(
    "del",
    reason="`del` leaves the length of a list as it was, and the name in its place",
    remedy="`pop(i)`",
)
def deletion(module: Module) -> Found:
    """Find del of anything but attributes and items of known dicts."""
    for node in module.walk(ast.Delete):
        for target in node.targets:
            is_item = isinstance(target, ast.Subscript) and module.kind(target.value) == "dict"
            if not is_item and not isinstance(target, ast.Attribute):
                yield target, ""


@rule(
    "chained-comparison",
    reason="what stands in the middle is called twice",
    remedy="`a < b and b < c` with the call held in a name",
)
def chained_comparison(module: Module) -> Found:
    """Find chained comparisons with calls in the middle."""
    for node in module.walk(ast.Compare):
        middle = node.comparators[:-1]
        if any(isinstance(part, ast.Call) for value in middle for part in ast.walk(value)):
            yield node, ""


@rule(
    "import",
    reason="only the tracker's own modules are on every engine; time and randomness are passed in",
    remedy=f"`from {PACKAGE}... import names` at the top",
    engine="all",
)
def importing(module: Module) -> Found:
    """Find imports of anything but tracker modules, and typing names used as values."""
    for node in module.walk(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield node, node.names[0].name
        elif module.parents[node] is not module.tree or node.level or node.names[0].name == "*":
            yield node, node.module or "."
        elif node.module in ANNOTATION_MODULES:
            used = {name.id for name in module.walk(ast.Name)}
            yield from (
                (node, alias.name) for alias in node.names if (alias.asname or alias.name) in used
            )
        elif (node.module or "").split(".")[0] != PACKAGE:
            yield node, node.module or "."


type_syntax = syntax_rule(
    "type-syntax",
    tuple(
        getattr(ast, name) for name in ("TypeAlias", "TypeVar", "ParamSpec") if hasattr(ast, name)
    ),
    reason="type aliases and parameters are syntax of later Pythons",
    remedy="annotations that every engine's build strips",
    engine="all",
)
