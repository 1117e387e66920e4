"""Names that a compiler takes for its own, and what it does with capitals and with self."""

import ast
import re

from pscript.parser1 import reserved_names
from pscript.parser3 import Parser3

from neuralens_build.subset.module import (
    COMPREHENSIONS,
    FUNCTIONS,
    Module,
    is_name,
    names_bound,
    parameters,
)
from neuralens_build.subset.rules.rule import Found, rule

# Names of the language and of what the compiled code itself calls.
JAVASCRIPT = (
    *("arguments", "null", "undefined", "this", "true", "false", "eval", "global"),
    *("Array", "Boolean", "Date", "Error", "JSON", "Math", "Number", "Object", "String"),
    *("isNaN", "parseFloat", "parseInt", "globalThis"),
)
COMPILER = ("RawJS", "this_is_js", "PSCRIPT_OVERLOAD", "unichr", "xrange", "__name__", "__file__")
RESERVED = frozenset((*reserved_names, *JAVASCRIPT, *COMPILER))
# Prefixes of the names that pscript makes up.
MADE_UP = re.compile(r"(stub\d+_|err_\d+$|_pyfunc_|_pymeth_|flx_)")
# Functions that pscript puts in place of a call by that name, whatever the name stands for.
REPLACED = frozenset(
    name.removeprefix("function_")
    for name in dir(Parser3)
    if name.startswith("function_") and not name.startswith("function_op_")
)
# What a comprehension's own code is written with.
COMPREHENSION_NAMES = re.compile(r"(res|i\d+|iter\d+|list_comprehension)$")
OBJECT_MEMBERS = (
    *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "prototype"),
    *("toLocaleString", "toString", "valueOf", "length"),
)
# Static functions of Object: methods with such a name stay unbound.
UNBOUND = (
    *("assign", "create", "entries", "freeze", "is", "keys", "seal", "values", "groupBy"),
    *("fromEntries", "hasOwn", "defineProperty", "preventExtensions", "name"),
)


def bound_names(module: Module) -> Found:
    """Yield every name that the module binds, with the node that does."""
    for scope in module.scopes.values():
        for name, bindings in scope.names.items():
            for binding in bindings:
                yield binding.node, name


@rule(
    "reserved-name",
    reason="the name belongs to JavaScript or to the compiler",
    remedy="another name",
)
def reserved_name(module: Module) -> Found:
    """Find names that are reserved."""
    for node, name in bound_names(module):
        if name in RESERVED or MADE_UP.match(name):
            yield node, name
    for used in module.walk(ast.Name):
        if used.id in RESERVED and not module.bindings(used):
            yield used, used.id


@rule(
    "builtin-name",
    reason="a call of the name is compiled as the builtin of that name",
    remedy="another name",
)
def builtin_name(module: Module) -> Found:
    """Find calls by a name that means another thing here."""
    for call in module.walk(ast.Call):
        name = call.func
        if isinstance(name, ast.Name) and name.id in REPLACED and module.bindings(name):
            yield call, name.id


