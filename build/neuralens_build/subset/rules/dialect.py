"""What the build's own dialect of the compiler (dialect.py, linking.py) relies on."""

import ast

from neuralens_build.subset.module import (
    DICT,
    LIST,
    TEXT,
    TUPLE,
    VIEW,
    Binding,
    Module,
    called,
    method_called,
)
from neuralens_build.subset.rules.rule import Found, rule
from neuralens_build.subset.rules.truth import tests

CONTAINERS = (LIST, TUPLE, DICT, VIEW)
FFI = "neuralens_tracker.web.ffi"
# Functions of the adapter that are compiled as what they stand for, and those of them that take
# the name of a property, a method or a class, with its place.
ACCESS = ("get", "put", "call", "construct", "elements", "record", "same")
NAME_PLACES = {"get": 1, "put": 1, "call": 1, "construct": 0}
# Browser objects that are written as the global names that they are.
GLOBALS = ("Reflect", "console", "navigator", "performance", "window")
# How many arguments the methods of text, lists and dicts take here.
ARITIES = {
    **dict.fromkeys(("keys", "values", "items", "lower", "strip", "copy", "clear"), 0),
    **dict.fromkeys(("append", "extend", "join", "split", "startswith", "endswith"), 1),
    **dict.fromkeys(("update", "find", "remove"), 1),
    **dict.fromkeys(("replace", "insert"), 2),
}
SCRIPT_METHODS = ("isdigit", "isalpha", "isspace", "islower", "isupper")
TYPES = ("str", "list", "dict")


@rule(
    "class-form",
    reason="a class becomes functions and variables of its module",
    remedy="a class with `__init__`, methods, and nothing else: no base, no attribute",
    engine="dialect",
)
def class_form(module: Module) -> Found:
    """Find classes of any other form."""
    for node in module.walk(ast.ClassDef):
        methods = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
        documented = [part for part in node.body if isinstance(part, ast.Expr)][:1]
        is_plain = len(methods) + len(documented) == len(node.body)
        if node.bases or not is_plain or "__init__" not in methods:
            yield node, node.name


@rule(
    "object",
    reason="an object is known by the one place where it is made",
    remedy="`name = Class(...)` in `start`, or `self._name = Class(...)` in `__init__`, once",
    engine="dialect",
)
def one_object(module: Module) -> Found:
    """Find objects made in any other place, or several of one class."""
    made: set[str] = set()
    for node in module.walk(ast.Call):
        if not isinstance(node.func, ast.Name):
            continue
        if not isinstance(module.definition(node.func), ast.ClassDef):
            continue
        if node.func.id in made or not is_place(module, node):
            yield node, node.func.id
        made.add(node.func.id)


def is_place(module: Module, call: ast.Call) -> bool:
    """Tell whether what a call makes is held at once, where the program puts itself together."""
    around = list(module.ancestors(call))
    function = module.function(call)
    is_held = isinstance(around[0], ast.Assign | ast.AnnAssign) and around[0].value is call
    is_repeated = any(isinstance(a, ast.For | ast.While) for a in around[: around.index(function)])
    names = ("start", "__init__")
    is_start = function is module.tree or getattr(function, "name", "") in names
    return is_held and is_start and not is_repeated


@rule(
    "membership",
    reason="`in` asks a list or a text; a dict has no such question",
    remedy="`key in list(d.keys())`",
    engine="dialect",
)
def membership(module: Module) -> Found:
    """Find `in` on known dicts."""
    for node in module.walk(ast.Compare):
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn) and module.kind(right) == DICT:
                yield node, ""


@rule(
    "keyword-only",
    reason="arguments go by their place alone",
    remedy="a plain parameter",
    engine="dialect",
)
def keyword_only(module: Module) -> Found:
    """Find parameters that go by name; arguments that do are the rule `keyword`'s."""
    for node in module.walk(ast.FunctionDef, ast.Lambda):
        yield from ((argument, argument.arg) for argument in node.args.kwonlyargs)
        if node.args.kwarg is not None:
            yield node.args.kwarg, node.args.kwarg.arg


@rule(
    "default-value",
    reason="None that comes out of a dict also counts as an argument that was not given",
    remedy="None as the default, and the value in the function",
    engine="dialect",
)
def default_value(module: Module) -> Found:
    """Find defaults other than None."""
    for node in module.walk(ast.FunctionDef, ast.Lambda):
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None and not is_none(default):
                yield default, ""


def is_none(node: ast.expr) -> bool:
    """Tell whether an expression is None."""
    return isinstance(node, ast.Constant) and node.value is None


@rule(
    "unpacking",
    reason="one target is assigned at a time, and a loop has one name",
    remedy="one assignment for each; a loop over `list(d.keys())`, or over pairs by `pair[0]`",
    engine="dialect",
)
def unpacking(module: Module) -> Found:
    """Find assignments to several targets, and loops with several names."""
    for node in module.walk(ast.Assign):
        if len(node.targets) > 1 or not is_single(node.targets[0]):
            yield node, ""
    for loop in module.walk(ast.For):
        if not isinstance(loop.target, ast.Name):
            yield loop, ""


