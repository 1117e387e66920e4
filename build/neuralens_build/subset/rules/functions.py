"""Parameters, defaults and keyword arguments."""

import ast

from neuralens_build.subset.module import Function, Module, called, method_called
from neuralens_build.subset.rules.rule import Found, rule

KEYWORDS_OF_BUILTINS = {"sorted": ("key", "reverse"), "dict": None}
KEYWORDS_OF_METHODS = {"sort": ("key", "reverse")}


def functions(module: Module) -> list[Function]:
    """Return every function and lambda."""
    return list(module.walk(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


@rule(
    "positional-only",
    reason="MicroPython has no positional-only parameters",
    remedy="plain parameters",
    engine="micropython",
)
def positional_only(module: Module) -> Found:
    """Find positional-only parameters."""
    for node in functions(module):
        if node.args.posonlyargs:
            yield node, ""


@rule(
    "required-keyword",
    reason="a keyword-only parameter without a default does not compile",
    remedy="a default",
)
def required_keyword(module: Module) -> Found:
    """Find keyword-only parameters without a default."""
    for node in functions(module):
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if default is None:
                yield argument, argument.arg


@rule(
    "default",
    reason="a default is worked out anew at each call, and undefined where it names itself",
    remedy="a literal, a constant or None, or a function that makes the function",
)
def default_value(module: Module) -> Found:
    """Find defaults that are no constants, and defaults of lambdas."""
    for node in functions(module):
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None and (isinstance(node, ast.Lambda) or not is_constant(default)):
                yield default, ""


def is_constant(node: ast.expr) -> bool:
    """Tell whether an expression is a literal or the name of a constant."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Tuple):
        return all(is_constant(part) for part in node.elts)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


@rule(
    "keyword",
    reason="a keyword for an ordinary parameter corrupts all arguments",
    remedy="the argument by position, or make the parameter keyword-only with a default",
)
def keyword(module: Module) -> Found:
    """Find keywords that no function of that name takes as keyword-only."""
    for node in module.walk(ast.Call):
        if not node.keywords:
            continue
        takers = signatures(module, node)
        for given in node.keywords:
            name = given.arg
            if takers is None:
                allowed: tuple[str, ...] | None = ()
                if (function := called(node)) in KEYWORDS_OF_BUILTINS:
                    allowed = KEYWORDS_OF_BUILTINS[function or ""]
                elif (method := method_called(node)) in KEYWORDS_OF_METHODS:
                    allowed = KEYWORDS_OF_METHODS[method or ""]
                if allowed is not None and name not in allowed:
                    yield given, name or "**"
            elif not any(takes(taker, name) for taker in takers):
                yield given, name or "**"


def signatures(module: Module, call: ast.Call) -> list[ast.arguments] | None:
    """Return the signatures that a call may have; None when its function is not known."""
    if isinstance(call.func, ast.Name):
        made = module.definition(call.func)
        if isinstance(made, ast.ClassDef):
            return [
                part.args
                for part in made.body
                if isinstance(part, ast.FunctionDef) and part.name == "__init__"
            ]
        return [made.args] if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef) else None
    if isinstance(call.func, ast.Attribute):
        methods = module.methods(call.func.attr)
        return [method.args for method in methods] or None
    return None


def takes(taker: ast.arguments, name: str | None) -> bool:
    """Tell whether a signature takes a keyword; None stands for two stars."""
    if name is None:
        return taker.kwarg is not None or bool(taker.kwonlyargs)
    return taker.kwarg is not None or any(part.arg == name for part in taker.kwonlyargs)


@rule(
    "await",
    reason="a coroutine runs at once in JavaScript, and only when awaited in Python",
    remedy="`await` in front of the call",
)
def unawaited(module: Module) -> Found:
    """Find calls of coroutines that are not awaited."""
    for node in module.walk(ast.Call):
        if isinstance(node.func, ast.Name):
            is_async = isinstance(module.definition(node.func), ast.AsyncFunctionDef)
            if is_async and not isinstance(module.parents[node], ast.Await):
                yield node, node.func.id
