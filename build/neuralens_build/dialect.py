"""pscript for the portable subset: stricter where pscript differs from Python, and smaller.

pscript compiles any Python, so it guards every operation against every type. The subset says more:
``==`` compares scalars, ``for`` goes over lists, and a method such as ``append`` or ``get`` is the
one of a list, a dict or a str. What is compiled here relies on that, and is the JavaScript that a
person would have written.
"""

import ast
import re
from typing import Any

from pscript import JSError, Parser, commonast, stdlib
from pscript.parser0 import unify

from neuralens_build.linking import MEMBER

# Functions of pscript's library written anew: smaller, and right where the originals find
# inherited names such as "constructor", or compare loosely.
LIBRARY = {
    "_pyfunc_int": "Math.trunc",
    "_pyfunc_is_dict": "(v) => v instanceof Object && !Array.isArray(v)",
}

# Methods of str, list and dict as expressions of JavaScript: the receiver, then the arguments.
METHODS = {
    "append": "{}.push({})",
    "extend": "{}.push(...{})",
    "isdigit": "/^[0-9]+$/.test({})",
    "join": "{1}.join({0})",
    "keys": "Object.keys({})",
    "replace": "{}.replaceAll({}, {})",
    "strip": "{}.trim()",
    "split": "{}.split({})",
    "startswith": "{}.startsWith({})",
    "update": "Object.assign({}, {})",
}

# The adapter's access to browser objects, as what it stands for.
ACCESS = {
    "get": "{target}.{name}",
    "put": "{target}.{name} = {rest}",
    "call": "{target}.{name}({rest})",
    "construct": "new {name}({rest})",
    "elements": "{target}",
    "record": "{target}",
    "same": "({target} === {other})",
}

# Globals that every browser has; others may be missing, and are looked up.
GLOBALS = ("Date", "JSON", "Math", "Object", "Reflect", "console", "navigator", "performance")


TYPE_TESTS = {
    "str": "typeof {} == 'string'",
    "[int, float]": "typeof {} == 'number'",
    "list": "Array.isArray({})",
    "dict": "_pyfunc_is_dict({})",
}

# Texts, which REWRITES leaves alone.
TEXT = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)
# What pscript prints around functions, as the subset allows it to be: [pattern, replacement].
REWRITES = (
    # The parameter *_, which nothing reads, and *rest.
    (r"\s+_ = Array\.prototype\.slice\.call\(arguments(?:, \d+)?\);", ""),
    (r"(\s)var _;", r"\1"),
    (
        r"\(([^()]*)\) \{((?:\s+var [\w$, ]+;)?)\s+(\w+) = Array\.prototype\.slice\.call\("
        r"arguments(?:, \d+)?\);",
        lambda found: f"({', '.join(filter(None, [found[1], '...' + found[3]]))}) {{{found[2]}",
    ),
    # No function has a ``this`` of its own, nor a name that anything reads.
    (r"\(function (?:flx_\w+ )?\(([^()]*)\) \{", r"((\1) => {"),
    (r"\}\)\.bind\(this\)", "})"),
    (r"\bfunction (?:flx_\w+ )?\(([^()]*)\) \{", r"(\1) => {"),
    # A parameter that is not given is undefined, which passes for None.
    (r"\n\s*(\w+) = \(\1 === undefined\) \? null: \1;", ""),
    # None is what a JavaScript function returns by itself.
    (r"\n\s*return null;(?=\n\s*\})", ""),
)


