"""Tables of the supported operators, builtins and methods, with their JavaScript templates.

In a template the arguments are ``{0}``, ``{1}``, ...; of a method ``{0}`` is the receiver.
``$name`` is a function of ``library.js``.
"""

import ast
import builtins
from dataclasses import dataclass

# JavaScript's precedence levels: an expression is parenthesized if its context needs a higher one.
# https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Operators/Operator_precedence
LOWEST = 0
ASSIGNMENT = 2
OR = 4
AND = 5
EQUALITY = 9
RELATION = 10
SUM = 12
PRODUCT = 13
POWER = 14
UNARY = 15
NUMBER = 17
MEMBER = 18
ATOM = 20


@dataclass(frozen=True)
class Template:
    """The JavaScript of a call; ``ranks`` are the precedences that the arguments need."""

    text: str
    ranks: tuple[int, ...]
    rank: int = MEMBER


@dataclass(frozen=True)
class Operator:
    """A JavaScript operator, with the precedences that its operands need."""

    text: str
    rank: int
    left: int
    right: int


def infix(text: str, rank: int) -> Operator:
    """Return a left-associative operator."""
    return Operator(f" {text} ", rank, rank, rank + 1)


ARITHMETIC: dict[type[ast.operator], Operator] = {
    ast.Add: infix("+", SUM),
    ast.Sub: infix("-", SUM),
    ast.Mult: infix("*", PRODUCT),
    ast.Div: infix("/", PRODUCT),
    ast.Pow: Operator(" ** ", POWER, UNARY + 1, POWER),
}
COMPARISON: dict[type[ast.cmpop], Operator] = {
    ast.Eq: infix("===", EQUALITY),
    ast.Is: infix("===", EQUALITY),
    ast.NotEq: infix("!==", EQUALITY),
    ast.IsNot: infix("!==", EQUALITY),
    ast.Lt: infix("<", RELATION),
    ast.LtE: infix("<=", RELATION),
    ast.Gt: infix(">", RELATION),
    ast.GtE: infix(">=", RELATION),
}

# Builtins by name and number of arguments.
BUILTINS: dict[str, dict[int, Template]] = {
    "abs": {1: Template("Math.abs({0})", (ASSIGNMENT,))},
    "float": {1: Template("Number({0})", (ASSIGNMENT,))},
    "int": {1: Template("Math.trunc({0})", (ASSIGNMENT,))},
    "len": {1: Template("{0}.length", (MEMBER,))},
    "list": {1: Template("[...{0}]", (ASSIGNMENT,), ATOM)},
    "max": {
        1: Template("Math.max(...{0})", (ASSIGNMENT,)),
        2: Template("Math.max({0}, {1})", (ASSIGNMENT,) * 2),
    },
    "min": {
        1: Template("Math.min(...{0})", (ASSIGNMENT,)),
        2: Template("Math.min({0}, {1})", (ASSIGNMENT,) * 2),
    },
    "ord": {1: Template("{0}.codePointAt(0)", (MEMBER,))},
    "range": {
        1: Template("$range(0, {0}, 1)", (ASSIGNMENT,)),
        2: Template("$range({0}, {1}, 1)", (ASSIGNMENT,) * 2),
        3: Template("$range({0}, {1}, {2})", (ASSIGNMENT,) * 3),
    },
    "sorted": {1: Template("$sorted({0})", (ASSIGNMENT,))},
    "str": {1: Template('{0} + ""', (SUM,), SUM)},
}
# Methods of text, lists and dicts by name and number of arguments.
METHODS: dict[str, dict[int, Template]] = {
    "append": {1: Template("{0}.push({1})", (MEMBER, ASSIGNMENT))},
    "copy": {0: Template("$copy({0})", (ASSIGNMENT,))},
    "endswith": {1: Template("{0}.endsWith({1})", (MEMBER, ASSIGNMENT))},
    "extend": {1: Template("{0}.push(...{1})", (MEMBER, ASSIGNMENT))},
    "find": {1: Template("{0}.indexOf({1})", (MEMBER, ASSIGNMENT))},
    "get": {
        1: Template("{0}[{1}]", (MEMBER, LOWEST)),
        2: Template("$get({0}, {1}, {2})", (ASSIGNMENT,) * 3),
    },
    "insert": {2: Template("{0}.splice({1}, 0, {2})", (MEMBER, ASSIGNMENT, ASSIGNMENT))},
    "join": {1: Template("{1}.join({0})", (ASSIGNMENT, MEMBER))},
    "keys": {0: Template("Object.keys({0})", (ASSIGNMENT,))},
    "lower": {0: Template("{0}.toLowerCase()", (MEMBER,))},
    "pop": {
        0: Template("{0}.pop()", (MEMBER,)),
        1: Template("{0}.shift()", (MEMBER,)),
    },
    "remove": {1: Template("$remove({0}, {1})", (ASSIGNMENT, ASSIGNMENT))},
    "replace": {
        2: Template("{0}.replaceAll({1}, () => {2})", (MEMBER, ASSIGNMENT, ASSIGNMENT)),
    },
    "sort": {0: Template("$sort({0})", (ASSIGNMENT,))},
    "split": {1: Template("{0}.split({1})", (MEMBER, ASSIGNMENT))},
    "startswith": {1: Template("{0}.startsWith({1})", (MEMBER, ASSIGNMENT))},
    "strip": {0: Template("{0}.trim()", (MEMBER,))},
    "update": {1: Template("Object.assign({0}, {1})", (ASSIGNMENT, ASSIGNMENT))},
}
# Methods whose JavaScript has a value where Python has None.
VOID = frozenset(("append", "extend", "insert", "update"))
# The exceptions that can be raised: `except` matches an exception by its own name alone, so none
# has a parent that can be caught.
CATCHING_ALL = (Exception, BaseException, object)
UNCAUGHT = ("LookupError", "ArithmeticError", "OSError")
EXCEPTIONS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}
RAISED = frozenset(
    name
    for name, kind in EXCEPTIONS.items()
    if all(base in CATCHING_ALL or base.__name__ in UNCAUGHT for base in kind.__mro__[1:])
)
# The types that isinstance supports, by their source text.
TYPES: dict[str, Template] = {
    "str": Template('typeof {0} === "string"', (UNARY,), EQUALITY),
    "bool": Template('typeof {0} === "boolean"', (UNARY,), EQUALITY),
    "(int, float)": Template('typeof {0} === "number"', (UNARY,), EQUALITY),
    "list": Template("Array.isArray({0})", (ASSIGNMENT,)),
    "dict": Template("$is_dict({0})", (ASSIGNMENT,)),
}


