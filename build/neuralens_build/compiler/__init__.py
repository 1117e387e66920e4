"""Compiles portable Python to JavaScript modules, which esbuild then bundles.

``compile_program`` replaces singletons by module-level functions and variables, and emits each
module. Input, output and tests are described in docs/compiler.md.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from neuralens_build.compiler.code import Code
from neuralens_build.compiler.effects import read_effects
from neuralens_build.compiler.emitter import Emitter
from neuralens_build.compiler.kinds import LIST, SCALAR, read_known
from neuralens_build.compiler.linker import link
from neuralens_build.compiler.records import MARK, Record, is_record, read_record
from neuralens_build.compiler.refusal import CompileError
from neuralens_build.compiler.scopes import Facts, spell
from neuralens_build.compiler.source import Source

__all__ = [
    "LIBRARY",
    "MARK",
    "CompileError",
    "Source",
    "compile_body",
    "compile_program",
    "spell",
]

# The runtime library that the emitted modules import.
LIBRARY = Path(__file__).parent / "library.js"


def compile_program(
    modules: Mapping[str, Source], outside: frozenset[str] = frozenset()
) -> dict[str, Code]:
    """Return the JavaScript of each module of a program, by its dotted name.

    ``outside`` are the names of globals. Raises CompileError.
    """
    records = read_records(modules)
    linked = link(modules)
    trees = {name: source.tree for name, source in linked.items()}
    scalars = read_known(SCALAR, trees, records)
    lists = read_known(LIST, trees, records)
    effects = read_effects(trees.values(), records)
    emitted = {}
    for name, source in linked.items():
        facts = Facts(records, (scalars[name], lists[name]), outside, effects)
        emitted[name] = Emitter(source.file, source.tree, facts).module()
    return emitted


def compile_body(source: Source, outside: frozenset[str], before: str, after: str) -> Code:
    """Compile one module to the body of a function, between ``before`` and ``after``.

    Raises CompileError.
    """
    known = tuple(read_known(kind, {"": source.tree}, {})[""] for kind in (SCALAR, LIST))
    facts = Facts({}, known, outside, read_effects([source.tree], {}))
    return Emitter(source.file, source.tree, facts).wrapped(before, after)


def read_records(modules: Mapping[str, Source]) -> dict[str, Record]:
    """Return the record classes of a program, by name."""
    return {
        node.name: read_record(source.file, node)
        for source in modules.values()
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and is_record(node)
    }
