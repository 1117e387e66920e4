"""Builtins and methods that differ, or do not exist."""

import ast

from pscript import stdlib

from neuralens_build.subset.module import (
    BOOL,
    DICT,
    LIST,
    NONE,
    TEXT,
    TUPLE,
    VIEW,
    VIEWS,
    Module,
    called,
    method_called,
    within,
)
from neuralens_build.subset.rules.names import REPLACED
from neuralens_build.subset.rules.rule import Found, rule
from neuralens_build.subset.rules.truth import is_boolean

# Builtins that fail or are missing on an engine, and what to write in their place.
MISSING_BUILTINS = (
    *("set", "frozenset", "type", "hash", "id", "iter", "next", "sum", "round", "repr", "divmod"),
    *("issubclass", "vars", "dir", "locals", "globals", "eval", "exec", "compile", "open", "input"),
    *("bytes", "bytearray", "memoryview", "complex", "slice", "object", "property", "format"),
    *("staticmethod", "classmethod", "hex", "oct", "bin", "ascii", "__import__"),
)
MISSING_METHODS = (
    *("title", "zfill", "casefold", "removeprefix", "removesuffix", "isalnum", "ljust", "rjust"),
    *("capitalize", "swapcase", "expandtabs", "isidentifier", "isdecimal", "isnumeric", "upper"),
    *("isprintable", "istitle", "translate", "maketrans", "encode", "decode", "format_map"),
    *("popitem", "fromkeys"),
)
ISINSTANCE_TUPLES = (("int", "float"), ("float", "int"), ("list", "tuple"), ("tuple", "list"))
# Where an iterator or a view may stand: it is used up on the spot.
CONSUMERS = ("list", "sorted", "tuple", "dict", "len", "all", "any", "min", "max", "enumerate")
ITERATORS = ("map", "filter", "zip", "enumerate", "reversed")


def builtin_calls(module: Module, *names: str) -> list[ast.Call]:
    """Return the calls of the builtins of those names."""
    return [
        node
        for node in module.walk(ast.Call)
        if isinstance(node.func, ast.Name)
        and node.func.id in names
        and not module.bindings(node.func)
    ]


@rule(
    "builtin",
    reason="the builtin fails, is missing or is rounded in another way on some engine",
    remedy="a loop, a list or dict, `str(...)`, or `int(x + 0.5)` for a positive x",
)
def builtin(module: Module) -> Found:
    """Find such builtins, called or handed on."""
    for node in module.walk(ast.Name):
        if node.id in MISSING_BUILTINS and not module.bindings(node):
            yield node, node.id


@rule(
    "builtin-value",
    reason="a builtin is no function that can be handed on",
    remedy="a lambda that calls it",
)
def builtin_value(module: Module) -> Found:
    """Find builtin functions that are not called."""
    for node in module.walk(ast.Name):
        if node.id not in REPLACED or module.bindings(node):
            continue
        parent = module.parents[node]
        holder = module.parents.get(parent) if isinstance(parent, ast.Tuple) else parent
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        if called(holder) != "isinstance":
            yield node, node.id


@rule(
    "micropython-method",
    reason="MicroPython or pscript has no such method, or only for ASCII",
    remedy="a function of the tracker's own",
    engine="micropython",
)
def missing_method(module: Module) -> Found:
    """Find methods of text and dicts that an engine lacks."""
    for node in module.walk(ast.Call):
        name = method_called(node)
        if name in MISSING_METHODS and not module.methods(name):
            yield node, name


@rule(
    "method-arguments",
    reason="a builtin's method with that number of arguments is called as JavaScript has it",
    remedy="the arguments one by one, without optional ones",
)
def method_arguments(module: Module) -> Found:
    """Find calls of methods of text, lists and dicts that pscript does not translate."""
    for node in module.walk(ast.Call):
        name = method_called(node)
        if name is None or name not in stdlib.METHODS or name in ("pop", "sort", "format"):
            continue
        if isinstance(node.func, ast.Attribute) and module.kind(node.func.value) in (
            TEXT,
            LIST,
            DICT,
        ):
            counts = stdlib.get_std_info(stdlib.METHODS[name])[0]
            is_counted = not any(isinstance(value, ast.Starred) for value in node.args)
            if is_counted and counts and len(node.args) not in counts:
                yield node, name


