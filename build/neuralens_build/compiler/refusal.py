"""What the compiler says of a program that it does not take."""

import ast

from neuralens_build.errors import BuildError


class CompileError(BuildError):
    """A program, or a part of one, that is not of the form that compiles.

    ``line`` counts from 1, ``column`` too; both are 1 where the whole file is meant.
    """

    def __init__(self, file: str, node: ast.AST | None, reason: str, remedy: str) -> None:
        self.file = file
        self.line = getattr(node, "lineno", 0) or 1
        self.column = getattr(node, "col_offset", 0) + 1
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{file}:{self.line}:{self.column}: {reason}; write {remedy}")
