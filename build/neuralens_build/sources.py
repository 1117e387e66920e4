"""Prepares what the heavy runtimes run: the modules, in order and stripped, and the builtins."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import neuralens_tracker

from neuralens_build import npm_tools
from neuralens_build.errors import BuildError
from neuralens_build.names import ADAPTER, PACKAGE
from neuralens_build.subset.stripping import ANNOTATION_MODULES, is_docstring

ENTRY = f"{PACKAGE}.late"


class SourceError(BuildError):
    """A module is missing, or imports one that the runtime lacks; the message names it."""


@dataclass(frozen=True)
class Span:
    """A part of a source to be replaced: its start and end in bytes, and what takes its place."""

    start: int
    end: int
    replacement: bytes = b""


def read(adapter: str) -> dict[str, str]:
    """Return the source of every module of the tracker by its dotted name.

    ``adapter`` is the runtime's ("brython", "micropython"), which is included as ADAPTER.
    """
    package = Path(neuralens_tracker.__file__).parent
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if name == f"{ADAPTER}_{adapter}":
            modules[ADAPTER] = path.read_text("utf-8")
        elif not name.startswith(f"{ADAPTER}_"):
            modules[name] = path.read_text("utf-8")
    if ADAPTER not in modules:
        raise SourceError(f"the tracker has no adapter {ADAPTER}_{adapter}")
    return modules


def in_order(modules: Mapping[str, str], provided: Iterable[str], *entries: str) -> list[str]:
    """Return the names of the entries and their dependencies, in topological order.

    ``modules`` maps dotted names to Python source; ``provided`` are the runtime's own modules.
    Raises SourceError for an import of any other module, and for a cycle.
    """
    graph: dict[str, list[str]] = {}
    pending = list(entries)
    while pending:
        name = pending.pop()
        if name not in modules:
            raise SourceError(f"{name} is not among the modules")
        if name not in graph:
            graph[name] = imports(modules, name, provided)
            pending += graph[name]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " imports ".join(reversed(error.args[1]))
        raise SourceError(f"modules import each other in a circle: {circle}") from error


def imports(modules: Mapping[str, str], name: str, provided: Iterable[str]) -> list[str]:
    """Return the modules that the module ``name`` imports, sorted."""
    known = set(provided)
    found = set()
    for node in ast.walk(ast.parse(modules[name], name)):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            wanted = [(origin, f"{origin}.{alias.name}") for alias in node.names]
        else:
            continue
        for module, submodule in wanted:
            if module in ANNOTATION_MODULES:
                continue
            if submodule in modules or module in modules:
                found.add(submodule if submodule in modules else module)
            elif module not in known:
                raise SourceError(
                    f"{name}, line {node.lineno}: there is no module {module} in the page: "
                    "import modules of the tracker, by their full names"
                )
    return sorted(found - {name})


def bundle_builtins() -> str:
    """Return the JavaScript that declares the builtins which a runtime needs, in its own scope.

    They take the place of the page's, some of which the page may have replaced.
    """
    functions = npm_tools.run_esbuild(
        "--bundle",
        "--format=iife",
        text='import { builtins } from "./builtins.js"; restored = builtins();',
        folder=Path(__file__).parent / "page",
    )
    # In the scope of these declarations, ``functions`` reaches the page's own by globalThis alone.
    names = "Map, Set, WeakMap, WeakSet, Array, Object"
    return f"let restored;\n{functions}\nconst [{names}] = restored;\n"


def strip_text(source: str) -> str:
    """Return the source without docstrings, annotations, comments and typing imports.

    Every statement stays on its line, so that tracebacks have the original line numbers.
    """
    text = source.encode()
    starts = [0, *(match.end() for match in re.finditer(b"\n", text))]
    spans = [*find_statements(source, starts), *find_comments(source, starts)]
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        lines = text.count(b"\n", span.start, span.end)
        # An annotation may run over lines where only a backslash continues the statement.
        ends = (b"\n" if span.replacement else b"\\\n") * lines
        text = text[: span.start] + span.replacement + ends + text[span.end :]
    return re.sub(r"[ \t]+$", "", text.decode(), flags=re.MULTILINE)


def find_statements(source: str, starts: list[int]) -> list[Span]:
    """Return the spans of docstrings, annotations and typing imports.

    ``starts`` are the positions of the lines, in bytes.
    """
    text = source.encode()
    spans: list[Span] = []

    def place(node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
        last, column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return starts[node.lineno - 1] + node.col_offset, starts[last - 1] + column

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if node.body and is_docstring(node.body[0]):
                spans.append(Span(*place(node.body[0]), b"pass"))
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                start, end = place(node.returns)
                spans.append(Span(text.rindex(b"->", 0, start), end))
        elif isinstance(node, ast.arg) and node.annotation is not None:
            spans.append(Span(place(node)[0] + len(node.arg.encode()), place(node)[1]))
        elif isinstance(node, ast.AnnAssign) and node.value is None:
            spans.append(Span(*place(node), b"pass"))
        elif isinstance(node, ast.AnnAssign):
            spans.append(Span(place(node.target)[1], place(node.annotation)[1]))
        elif isinstance(node, ast.ImportFrom) and node.module in ANNOTATION_MODULES:
            spans.append(Span(*place(node), b"pass"))
    return spans


def find_comments(source: str, starts: list[int]) -> list[Span]:
    """Return the spans of the comments."""
    return [
        Span(
            starts[token.start[0] - 1] + len(token.line[: token.start[1]].encode()),
            starts[token.start[0] - 1] + len(token.line[: token.end[1]].encode()),
        )
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
