"""The compiler: portable Python to modules of JavaScript, which a bundler puts together.

``compile_program`` links the singletons of a program away and writes each module. What it takes,
what it makes and how it is tested: docs/compiler.md.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from neuralens_build.compiler.code import Code
from neuralens_build.compiler.emitter import Emitter, spell
from neuralens_build.compiler.kinds import LIST, SCALAR, read_known
from neuralens_build.compiler.linker import link
from neuralens_build.compiler.records import MARK, Record, is_record, read_record
from neuralens_build.compiler.refusal import CompileError
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

# The functions that the modules import under this name.
LIBRARY = Path(__file__).parent / "library.js"


def compile_program(
    modules: Mapping[str, Source], outside: frozenset[str] = frozenset()
) -> dict[str, Code]:
    """Return the JavaScript of each module of a program, by its dotted name.

    ``outside`` are names that every module finds around it. Raises CompileError.
    """
    records = read_records(modules)
    linked = link(modules)
    trees = {name: source.tree for name, source in linked.items()}
    scalars = read_known(SCALAR, trees, records)
    lists = read_known(LIST, trees, records)
    return {
        name: Emitter(
            source.file, source.tree, records, (scalars[name], lists[name]), outside
        ).module()
        for name, source in linked.items()
    }


def compile_body(source: Source, outside: frozenset[str], before: str, after: str) -> Code:
    """Return one module whose statements are a function, between ``before`` and ``after``.

    Raises CompileError.
    """
    known = tuple(read_known(kind, {"": source.tree}, {})[""] for kind in (SCALAR, LIST))
    emitter = Emitter(source.file, source.tree, {}, known, outside)
    return emitter.wrapped(before, after)


def read_records(modules: Mapping[str, Source]) -> dict[str, Record]:
    """Return the record classes of a program, by name."""
    return {
        node.name: read_record(source.file, node)
        for source in modules.values()
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and is_record(node)
    }
