"""Loops that run another number of times."""

import ast

from neuralens_build.subset.module import Module, called, is_name, names_bound, within
from neuralens_build.subset.rules.rule import Found, rule

GROWING = ("append", "extend", "insert", "pop", "remove", "clear")


def range_loops(module: Module) -> list[tuple[ast.For, list[ast.expr]]]:
    """Return the loops over range, with its arguments."""
    return [
        (loop, loop.iter.args)
        for loop in module.walk(ast.For)
        if called(loop.iter) == "range" and isinstance(loop.iter, ast.Call)
    ]


@rule(
    "loop-else",
    reason="a `break` of an inner loop also counts for the outer one",
    remedy="a function that returns, or a flag",
)
def loop_else(module: Module) -> Found:
    """Find loops with else."""
    for node in module.walk(ast.For, ast.While):
        if node.orelse:
            yield node, ""


@rule(
    "range-end",
    reason="the end of a range is worked out anew at each pass",
    remedy="the end held in a name that the loop leaves alone",
)
def range_end(module: Module) -> Found:
    """Find ranges whose end is a call, or changes in the loop."""
    for loop, arguments in range_loops(module):
        for end in arguments[1:2] if len(arguments) > 1 else arguments:
            calls = list(within(end, ast.Call))
            names = {name.id for name in within(end, ast.Name)}
            if any(called(call) != "len" for call in calls) or names & changed(module, loop):
                yield end, ""


def changed(module: Module, loop: ast.For) -> set[str]:
    """Return the names that a loop's body assigns, or calls a changing method of."""
    found = set()
    for node in within(loop.body, ast.Name, ast.Call):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                found.add(node.id)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in GROWING:
            found |= set(names_bound(node.func.value))
    return found


@rule(
    "range-step",
    reason="a step that is no literal is taken for a rising one",
    remedy="a literal step",
)
def range_step(module: Module) -> Found:
    """Find ranges with a computed step."""
    for _, arguments in range_loops(module):
        if len(arguments) == 3:
            step = arguments[2].operand if isinstance(arguments[2], ast.UnaryOp) else arguments[2]
            if not isinstance(step, ast.Constant):
                yield arguments[2], ""


@rule(
    "range-variable",
    reason="the variable of a range is the loop's own counter: it may not change, and ends one on",
    remedy="another name for what changes, or is needed after the loop",
)
def range_variable(module: Module) -> Found:
    """Find counters that are assigned in the loop, or read after it."""
    for loop, _ in range_loops(module):
        for counter in names_bound(loop.target):
            if counter in changed(module, loop):
                yield loop.target, counter
            function = module.function(loop)
            for name in module.walk(ast.Name):
                if (
                    is_name(name, counter)
                    and isinstance(name.ctx, ast.Load)
                    and name.lineno > (loop.end_lineno or loop.lineno)
                    and module.function(name) is function
                    and not is_bound_anew(module, name, loop)
                ):
                    yield name, counter


def is_bound_anew(module: Module, name: ast.Name, loop: ast.For) -> bool:
    """Tell whether a name gets another value between a loop and its use."""
    return any(
        binding.node is not loop
        and getattr(binding.node, "lineno", getattr(binding.node, "target", name).lineno)
        > (loop.end_lineno or loop.lineno)
        for binding in module.bindings(name)
    )