def is_single(target: ast.expr) -> bool:
    """Tell whether a target is no tuple and no list."""
    return not isinstance(target, ast.Tuple | ast.List)


@rule(
    "loops",
    reason="a comprehension has one loop",
    remedy="loops of their own",
    engine="dialect",
)
def comprehension_loops(module: Module) -> Found:
    """Find comprehensions with several loops."""
    for node in module.walk(ast.ListComp):
        if len(node.generators) > 1:
            yield node, ""


@rule(
    "container-truth",
    reason="an empty list or dict counts as true",
    remedy="a comparison, such as `len(xs) > 0` or `x is not None`",
    engine="dialect",
)
def container_truth(module: Module) -> Found:
    """Find lists and dicts whose truth decides something."""
    for test in tests(module):
        if module.kind(test) in CONTAINERS:
            yield test, ""


@rule(
    "container-arithmetic",
    reason="`+` is for numbers and texts, `*` for numbers",
    remedy="`extend(...)` on a copy, or a loop",
    engine="dialect",
)
def container_arithmetic(module: Module) -> Found:
    """Find sums of lists, and lists and texts that are repeated."""
    for node in module.walk(ast.BinOp):
        kinds = (module.kind(node.left), module.kind(node.right))
        wrong = {ast.Add: (LIST, TUPLE), ast.Mult: (LIST, TUPLE, TEXT)}.get(type(node.op), ())
        if any(kind in wrong for kind in kinds):
            yield node, ""


@rule(
    "pop",
    reason="an item is taken from one of the ends of a list",
    remedy="`pop()` or `pop(0)`; for a dict, `del d[key]`",
    engine="dialect",
)
def pop(module: Module) -> Found:
    """Find pop with any argument but 0."""
    for node in module.walk(ast.Call):
        if method_called(node) == "pop" and not module.methods("pop"):
            is_end = not node.args or (
                isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            )
            if not is_end or len(node.args) > 1:
                yield node, ""


@rule(
    "floor-assignment",
    reason="`x //= a + b` divides by `a` alone",
    remedy="`x = x // (a + b)`",
    engine="dialect",
)
def floor_assignment(module: Module) -> Found:
    """Find //=."""
    for node in module.walk(ast.AugAssign):
        if isinstance(node.op, ast.FloorDiv):
            yield node, ""


@rule(
    "arity",
    reason="the method takes no optional arguments",
    remedy="the call without them",
    engine="dialect",
)
def arity(module: Module) -> Found:
    """Find calls of methods of text, lists and dicts with another number of arguments."""
    for node in module.walk(ast.Call):
        name = method_called(node)
        if name in ARITIES and len(node.args) != ARITIES[name] and not module.methods(name):
            yield node, name


@rule(
    "script",
    reason="which letters and digits count depends on the engine",
    remedy="a comparison of each letter, such as `neuralens_tracker.value_types.is_digits(text)`",
    engine="dialect",
)
def script(module: Module) -> Found:
    """Find questions about the kind of letters."""
    for node in module.walk(ast.Call):
        name = method_called(node)
        if name in SCRIPT_METHODS and not module.methods(name):
            yield node, name


@rule(
    "json-type",
    reason="isinstance tells the types of JSON apart, and no others",
    remedy="`str`, `list`, `dict` or `(int, float)`; for a bool, `is True` and `is False`",
    engine="dialect",
)
def json_type(module: Module) -> Found:
    """Find isinstance with bool, tuples of lists, and classes."""
    for node in module.walk(ast.Call):
        if called(node) == "isinstance" and len(node.args) == 2:
            wanted = ast.unparse(node.args[1])
            if wanted not in (*TYPES, "(int, float)"):
                yield node, wanted


@rule(
    "access",
    reason="the name belongs to a browser object, or to a function of the adapter that is compiled "
    "as what it stands for",
    remedy="another name",
    engine="dialect",
)
def access_name(module: Module) -> Found:
    """Find calls of other functions by the adapter's names, and other things called `window`."""
    for node in module.walk(ast.Name):
        parent = module.parents[node]
        is_called = isinstance(parent, ast.Call) and parent.func is node
        is_taken = node.id in GLOBALS or (node.id in ACCESS and is_called)
        if is_taken and not all(map(is_adapter, module.bindings(node))):
            yield node, node.id


def is_adapter(binding: Binding) -> bool:
    """Tell whether a name comes from the adapter."""
    return isinstance(binding.node, ast.ImportFrom) and binding.node.module == FFI


@rule(
    "property",
    reason="the name of a property, a method or a class is part of the compiled code",
    remedy="a literal that is a name",
    engine="dialect",
)
def property_name(module: Module) -> Found:
    """Find uses of the adapter with a computed name."""
    for node in module.walk(ast.Call):
        name = called(node)
        if name in NAME_PLACES and isinstance(node.func, ast.Name):
            if not any(map(is_adapter, module.bindings(node.func))):
                continue
            place = NAME_PLACES[name]
            given = node.args[place] if len(node.args) > place else None
            value = given.value if isinstance(given, ast.Constant) else None
            if not isinstance(value, str) or not value.isidentifier():
                yield node, name
