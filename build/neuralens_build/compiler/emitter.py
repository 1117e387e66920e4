"""Emits JavaScript for the syntax tree of a module; raises CompileError for unsupported syntax.

Its base classes emit statements, calls and expressions, and know the names in scope.
"""

import ast

from neuralens_build.compiler.code import Code, Part
from neuralens_build.compiler.language import ASSIGNMENT
from neuralens_build.compiler.linker import MEMBER as MEMBER_OF_OBJECT
from neuralens_build.compiler.records import is_none
from neuralens_build.compiler.scopes import Scope, bound_in, spell
from neuralens_build.compiler.statements import Statements

LIBRARY_FILE = "library.js"
# Precedes module-level calls without side effects, so that unused results are tree-shaken.
# https://esbuild.github.io/api/#pure
PURE = "/* @__PURE__ */ "


class Emitter(Statements):
    """Emits one module, with its imports and exports."""

    def module(self) -> Code:
        """Return an ES module that exports the top-level names."""
        variables = self.variables()
        lines: list[Part] = []
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom):
                lines += [self.emit_import(node)]
            elif isinstance(node, ast.FunctionDef):
                lines += ["export const ", self.function_statement(node), "\n"]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = self.single_target(node)
                lines += ["export let " if name in variables else "export const "]
                lines += [self.first_value(node), "\n"]
            else:
                raise self.refuse(
                    node, "a module has functions and values at its top", "a function"
                )
        return Code((self.import_library(), *lines))

    def wrapped(self, before: str, after: str) -> Code:
        """Return the imports, and the top-level statements between two texts."""
        imports = [node for node in self.tree.body if isinstance(node, ast.ImportFrom)]
        body = [node for node in self.tree.body if not isinstance(node, ast.ImportFrom)]
        lines: list[Part] = [self.emit_import(node) for node in imports]
        self.scopes[0] = Scope(self.scopes[0].names - bound_in(body))
        self.scopes.append(Scope(bound_in(body)))
        function = self.block(body)
        return Code((self.import_library(), *lines, before, "(() => ", function, ")", after))

    def import_library(self) -> str:
        """Return the import of the library functions that the emitted code calls."""
        names = ", ".join(sorted(self.library))
        return f"import {{ {names} }} from './{LIBRARY_FILE}';\n" if names else ""

    def variables(self) -> set[str]:
        """Return the module-level names that are reassigned."""
        return {
            name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Global)
            for name in node.names
        }

    def first_value(self, node: ast.Assign) -> Code:
        """Return ``name = value;``, or ``name;`` for an unset member: undefined suffices."""
        target = node.targets[0]
        is_unset = is_none(node.value) and str(getattr(target, "id", "")).startswith(
            MEMBER_OF_OBJECT
        )
        if is_unset:
            return self.code(node, self.write(target), ";")
        value = self.write(node.value, ASSIGNMENT)
        pure = [PURE] if self.is_call_of_function(node.value) else []
        return self.code(node, self.write(target), " = ", *pure, value, ";")

    def is_call_of_function(self, node: ast.expr) -> bool:
        """Return whether a call is emitted as a call, and not inlined or built as a record."""
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and self.is_bound(node.func.id)
            and node.func.id not in self.access
            and node.func.id not in self.records
        )

    def emit_import(self, node: ast.ImportFrom) -> Code:
        """Return an import, without the adapter functions that are inlined."""
        names = [
            f"{alias.name} as {spell(alias.asname)}" if alias.asname else spell(alias.name)
            for alias in node.names
            if (alias.asname or alias.name) not in self.access and alias.name not in self.records
        ]
        text = f"import {{ {', '.join(names)} }} from './{node.module}.js';\n" if names else ""
        return Code((text,))