@rule(
    "length",
    reason="the length of a dict is undefined",
    remedy="`len(d.keys())`",
)
def length(module: Module) -> Found:
    """Find len of known dicts."""
    for node in builtin_calls(module, "len"):
        if node.args and module.kind(node.args[0]) == DICT:
            yield node, ""


@rule(
    "isinstance",
    reason="only str, bool, list, dict, (int, float), (list, tuple) and own classes can be told",
    remedy="`isinstance(x, (int, float))`",
)
def isinstance_class(module: Module) -> Found:
    """Find isinstance with any other class."""
    for node in builtin_calls(module, "isinstance"):
        wanted = node.args[1] if len(node.args) == 2 else None
        if isinstance(wanted, ast.Tuple):
            names = tuple(part.id if isinstance(part, ast.Name) else "" for part in wanted.elts)
            if names not in ISINSTANCE_TUPLES:
                yield node, ""
        elif not isinstance(wanted, ast.Name) or wanted.id in ("int", "float", "tuple", "object"):
            yield node, ""


@rule(
    "enumerate",
    reason="`enumerate` counts from 0 alone",
    remedy="`i + 1` inside the loop",
)
def enumerate_start(module: Module) -> Found:
    """Find enumerate with a start."""
    for node in builtin_calls(module, "enumerate"):
        if len(node.args) != 1 or node.keywords:
            yield node, ""


@rule(
    "extreme",
    reason="`min` and `max` are for numbers, ignore key and default, and know no empty list",
    remedy="a loop",
)
def extreme(module: Module) -> Found:
    """Find min and max of what is no number, and their keywords."""
    for node in builtin_calls(module, "min", "max"):
        kinds = [module.kind(value) for value in node.args]
        if len(node.args) == 1:
            only = node.args[0]
            wrong: tuple[str, ...] = (TEXT, DICT, VIEW)
            if isinstance(only, ast.List | ast.Tuple):
                kinds += [module.kind(part) for part in only.elts]
                wrong = (*wrong, NONE)
                if not only.elts:
                    yield node, ""
        else:
            wrong = (TEXT, DICT, VIEW, LIST, TUPLE)
        if node.keywords or any(kind in wrong for kind in kinds):
            yield node, ""


@rule(
    "map-function",
    reason="`map` and `filter` hand the function further arguments, and judge as JavaScript does",
    remedy="a list comprehension",
)
def map_function(module: Module) -> Found:
    """Find map and filter with anything but a lambda of one parameter."""
    for node in builtin_calls(module, "map", "filter"):
        function = node.args[0] if len(node.args) == 2 else None
        if not isinstance(function, ast.Lambda) or len(function.args.args) != 1:
            yield node, ""
        elif called(node) == "filter" and not is_boolean(module, function.body):
            yield function.body, ""


@rule(
    "iterator",
    reason="an iterator or view that is kept is a list in JavaScript, and later changes are missed",
    remedy="`list(...)` around it",
)
def iterator(module: Module) -> Found:
    """Find iterators and views that are not used up on the spot."""
    views = [
        node
        for node in module.walk(ast.Call)
        if method_called(node) in VIEWS and module.kind(node) == VIEW
    ]
    for node in [*views, *builtin_calls(module, *ITERATORS)]:
        parent = module.parents[node]
        is_looped = isinstance(parent, ast.For | ast.comprehension) and parent.iter is node
        is_searched = isinstance(parent, ast.Compare) and isinstance(
            parent.ops[0], ast.In | ast.NotIn
        )
        is_consumed = called(parent) in (*CONSUMERS, *ITERATORS) or method_called(parent) in (
            "join",
            "extend",
        )
        if not is_looped and not is_searched and not is_consumed:
            yield node, ""


@rule(
    "view-loop",
    reason="a loop over items() takes two names, and keys() and values() one",
    remedy="`for key, value in d.items()`",
)
def view_loop(module: Module) -> Found:
    """Find loops over views with the wrong number of names."""
    for loop in module.walk(ast.For):
        name = method_called(loop.iter)
        if name in VIEWS and isinstance(loop.iter, ast.Call) and not loop.iter.args:
            is_pair = isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == 2
            if is_pair != (name == "items"):
                yield loop.iter, ""


