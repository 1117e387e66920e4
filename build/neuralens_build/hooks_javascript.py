"""A shop's hooks as a module of JavaScript, for the compiled bundle."""

import ast
from pathlib import Path

from pscript import JSError

from neuralens_build.dialect import compile_statement, library, library_names
from neuralens_build.hooks import PACKAGE, Hooks, HooksError
from neuralens_build.subset import strip

PAGE = Path(__file__).parent / "page" / "hooks.js"
MODULE = "hooks.js"
LIBRARY = "hooks_library.js"
# Names beside the hooks' own, from which the subset keeps this prefix. LINE is the call that notes
# which line runs.
LINE = "flx_line"


class LineMarker(ast.NodeTransformer):
    """Notes the line before each statement, so that what is raised can be placed."""

    def mark(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return the statements of a block with a note before each."""
        marked: list[ast.stmt] = []
        for statement in body:
            call = ast.Call(ast.Name(LINE, ast.Load()), [ast.Constant(statement.lineno)], [])
            is_declaration = isinstance(statement, ast.Global | ast.Nonlocal)
            marked += [statement] if is_declaration else [ast.Expr(call), statement]
        return marked

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Mark the blocks of a compound statement."""
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, self.mark(block))
        return node


def write(hooks: Hooks | None, folder: Path) -> None:
    """Write MODULE, whose ``install()`` runs the hooks, beside the tracker's modules.

    Raises HooksError for what does not compile.
    """
    if hooks is None:
        (folder / MODULE).write_text("export const install = () => {};\n", "utf-8")
        return
    tree = strip(ast.parse(hooks.source))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    statements = [node for node in tree.body if not isinstance(node, ast.ImportFrom)]
    code = "".join(compile_line(statement, hooks) for statement in statements)
    lines = [
        f"import {{ bind as flx_bind }} from '{PAGE.as_posix()}';",
        f"import {{ {', '.join(sorted(library_names(code)))} }} from './{LIBRARY}';",
        *(import_words(node) for node in imports if node.module != PACKAGE),
        f"const {{ line: {LINE}, install: flx_install, {take_calls(imports)} }} "
        f"= flx_bind('{hooks.file}');",
        *(f"let {name};" for name in assigned(statements)),
        f"const flx_start = () => flx_install(() => {{\n{code}}});",
        "export { flx_start as install };\n",
    ]
    (folder / MODULE).write_text("\n".join(lines), "utf-8")
    (folder / LIBRARY).write_text(library(library_names(code)), "utf-8")


def compile_line(statement: ast.stmt, hooks: Hooks) -> str:
    """Return the JavaScript of a statement at the top of the module."""
    marker = LineMarker()
    marked = marker.mark([marker.visit(statement)])
    try:
        return "".join(compile_statement(ast.fix_missing_locations(part)) + "\n" for part in marked)
    except JSError as error:
        reason = str(error).strip().splitlines()[-1]
        raise HooksError(
            f"{hooks.file}:{statement.lineno}: this does not compile: {reason}"
        ) from error


def import_words(node: ast.ImportFrom) -> str:
    """Return the import of words of the vocabulary."""
    names = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in node.names)
    return f"import {{ {names} }} from './{node.module}.js';"


def take_calls(imports: list[ast.ImportFrom]) -> str:
    """Return the pattern that takes the imported calls."""
    aliases = [alias for node in imports if node.module == PACKAGE for alias in node.names]
    return ", ".join(f"{a.name}: {a.asname}" if a.asname else a.name for a in aliases)


def assigned(statements: list[ast.stmt]) -> list[str]:
    """Return the names that the module defines, each once."""
    names: dict[str, None] = {}
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            names[statement.name] = None
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names[statement.targets[0].id] = None
    return list(names)
