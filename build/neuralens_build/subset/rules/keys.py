"""Rules for keys of dicts: names that every JavaScript object inherits, and other than text."""

import ast

from neuralens_build.subset.flow import sources
from neuralens_build.subset.module import (
    DICT,
    Binding,
    Module,
    method_called,
    parameters,
    within,
)
from neuralens_build.subset.rules.rule import Found, rule

Judged = dict[ast.AST, bool]

# The members that every JavaScript object inherits.
INHERITED = (
    *("constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "toLocaleString"),
    *("propertyIsEnumerable", "__proto__", "__defineGetter__", "__defineSetter__"),
    *("__lookupGetter__", "__lookupSetter__"),
)


@rule(
    "outside-key",
    reason="a key such as `constructor` finds a member that every JavaScript object inherits, and "
    "`__proto__` is lost",
    remedy="`PREFIX + key`, or check `key in list(d.keys())` first",
)
def outside_key(module: Module) -> Found:
    """Find keys of dicts that may come from outside the program."""
    for holder, key, node in keys_used(module):
        if isinstance(key, ast.Constant):
            if key.value in INHERITED:
                yield node, str(key.value)
        elif (
            module.kind(holder) == DICT
            and not is_present(module, holder, key)
            and not is_own(module, key, {})
        ):
            yield node, ""


def keys_used(module: Module) -> list[tuple[ast.expr, ast.expr, ast.expr]]:
    """Return the dict, the key and the expression of each lookup and each store."""
    found: list[tuple[ast.expr, ast.expr, ast.expr]] = []
    for call in module.walk(ast.Call):
        name = method_called(call)
        if name in ("get", "pop", "setdefault") and call.args:
            assert isinstance(call.func, ast.Attribute)  # noqa: S101 - what method_called says
            found.append((call.func.value, call.args[0], call))
    for node in module.walk(ast.Subscript):
        if isinstance(node.ctx, ast.Store) or isinstance(node.slice, ast.Constant):
            found.append((node.value, node.slice, node))
    return found


def is_present(module: Module, holder: ast.expr, key: ast.expr) -> bool:
    """Return whether the function checks that a dict has a key, or loops over its keys."""
    wanted, of = ast.dump(key), ast.dump(holder)
    for node in within(module.function(key), ast.Compare, ast.For):
        if isinstance(node, ast.Compare):
            is_question = isinstance(node.ops[0], ast.In | ast.NotIn)
            asked, answer = node.left, node.comparators[0]
        else:
            is_question = True
            asked = node.target.elts[0] if isinstance(node.target, ast.Tuple) else node.target
            answer = node.iter
        if is_question and unparsed(asked) == wanted and ast.dump(looped(answer)) == of:
            return True
    return False


def unparsed(node: ast.expr) -> str:
    """Return a form of an expression that is equal for reading and assigning a name."""
    return ast.dump(ast.Name(node.id, ast.Load())) if isinstance(node, ast.Name) else ast.dump(node)


def looped(node: ast.expr) -> ast.expr:
    """Return ``d`` for ``d``, ``d.keys()``, ``list(d.keys())`` and the like."""
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "items", "copy"):
            node = node.func.value
        elif isinstance(node.func, ast.Name) and node.func.id in ("list", "sorted") and node.args:
            node = node.args[0]
        else:
            break
    return node


def is_own(module: Module, key: ast.expr, judged: Judged) -> bool:
    """Return whether a string is the program's own, so that it equals no inherited name.

    ``judged`` memoizes the results by expression.
    """
    if key not in judged:
        judged[key] = True  # for circular definitions
        judged[key] = judge_key(module, key, judged)
    return judged[key]


def judge_key(module: Module, key: ast.expr, judged: Judged) -> bool:
    """Determine whether an expression is a string of the program's own."""
    if isinstance(key, ast.Constant):
        return key.value not in INHERITED
    if isinstance(key, ast.JoinedStr | ast.BinOp):
        return any(
            is_distinct(module, part, leads=index == 0)
            or (index == 0 and is_made(module, part, judged))
            for index, part in enumerate(summands(key))
        )
    if isinstance(key, ast.IfExp):
        return is_own(module, key.body, judged) and is_own(module, key.orelse, judged)
    if isinstance(key, ast.Name):
        bindings = module.bindings(key)
        return bool(bindings) and all(
            is_own_binding(module, key.id, binding, judged) for binding in bindings
        )
    return is_made(module, key, judged)


def summands(key: ast.expr) -> list[ast.expr]:
    """Return the parts from which a string is concatenated, in order."""
    if isinstance(key, ast.JoinedStr):
        return key.values
    if isinstance(key, ast.BinOp) and isinstance(key.op, ast.Add):
        return [*summands(key.left), *summands(key.right)]
    return [key]