@rule(
    "self",
    reason="`self` is compiled as `this`",
    remedy="`self` for the first parameter of methods, and for nothing else",
)
def self_name(module: Module) -> Found:
    """Find methods without self, and self elsewhere."""
    for node in module.walk(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
        names = [argument.arg for argument in parameters(node.args)]
        is_method = isinstance(module.parents[node], ast.ClassDef)
        if is_method and not isinstance(node, ast.Lambda):
            if names[:1] != ["self"]:
                yield node, node.name
        elif "self" in names:
            yield node, ""
    for name in module.walk(ast.Name):
        if name.id == "self" and not isinstance(name.ctx, ast.Load):
            yield name, ""


@rule(
    "comprehension-name",
    reason="a comprehension shares its names with the function around it",
    remedy="a name that the function does not use elsewhere",
)
def comprehension_name(module: Module) -> Found:
    """Find comprehensions that reuse a name, or use one of the compiler's."""
    for node in module.walk(ast.ListComp):
        own = {id(generator) for generator in node.generators}
        scope = module.scopes[module.function(node)].names
        for generator in node.generators:
            for name in names_bound(generator.target):
                others = [b for b in scope.get(name, []) if id(b.node) not in own]
                if any(not isinstance(other.node, ast.comprehension) for other in others) or any(
                    name in names_bound(outer.target)
                    for ancestor in module.ancestors(node)
                    if isinstance(ancestor, ast.ListComp)
                    for outer in ancestor.generators
                ):
                    yield generator.target, name
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and COMPREHENSION_NAMES.match(part.id):
                yield part, part.id
            elif isinstance(part, ast.Constant) and re.search("i(ter)?#", str(part.value)):
                yield part, str(part.value)


@rule(
    "capital-call",
    reason="a call whose name begins with a capital is compiled as `new`",
    remedy="a lower-case name, or hold the function in one",
)
def capital_call(module: Module) -> Found:
    """Find calls by capitalised names that are no classes."""
    for node in module.walk(ast.Call):
        function: ast.expr = node.func
        if isinstance(function, ast.Attribute):
            if starts_capital(function.attr):
                yield node, function.attr
            continue
        direct = function
        while isinstance(function, ast.Subscript | ast.Call | ast.Attribute):
            function = function.func if isinstance(function, ast.Call) else function.value
        if not isinstance(function, ast.Name) or not starts_capital(function.id):
            continue
        is_class = direct is function and is_class_name(module, function)
        if not is_class and not is_exception(module, direct):
            yield node, function.id


def starts_capital(name: str) -> bool:
    """Tell whether pscript takes the name for a class."""
    return name[0].lower() != name[0]


def is_class_name(module: Module, name: ast.Name) -> bool:
    """Tell whether a name stands for a class."""
    return isinstance(module.definition(name), ast.ClassDef)


def is_exception(module: Module, node: ast.AST) -> bool:
    """Tell whether a name is a builtin exception."""
    return (
        isinstance(node, ast.Name)
        and not module.bindings(node)
        and node.id.endswith(("Error", "Exception"))
    )


@rule(
    "class-name",
    reason="a class is told from a function by its capital",
    remedy="a class name in CapWords, at the top of the module",
)
def class_name(module: Module) -> Found:
    """Find classes in lower case, or nested."""
    for node in module.walk(ast.ClassDef):
        if (
            not starts_capital(node.name.lstrip("_"))
            or node.name.startswith("_")
            or module.parents[node] is not module.tree
        ):
            yield node, node.name


@rule(
    "class-attribute",
    reason="an attribute of the class itself is undefined",
    remedy="a constant of the module, or `self.NAME`",
)
def class_attribute(module: Module) -> Found:
    """Find attributes read from classes."""
    for node in module.walk(ast.Attribute):
        if isinstance(node.value, ast.Name) and is_class_name(module, node.value):
            yield node, f"{node.value.id}.{node.attr}"


@rule(
    "inheritance",
    reason="only one base class, given by its name, compiles",
    remedy="one base class, and no keywords",
)
def inheritance(module: Module) -> Found:
    """Find several bases, computed bases and metaclasses."""
    for node in module.walk(ast.ClassDef):
        if (
            len(node.bases) > 1
            or node.keywords
            or not all(isinstance(base, ast.Name) for base in node.bases)
        ):
            yield node, node.name


@rule(
    "dunder",
    reason="special methods and attributes are ignored, but for `__init__`",
    remedy="a method with a name of its own",
)
def dunder(module: Module) -> Found:
    """Find special methods and attributes."""
    for node in module.walk(ast.FunctionDef, ast.AsyncFunctionDef):
        if is_dunder(node.name) and node.name != "__init__":
            yield node, node.name
    for attribute in module.walk(ast.Attribute):
        is_init = attribute.attr == "__init__" and isinstance(attribute.value, ast.Call)
        if is_dunder(attribute.attr) and not is_init:
            yield attribute, attribute.attr


def is_dunder(name: str) -> bool:
    """Tell whether Python gives the name a meaning."""
    return name.startswith("__") and name.endswith("__")


@rule(
    "object-member",
    reason="every JavaScript object has a member of that name, or is measured by it",
    remedy="another name",
)
def object_member(module: Module) -> Found:
    """Find attributes that JavaScript objects have by nature."""
    for (_, name), bindings in module.attributes.items():
        if name in OBJECT_MEMBERS:
            yield bindings[0].node, name


@rule(
    "attribute",
    reason="an attribute that was never set is undefined, and no error",
    remedy="its first value in `__init__`",
)
def missing_attribute(module: Module) -> Found:
    """Find attributes of self that no class in the module sets."""
    for node in module.walk(ast.Attribute):
        owner = module.enclosing_class(node)
        if owner is None or owner.bases or not is_name(node.value, "self"):
            continue
        if isinstance(node.ctx, ast.Load) and (owner, node.attr) not in module.attributes:
            yield node, f"self.{node.attr}"


@rule(
    "unbound-method",
    reason="a method with the name of a function of JavaScript's Object loses its object",
    remedy="another name for a method that is handed on",
)
def unbound_method(module: Module) -> Found:
    """Find methods of such a name that are used without a call."""
    for node in module.walk(ast.Attribute):
        parent = module.parents[node]
        is_called = isinstance(parent, ast.Call) and parent.func is node
        if node.attr in UNBOUND and not is_called and module.methods(node.attr):
            yield node, node.attr


@rule(
    "super",
    reason="`super()` compiles in a method alone, without arguments",
    remedy="`super().method(...)` in the method itself",
)
def super_call(module: Module) -> Found:
    """Find super in nested functions, with arguments, or not called upon at once."""
    for node in module.walk(ast.Name):
        if node.id != "super":
            continue
        call = module.parents[node]
        around = next(
            (a for a in module.ancestors(node) if isinstance(a, (*FUNCTIONS, *COMPREHENSIONS))),
            None,
        )
        if (
            not isinstance(call, ast.Call)
            or call.args
            or not isinstance(module.parents[call], ast.Attribute)
            or around is None
            or not isinstance(module.parents[around], ast.ClassDef)
        ):
            yield node, ""
