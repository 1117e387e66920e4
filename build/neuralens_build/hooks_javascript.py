"""Compiles a shop's hooks to a JavaScript module, for the compiled bundle."""

import ast
import shutil
from pathlib import Path

from neuralens_build.compiler import Source, compile_body, spell
from neuralens_build.compiler.source_map import write as write_mapped
from neuralens_build.hooks import Hooks
from neuralens_build.names import PACKAGE
from neuralens_build.subset import strip

PAGE = Path(__file__).parent / "page" / "hooks.js"
MODULE = "hooks.js"
PAGE_MODULE = "page.js"
# The function that records the current line; Python names cannot contain ``$``.
LINE = "$line"


class LineMarker(ast.NodeTransformer):
    """Records the line before each statement, so that exceptions can name it."""

    def mark(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Insert a call that records the line before each statement of a block."""
        marked: list[ast.stmt] = []
        for statement in body:
            call = ast.Call(ast.Name(LINE, ast.Load()), [ast.Constant(statement.lineno)], [])
            note = ast.copy_location(ast.Expr(call), statement)
            is_declaration = isinstance(statement, ast.Global | ast.Nonlocal)
            marked += [statement] if is_declaration else [note, statement]
        return marked

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Instrument the blocks of a compound statement."""
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, self.mark(block))
        return node


def write(hooks: Hooks | None, folder: Path) -> None:
    """Write MODULE, whose ``install()`` runs the hooks, next to the tracker's modules.

    Raises CompileError.
    """
    if hooks is None:
        (folder / MODULE).write_text("export const install = () => {};\n", "utf-8")
        return
    tree = strip(ast.parse(hooks.source))
    calls = [
        alias
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE
        for alias in node.names
    ]
    statements = [
        node
        for node in tree.body
        if not (isinstance(node, ast.ImportFrom) and node.module == PACKAGE)
    ]
    source = Source(hooks.file, hooks.source, ast.Module(mark_lines(statements), []))
    head = (
        f"import {{ bind as $bind }} from './{PAGE_MODULE}';\n"
        f"const {{ line: {LINE}, install: $install, {destructure(calls)} }} "
        f"= $bind('{hooks.file}');\n"
    )
    outside = frozenset({LINE, *(alias.asname or alias.name for alias in calls)})
    code = compile_body(source, outside, head + "export const install = () => $install", ";\n")
    (folder / MODULE).write_text(write_mapped(code, source), "utf-8")
    shutil.copy(PAGE, folder / PAGE_MODULE)


def mark_lines(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Insert a call that records the line before each statement of a module, even nested ones."""
    marker = LineMarker()
    marked: list[ast.stmt] = []
    for statement in statements:
        is_import = isinstance(statement, ast.ImportFrom)
        marked += [statement] if is_import else marker.mark([marker.visit(statement)])
    return marked


def destructure(calls: list[ast.alias]) -> str:
    """Return the destructuring pattern for the imported calls."""
    return ", ".join(f"{alias.name}: {spell(alias.asname or alias.name)}" for alias in calls)
