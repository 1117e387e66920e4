"""Validates a shop's own hooks: one Python file, which is compiled into the bundles or loaded.

It has functions, values and, among them, the calls that hand the functions to the tracker:

    from neuralens_tracker import before, on

    def drop_staff(event):
        return None if event.get("uid") == "staff" else event

    before(drop_staff)
"""

import ast
import difflib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from neuralens_build import sources
from neuralens_build.errors import BuildError
from neuralens_build.names import PACKAGE
from neuralens_build.subset import check
from neuralens_build.subset.stripping import ANNOTATION_MODULES

# Modules of the tracker that have only constants and plain functions.
PLAIN = (f"{PACKAGE}.vocabulary", f"{PACKAGE}.value_types")
# The most bytes of a hooks file, since pages load it.
MAX_BYTES = 100_000
# Functions of the package that are not public calls.
INTERNAL = ("call", "hand_over", "report")
# The calls that register a function.
REGISTERING = ("before", "on")
NAME = re.compile(r"[a-z][a-z0-9_]*")
# Names that are taken by modules of an engine or of the bundle.
TAKEN = frozenset((*sys.stdlib_module_names, "browser", "js", "jsffi", "micropython", "pyscript"))


class HooksError(BuildError):
    """A file cannot be used as hooks; the message names file, line and remedy."""


@dataclass(frozen=True)
class Hooks:
    """A valid hooks file: the name of its module, and its source."""

    name: str
    source: str

    @property
    def file(self) -> str:
        """The file name for messages in a page."""
        return f"{self.name}.py"


def read(path: Path) -> Hooks:
    """Read the hooks in a file.

    Raises HooksError if it is missing, not Python, not portable, or not a hooks file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HooksError(f"cannot read {path}: {error.strerror}") from error
    if not NAME.fullmatch(path.stem) or path.suffix != ".py":
        raise HooksError(
            f"{path} cannot be imported: give it a name of a-z, 0-9 and _ that ends in .py"
        )
    if path.stem in TAKEN or path.stem.startswith("neuralens_"):
        raise HooksError(f"{path} has the name of another module: give it a name of its own")
    if len(content) > MAX_BYTES:
        raise HooksError(f"{path} has {len(content):,} bytes: give at most {MAX_BYTES:,}")
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise HooksError(f"{path}:{line}: this is not UTF-8: save the file as UTF-8") from error
    if "\0" in source:
        line = source.count("\n", 0, source.index("\0")) + 1
        raise HooksError(f"{path}:{line}: this is not text: give a Python file")
    problems = check(source, str(path))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise HooksError(f"{problems[0]}{more}")
    check_form(ast.parse(source), path)
    return Hooks(path.stem, source)


def check_form(tree: ast.Module, path: Path) -> None:
    """Raise HooksError if a portable module is not a hooks file."""
    registers = False
    for statement in tree.body:
        place = f"{path}:{statement.lineno}"
        if isinstance(statement, ast.ImportFrom):
            check_import(statement, place)
        elif not is_allowed(statement):
            raise HooksError(
                f"{place}: a hooks file has functions, values and calls at its top: "
                "put this into a function"
            )
        registers |= is_registration(statement, tree)
    if not registers:
        raise HooksError(
            f"{path}:1: nothing is handed to the tracker: call before(function) or "
            "on(name, function) at the top of the module"
        )


def is_allowed(statement: ast.stmt) -> bool:
    """Return whether a statement is allowed at the top level of a hooks file."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], ast.Name)
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call | ast.Constant)
    return isinstance(statement, ast.FunctionDef | ast.Pass)


def check_import(statement: ast.ImportFrom, place: str) -> None:
    """Raise HooksError for an import that a page does not have."""
    module = statement.module or ""
    if module in ANNOTATION_MODULES:
        return
    if module not in (PACKAGE, *PLAIN):
        raise HooksError(
            f"{place}: hooks have no {module}: import from {PACKAGE}, {' or '.join(PLAIN)} alone"
        )
    names = defined_in(module)
    for alias in statement.names:
        if alias.name not in names:
            close = difflib.get_close_matches(alias.name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
            raise HooksError(f"{place}: {module} has no {alias.name}: {hint}")


def is_registration(statement: ast.stmt, tree: ast.Module) -> bool:
    """Return whether a statement registers a function."""
    names = [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE
        for alias in node.names
        if alias.name in REGISTERING
    ]
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names


def defined_in(module: str) -> list[str]:
    """Return what hooks may import from a module of the tracker."""
    names = []
    for node in ast.parse(sources.read("brython")[module]).body:
        if isinstance(node, ast.FunctionDef) and node.name not in INTERNAL:
            names.append(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.append(node.targets[0].id)
    return names