class Dialect(Parser):  # type: ignore[misc]  # pscript has no types
    """pscript's parser, told what the subset promises. The names of the methods are pscript's."""

    def print_node(self, node: Any) -> str:
        """Return the code of one node, in parentheses where it may need them."""
        code = self.parse(node)
        return "".join(code) if isinstance(node, commonast.Starred) else str(unify(code))

    def parse_Compare(self, node: Any) -> Any:  # noqa: N802
        """Compile a comparison: scalars strictly, None as null or undefined."""
        left, right = self.print_node(node.left_node), self.print_node(node.right_node)
        if node.op in (node.COMP.In, node.COMP.NotIn):
            return f"({'' if node.op == node.COMP.In else '!'}{right}.includes({left}))"
        operator = {"Eq": "===", "NotEq": "!=="}.get(node.op, self.COMP_OP[node.op])
        if "null" in (left, right):
            operator = operator[:2]
        return f"({left} {operator} {right})"

    def parse_BinOp(self, node: Any) -> Any:  # noqa: N802
        """Compile an operation; what a text is added to becomes text by itself."""
        right = node.right_node
        if node.op == node.OPS.Add and getattr(getattr(right, "func_node", 0), "name", "") == "str":
            return f"{self.print_node(node.left_node)} + {self.print_node(right.arg_nodes[0])}"
        return super().parse_BinOp(node)

    def parse_BoolOp(self, node: Any) -> Any:  # noqa: N802
        """Compile a condition; that a number is neither True nor False goes without saying."""
        if node.op.lower() == "and" and is_number_test(node.value_nodes[0]):
            name = node.value_nodes[0].arg_nodes[0].name
            node.value_nodes = [part for part in node.value_nodes if not is_no_bool(part, name)]
        return super().parse_BoolOp(node)

    # Sums are of numbers or texts, conditions are no lists and no dicts: as JavaScript has them.
    _pscript_overload = False

    def parse_Assign(self, node: Any) -> Any:  # noqa: N802
        """Compile an assignment, to a variable together with its declaration."""
        target = node.target_nodes[0]
        if len(node.target_nodes) > 1 or isinstance(target, commonast.Tuple):
            raise JSError("assign to one target")
        name = "".join(self.parse(target))
        declaration = self.declare(name) if isinstance(target, commonast.Name) else ""
        return self.lf(f"{declaration}{name} = {''.join(self.parse(node.value_node))};")

    def declare(self, name: str) -> str:
        """Return "var " for a variable of the present function.

        A minifier can see through what is declared together with its value.
        """
        self.vars.add(name)
        if self.vars[name] != 1 or self._stack[-1][0] != "function":
            return ""
        self.vars.__dict__.setdefault("declared", set()).add(name)
        return "var "

    def get_declarations(self, ns: Any) -> Any:
        """Return the declarations of what no assignment declares."""
        declared = getattr(ns, "declared", ())
        names = sorted(name for name, how in ns.items() if how == 1 and name not in declared)
        return self.lf(f"var {', '.join(names)};") if names else ""

    def parse_FunctionDef(self, node: Any, lambda_: bool = False, asyn: bool = False) -> Any:  # noqa: N802
        """Compile a function, an inner one with its declaration."""
        declaration = "" if lambda_ else self.declare(node.name)
        code = super().parse_FunctionDef(node, lambda_, asyn)
        if declaration:
            code[0] = code[0].replace(node.name, declaration + node.name, 1)
        return code

    def parse_Call(self, node: Any) -> Any:  # noqa: N802
        """Compile a call; the methods of str, list and dict as METHODS has them."""
        access = ACCESS.get(getattr(node.func_node, "name", ""))
        if access is not None:
            return self.print_access(access, node.arg_nodes)
        method = getattr(node.func_node, "attr", None)
        if method not in METHODS:
            return super().parse_Call(node)
        receiver = self.print_node(node.func_node.value_node)
        values = [receiver, *(self.print_node(argument) for argument in node.arg_nodes)]
        if len(values) != METHODS[method].count("{"):
            raise JSError(f"write {method} without optional arguments")
        if method == "replace" and not is_plain(node.arg_nodes[1]):
            values[2] = f"() => {values[2]}"
        return METHODS[method].format(*values)

    def method_get(self, node: Any, base: str) -> Any:
        """Compile d.get(key): what is not there is undefined, which passes for None."""
        key, *default = node.arg_nodes
        code = f"{base}[{''.join(self.parse(key))}]"
        return f"({code} ?? {self.print_node(default[0])})" if default else code

    def method_pop(self, node: Any, base: str) -> Any:
        """Compile the pop of a list, from either end."""
        if not node.arg_nodes:
            return f"{base}.pop()"
        if getattr(node.arg_nodes[0], "value", None) != 0:
            raise JSError("write pop() or pop(0); for a dict, del")
        return f"{base}.shift()"

    def print_access(self, form: str, arguments: list[Any]) -> str:
        """Compile a call of the adapter's ``get``, ``put``, ``call`` or ``construct``."""
        target, *rest = arguments
        first = target.value if isinstance(target, commonast.Str) else self.print_node(target)
        if form == ACCESS["construct"]:
            rest.insert(0, target)
            return form.format(name=first, rest=", ".join(self.print_node(a) for a in rest[1:]))
        if form == ACCESS["elements"]:
            return first
        if form == ACCESS["same"]:
            return form.format(target=first, other=self.print_node(rest[0]))
        name = getattr(rest[0], "value", None) if isinstance(rest[0], commonast.Str) else None
        if name is None or not name.isidentifier():
            raise JSError("write the name of a property or method as a literal")
        if first == "window" and (form == ACCESS["call"] or name in GLOBALS):
            form = form.removeprefix("{target}.")
        return form.format(
            target=first,
            name=name,
            rest=", ".join(self.print_node(argument) for argument in rest[1:]),
        )

    def _get_args(self, node: Any, base_name: str, use_call_or_apply: bool = False) -> Any:
        """Compile the arguments of a call, starred ones as JavaScript spreads them."""
        return ["(", ", ".join(self.print_node(argument) for argument in node.arg_nodes), ")"]

    def parse_Starred(self, node: Any) -> Any:  # noqa: N802
        """Compile a starred argument."""
        return ["...", self.print_node(node.value_node)]

    def parse_Dict(self, node: Any) -> Any:  # noqa: N802
        """Compile a dict with texts for keys."""
        pairs = zip(node.key_nodes, node.value_nodes, strict=True)
        return (
            "({" + ", ".join(f"{self.print_key(k)}: {self.print_node(v)}" for k, v in pairs) + "})"
        )

    def print_key(self, node: Any) -> str:
        """Return a dict's key: bare where it is a name, which the bundler may then shorten."""
        if isinstance(node, commonast.Str):
            bare = node.value.isidentifier()
            return str(node.value) if bare else self.print_node(node)
        return f"[{self.print_node(node)}]"

    def parse_ListComp(self, node: Any) -> Any:  # noqa: N802
        """Compile a comprehension with one loop."""
        loop, *more = node.comp_nodes
        if more:
            raise JSError("write a comprehension with one loop")
        name = self.print_node(loop.target_node)
        code = self.print_node(loop.iter_node)
        for condition in loop.if_nodes:
            code += f".filter(({name}) => {''.join(self._wrap_truthy(condition))})"
        value = self.print_node(node.element_node)
        for known in re.findall(r"\w+", name):
            self.vars.discard(known)
        # A filter has made a new list already.
        is_copy = value == name and loop.if_nodes
        return code if is_copy else f"{code}.map(({name}) => ({value}))"

    def parse_For(self, node: Any) -> Any:  # noqa: N802
        """Compile a loop over a list or a string; ranges are pscript's."""
        if getattr(getattr(node.iter_node, "func_node", None), "name", "") == "range":
            return super().parse_For(node)
        if not isinstance(node.target_node, commonast.Name) or node.else_nodes:
            raise JSError("write a for loop with one name and no else")
        name = node.target_node.name
        code = [
            self.lf(f"for ({self.declare(name)}{name} of {self.print_node(node.iter_node)}) {{")
        ]
        self._indent += 1
        for statement in node.body_nodes:
            code += self.parse(statement)
        self._indent -= 1
        return [*code, self.lf("}")]

    def parse_Return(self, node: Any) -> Any:  # noqa: N802
        """Compile a return; one of None so that REWRITES tells it from pscript's own."""
        value = "" if node.value_node is None else self.print_node(node.value_node)
        return self.lf(f"return {'' if value == 'null' else value};")

    def function_isinstance(self, node: Any) -> Any:
        """Compile isinstance for the types that JSON has."""
        value, kind = (self.print_node(argument) for argument in node.arg_nodes)
        if kind not in TYPE_TESTS:
            raise JSError(f"isinstance knows {', '.join(TYPE_TESTS)}, not {kind}")
        return "(" + TYPE_TESTS[kind].format(value) + ")"

    def function_str(self, node: Any) -> Any:
        """Compile str of a text or a number."""
        return f'({self.print_node(node.arg_nodes[0])} + "")'

    def function_list(self, node: Any) -> Any:
        """Compile list(d.keys()) without a copy of what is a list already."""
        value = self.print_node(node.arg_nodes[0])
        return value if value.startswith("Object.keys(") else f"Array.from({value})"