@dataclass(frozen=True)
class Access:
    """A function of the adapter that is inlined.

    Its minimum and maximum number of arguments, and which of them names a property, a method
    or a class.
    """

    least: int
    most: int | None
    name: int | None


ACCESS: dict[str, Access] = {
    "get": Access(2, 2, 1),
    "put": Access(3, 3, 1),
    "call": Access(2, None, 1),
    "construct": Access(1, None, 0),
    "elements": Access(1, 1, None),
    "record": Access(1, 1, None),
    "same": Access(2, 2, None),
}
# Properties of ``window`` that every page has: they are written without it. Others may be missing,
# and are looked up.
GLOBALS = frozenset(("Date", "JSON", "Math", "Object", "Reflect", "navigator", "performance"))
# Names of JavaScript that the adapter itself may use.
NATIVE = frozenset(("JSON", "Object", "Proxy", "Reflect", "console", "globalThis"))
# Names with a meaning in JavaScript or in the emitted code: a variable of that name gets a ``$``,
# which no name in Python has.
TAKEN = frozenset(
    (
        *("arguments", "async", "await", "break", "case", "catch", "class", "const", "continue"),
        *("debugger", "default", "delete", "do", "else", "enum", "eval", "export", "extends"),
        *("false", "finally", "for", "function", "if", "implements", "import", "in", "instanceof"),
        *("interface", "let", "new", "null", "of", "package", "private", "protected", "public"),
        *("return", "static", "super", "switch", "this", "throw", "true", "try", "typeof"),
        *("undefined", "var", "void", "while", "with", "yield"),
        *("Array", "Error", "Infinity", "JSON", "Math", "NaN", "Number", "Object", "String"),
        *("console", "globalThis"),
    )
)

# What to write instead of unsupported syntax.
REMEDIES: dict[str, str] = {
    "Set": "a list, or a dict with the members as keys",
    "SetComp": "a list, or a dict with the members as keys",
    "DictComp": "a loop",
    "GeneratorExp": "a list comprehension",
    "Yield": "a function that returns a list",
    "YieldFrom": "a function that returns a list",
    "NamedExpr": "an assignment on a line of its own",
    "Match": "`if` and `elif`",
    "With": "`try` and `finally`",
    "AsyncFunctionDef": "a function, and a callback for what comes later",
    "Await": "a callback for what comes later",
    "Starred": "a star in front of an argument alone",
    "Assert": "`if` and `raise`",
    "ClassDef": "the class at the top of a module",
    "Import": "`from module import name` at the top of the module",
    "ImportFrom": "the import at the top of the module",
    "Slice": "a slice of a list or a string",
    "TryStar": "`except`",
}
# What to write instead of unsupported builtins.
REPLACEMENTS: dict[str, str] = {
    "all": "a loop",
    "any": "a loop",
    "bool": "a comparison",
    "dict": "`{...}`, or `copy()`",
    "enumerate": "a loop over `range(len(xs))`",
    "filter": "a list comprehension",
    "map": "a list comprehension",
    "print": "nothing: `data-debug` on the script tag shows every event on the console",
    "reversed": "a loop over `range(len(xs) - 1, -1, -1)`",
    "round": "`int(x + 0.5)` for a positive x",
    "set": "a list, or a dict with the members as keys",
    "sum": "a loop",
    "tuple": "a list",
    "zip": "a loop over `range(len(xs))`",
}