def is_distinct(module: Module, part: ast.expr, *, leads: bool) -> bool:
    """Return whether no inherited name contains a part, or starts with it if it leads."""
    text = constant_text(module, part)
    if not text:
        return False
    return not any(name.startswith(text) if leads else text in name for name in INHERITED)


def constant_text(module: Module, part: ast.expr) -> str | None:
    """Return the string of a literal or a constant."""
    if isinstance(part, ast.Constant):
        return part.value if isinstance(part.value, str) else None
    if not isinstance(part, ast.Name):
        return None
    bindings = module.bindings(part)
    if len(bindings) != 1:
        return None
    _, imported = module.imported(bindings[0], part.id)
    bindings = imported or bindings
    value = bindings[0].value if len(bindings) == 1 else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def is_made(module: Module, call: ast.expr, judged: Judged) -> bool:
    """Return whether a call's function, of any class, returns only strings of the program's own."""
    if not isinstance(call, ast.Call):
        return False
    if isinstance(call.func, ast.Attribute):
        functions: list[ast.AST] = [*module.methods(call.func.attr, anywhere=True)]
    else:
        made = module.definition(call.func) if isinstance(call.func, ast.Name) else None
        functions = [made] if isinstance(made, ast.FunctionDef) else []
    returned = [
        (module.library.homes[function], node.value)
        for function in functions
        for node in within(function, ast.Return)
    ]
    return bool(returned) and all(
        value is not None and is_own(home, value, judged) for home, value in returned
    )


def is_own_binding(module: Module, name: str, binding: Binding, judged: Judged) -> bool:
    """Return whether a binding gives a name a string of the program's own."""
    if binding.value is not None:
        return is_own(module, binding.value, judged)
    if isinstance(binding.node, ast.For | ast.comprehension):
        return is_own_source(module, binding.node.iter, judged)
    if isinstance(binding.node, ast.arg):
        if binding.node not in judged:
            judged[binding.node] = True  # for recursive functions
            judged[binding.node] = is_own_parameter(module, binding.node, judged)
        return judged[binding.node]
    home, others = module.imported(binding, name)
    return bool(others) and all(
        other.value is not None and is_own(home, other.value, judged) for other in others
    )


def is_own_source(module: Module, source: ast.expr, judged: Judged) -> bool:
    """Return whether a loop is over constants, or over the keys of a dict of the program's own.

    Keys are checked where they are stored in such a dict.
    """
    source = looped(source)
    if isinstance(source, ast.Tuple | ast.List):
        return all(is_own(module, part, judged) for part in source.elts)
    if isinstance(source, ast.Dict):
        return all(key is not None and is_own(module, key, judged) for key in source.keys)
    if isinstance(source, ast.Name) and source not in judged:
        judged[source] = True  # for circular definitions
        bindings = module.bindings(source)
        home, others = module.imported(bindings[0], source.id) if bindings else (module, [])
        values = [binding.value for binding in others or bindings]
        judged[source] = bool(values) and all(
            value is not None and is_own_source(home, value, judged) for value in values
        )
    return judged.get(source, False)


def is_own_parameter(module: Module, parameter: ast.arg, judged: Judged) -> bool:
    """Return whether all calls of a private function pass a string of the program's own."""
    function = module.parents[module.parents[parameter]]
    name = getattr(function, "name", "")
    is_nested = module.function(function) is not module.tree
    if not name.startswith("_") and not is_nested:
        return False
    names = [argument.arg for argument in parameters(function.args)]  # type: ignore[attr-defined]
    place = names.index(parameter.arg) - (names[0] == "self")
    uses = [
        node
        for node in module.walk(ast.Name, ast.Attribute)
        if (node.id if isinstance(node, ast.Name) else node.attr) == name
    ]
    for use in uses:
        call = module.parents[use]
        if not isinstance(call, ast.Call) or call.func is not use or place >= len(call.args):
            return False
        if not is_own(module, call.args[place], judged):
            return False
    return bool(uses)


@rule(
    "dict-key",
    reason="in JavaScript, keys are strings, numeric keys are reordered, and `__proto__` is lost",
    remedy="string keys that start with a letter",
)
def dict_key(module: Module) -> Found:
    """Find literal keys that are different in JavaScript."""
    for node in module.walk(ast.Dict):
        for key in node.keys:
            if key is not None and is_wrong_key(module, key):
                yield key, ""
    for subscript in module.walk(ast.Subscript):
        if module.kind(subscript.value) == "dict" and is_wrong_key(module, subscript.slice):
            yield subscript.slice, ""


def is_wrong_key(module: Module, key: ast.expr) -> bool:
    """Return whether a key is not a string, or one that JavaScript treats specially."""
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value == "__proto__" or key.value.isdigit()
    found = [source.node for source in sources(module, key)]
    return any(
        is_wrong_key(module, source) if isinstance(source, ast.Constant) else False
        for source in found
        if source is not key
    ) or module.kind(key) not in (None, "str")