def is_plain(node: Any) -> bool:
    """Tell whether a replacement has no ``$``, by which JavaScript quotes what it replaces."""
    return isinstance(node, commonast.Str) and "$" not in node.value


def is_number_test(node: Any) -> bool:
    """Tell whether a node is ``isinstance(name, (int, float))``."""
    is_test = getattr(getattr(node, "func_node", None), "name", "") == "isinstance"
    return (
        is_test
        and isinstance(node.arg_nodes[0], commonast.Name)
        and isinstance(node.arg_nodes[1], commonast.Tuple)
    )


def is_no_bool(node: Any, name: str) -> bool:
    """Tell whether a node is ``name is not True`` or ``name is not False``."""
    return (
        isinstance(node, commonast.Compare)
        and node.op == node.COMP.IsNot
        and getattr(node.left_node, "name", "") == name
        and str(getattr(node.right_node, "value", None)) in ("True", "False")
    )


def is_variable(statement: ast.stmt) -> bool:
    """Tell whether a top-level statement gives a first value to what functions assign."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    return isinstance(target, ast.Name) and target.id.startswith(MEMBER)


def compile_statement(statement: ast.stmt) -> str:
    """Return the JavaScript of a top-level statement: ``name = value;``."""
    parser = Dialect(ast.unparse(statement), docstrings=False, inline_stdlib=False)
    code = re.sub(r"\Avar [\w$, ]+;\n", "", parser.dump())
    texts = iter(TEXT.findall(code))
    code = TEXT.sub('""', code)
    for pattern, replacement in REWRITES:
        code = re.sub(pattern, replacement, code)
    code = TEXT.sub(lambda _: next(texts), code)
    # Undefined is None already.
    return re.sub(r" = null;$", ";", code.strip()) if is_variable(statement) else code.strip()


def library_names(code: str) -> set[str]:
    """Return the library functions that code calls."""
    return set(re.findall(r"_py(?:func|meth)_\w+", code))


def library(names: set[str]) -> str:
    """Return a module that exports the library functions, and those they call themselves."""
    done: dict[str, str] = {}
    pending = sorted(names)
    while pending:
        name = pending.pop()
        if name not in done:
            kind, short = name.split("_", 2)[1:]
            originals = stdlib.FUNCTIONS if kind == "pyfunc" else stdlib.METHODS
            code = LIBRARY.get(name) or originals[short].strip()
            done[name] = code if "\n" in code else code.split(" //")[0]
            pending += sorted(library_names(done[name]))
    return "".join(f"export const {name} = {code};\n" for name, code in sorted(done.items()))