@rule(
    "own-view",
    reason="a loop over a call of that name takes the object for a dict",
    remedy="a name for the method other than keys, values and items, or hold its result first",
)
def own_view(module: Module) -> Found:
    """Find loops over a method of one's own that is called like a dict's."""
    for loop in module.walk(ast.For):
        call = loop.iter
        name = method_called(call)
        if name not in VIEWS or not isinstance(call, ast.Call) or call.args:
            continue
        assert isinstance(call.func, ast.Attribute)  # noqa: S101 - what method_called says
        if module.methods(name) and module.kind(call.func.value) != DICT:
            yield call, name


@rule(
    "sort",
    reason="without a key the order is textual; a reversed one is unstable, and keys are compared "
    "as numbers or text",
    remedy="`sorted(xs, key=lambda x: x)`, with `-x` for falling numbers",
)
def sort(module: Module) -> Found:
    """Find sorting without a scalar key, and reversed sorting."""
    sorts = [
        node
        for node in module.walk(ast.Call)
        if method_called(node) == "sort" and not module.methods("sort")
    ]
    for node in [*builtin_calls(module, "sorted"), *sorts]:
        keys = [given.value for given in node.keywords if given.arg == "key"]
        is_reversed = any(given.arg == "reverse" for given in node.keywords)
        is_list = any(
            isinstance(key, ast.Lambda) and module.kind(key.body) in (LIST, TUPLE, BOOL, DICT)
            for key in keys
        )
        if not keys or is_reversed or is_list:
            yield node, ""


@rule(
    "number-from-text",
    reason="text that is no number becomes NaN or 0, and no error",
    remedy="`int(text) if is_digits(text) else ...`, with value_types.is_digits",
)
def number_from_text(module: Module) -> Found:
    """Find numbers made from text that was not checked, or in another base."""
    for node in builtin_calls(module, "int", "float"):
        if len(node.args) != 1:
            yield node, ""
            continue
        text = node.args[0]
        if isinstance(text, ast.Constant):
            if isinstance(text.value, str) and not text.value.replace(".", "", 1).isdigit():
                yield node, ""
        elif (
            module.kind(text) == TEXT or catches(module, node, "ValueError")
        ) and not is_digits_checked(module, text):
            yield node, ""


def catches(module: Module, node: ast.AST, *names: str) -> bool:
    """Tell whether node stands in a try whose handlers name one of those exceptions."""
    child = node
    for ancestor in module.ancestors(node):
        if isinstance(ancestor, ast.Try) and child in ancestor.body:
            for handler in ancestor.handlers:
                if isinstance(handler.type, ast.Name) and handler.type.id in names:
                    return True
        child = ancestor
    return False


def is_digits_checked(module: Module, text: ast.expr) -> bool:
    """Tell whether the function around an expression asks whether it is digits."""
    wanted = ast.dump(text)
    return any(
        called(call) == "is_digits" and call.args and ast.dump(call.args[0]) == wanted
        for call in within(module.function(text), ast.Call)
    )


@rule(
    "dict-call",
    reason="`dict(a, b=1)` forgets its keywords",
    remedy="`dict(a)` and `update({...})`",
)
def dict_call(module: Module) -> Found:
    """Find dict called with both a value and keywords."""
    for node in builtin_calls(module, "dict"):
        if node.args and node.keywords:
            yield node, ""


@rule(
    "split",
    reason="without a separator each single space splits",
    remedy="`split(' ')` and leave out the empty parts",
)
def split(module: Module) -> Found:
    """Find split and rsplit without a separator."""
    for node in module.walk(ast.Call):
        is_split = method_called(node) in ("split", "rsplit")
        if is_split and (not node.args or module.kind(node.args[0]) == NONE):
            yield node, ""


@rule(
    "prefix-tuple",
    reason="`startswith` and `endswith` take one text",
    remedy="one call for each, joined by `or`",
)
def prefix_tuple(module: Module) -> Found:
    """Find startswith and endswith with several choices."""
    for node in module.walk(ast.Call):
        is_asked = method_called(node) in ("startswith", "endswith")
        if is_asked and any(module.kind(value) in (TUPLE, LIST) for value in node.args):
            yield node, ""


@rule(
    "reversed-text",
    reason="text cannot be reversed",
    remedy="a loop that puts each letter in front",
)
def reversed_text(module: Module) -> Found:
    """Find reversed of text."""
    for node in builtin_calls(module, "reversed"):
        if node.args and module.kind(node.args[0]) == TEXT:
            yield node, ""
