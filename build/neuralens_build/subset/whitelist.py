"""Checks a module by emitting it: what the compiler does not support is not portable."""

import ast
from collections.abc import Callable
from functools import partial

from neuralens_build.compiler import CompileError
from neuralens_build.compiler.code import Code, Part
from neuralens_build.compiler.emitter import Emitter
from neuralens_build.compiler.language import LOWEST
from neuralens_build.compiler.records import is_record, read_record
from neuralens_build.compiler.scopes import Facts
from neuralens_build.subset.module import Module
from neuralens_build.subset.stripping import strip

NOTHING = Code(("",))


class Whitelist(Emitter):
    """Emits every part of an unlinked module, and collects the errors in ``problems``.

    Attributes are known if a class of the tracker has them. ``outside`` are names that are defined
    outside the module.
    """

    def __init__(self, module: Module, outside: frozenset[str]) -> None:
        tree = strip(module.tree)
        classes = frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))
        super().__init__(module.filename, tree, Facts(outside=classes | outside))
        self.attributes = set(module.attribute_names())
        self.problems: list[CompileError] = []

    def run(self) -> list[CompileError]:
        """Return all errors."""
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef):
                self.check_class(node)
            elif not isinstance(node, ast.ImportFrom | ast.Import):
                self.lines(node, "")
        return self.problems

    def check_class(self, node: ast.ClassDef) -> None:
        """Check a class: a record, or a singleton that has only methods."""
        if is_record(node):
            self.keep(partial(read_record, self.file, node))
        for part in node.body:
            if isinstance(part, ast.FunctionDef):
                self.keep(partial(self.function_statement, part))
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        is_plain = not node.bases and not node.decorator_list and len(methods) == len(node.body)
        if not is_plain or not any(method.name == "__init__" for method in methods):
            self.problems.append(
                self.refuse(
                    node,
                    "a class must be a record, or have only methods",
                    "only __init__ and methods: no base classes, no class attributes",
                )
            )

    def keep(self, emit: Callable[[], object]) -> None:
        """Run an emitting function, and collect its errors."""
        scopes, depth = [*self.scopes], self.depth
        try:
            emit()
        except CompileError as error:
            self.problems.append(error)
            self.scopes, self.depth = scopes, depth

    def write(self, node: ast.AST, rank: int = LOWEST) -> Code:
        """Emit an expression, or collect its error."""
        written = NOTHING

        def emit() -> None:
            nonlocal written
            written = super(Whitelist, self).write(node, rank)

        self.keep(emit)
        return written

    def lines(self, node: ast.stmt, margin: str) -> list[Part]:
        """Emit a statement, or collect its error."""
        written: list[Part] = []

        def emit() -> None:
            nonlocal written
            written = super(Whitelist, self).lines(node, margin)

        self.keep(emit)
        return written
