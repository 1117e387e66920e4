"""The compiler's error."""

import ast

from neuralens_build.errors import BuildError


class CompileError(BuildError):
    """A construct that the compiler does not support; the message includes the remedy.

    ``line`` and ``column`` count from 1; both are 1 if the whole file is meant.
    """

    def __init__(self, file: str, node: ast.AST | None, reason: str, remedy: str) -> None:
        self.file = file
        self.line = getattr(node, "lineno", 0) or 1
        self.column = getattr(node, "col_offset", 0) + 1
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{file}:{self.line}:{self.column}: {reason}; write {remedy}")
