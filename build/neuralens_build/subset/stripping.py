"""Strips docstrings, annotations and typing imports from a module before it is compiled."""

import ast
import copy
from typing import TypeVar

from neuralens_build.names import TYPES

# Modules whose names are used only in annotations.
ANNOTATION_MODULES = ("typing", "collections.abc", TYPES)

Definition = TypeVar("Definition", ast.FunctionDef, ast.AsyncFunctionDef)


class Stripper(ast.NodeTransformer):
    """Removes docstrings, imports of ANNOTATION_MODULES, and annotations except in signatures."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        """Remove imports for annotations."""
        return None if node.module in ANNOTATION_MODULES else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Replace an annotated assignment by a plain one; remove a bare annotation."""
        if node.value is None:
            return None
        plain = ast.Assign(targets=[node.target], value=self.visit(node.value))
        return ast.copy_location(plain, node)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Remove the module's docstring."""
        self.generic_visit(node)
        node.body = without_docstring(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Remove the class's docstring."""
        self.generic_visit(node)
        node.body = without_docstring(node.body) or [pass_at(node)]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Remove the function's docstring."""
        return self.strip_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """Remove the function's docstring."""
        return self.strip_function(node)

    def strip_function(self, node: Definition) -> Definition:
        """Strip a function's body."""
        self.generic_visit(node)
        node.body = without_docstring(node.body) or [pass_at(node)]
        return node


def strip(tree: ast.Module) -> ast.Module:
    """Return a copy of a module without docstrings, typing imports and most annotations.

    Signatures keep their annotations, for the compiler. Line numbers are unchanged.
    """
    stripped: ast.Module = Stripper().visit(copy.deepcopy(tree))
    return stripped


def is_docstring(statement: ast.AST) -> bool:
    """Return whether a statement is only a string."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements after the docstring."""
    return body[1:] if body and is_docstring(body[0]) else body


def pass_at(node: ast.stmt) -> ast.Pass:
    """Return a pass statement at the position of a node."""
    return ast.copy_location(ast.Pass(), node)
