"""Bundles and minifies a folder of modules to one file and its source map.

esbuild bundles and tree-shakes. The Closure Compiler, in its safe mode, inlines functions that are
called once and gives the parameters of all functions the same few names, which compresses better:
by esbuild alone the script is a tenth larger. Each reads the source map of its input from a comment
at the end, and composes its own with it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from neuralens_build.compiler import MARK
from neuralens_build.compiler.source_map import annotate, split
from neuralens_build.npm_tools import run_esbuild, run_program

# Matches the attributes of records, to be shortened.
SHORTEN = f"--mangle-props=\\{MARK}$"
MAPPED = "--sourcemap=inline"
BEFORE_MODULE = "export const start=settings=>{if(typeof document===`undefined`)return()=>{};"
AFTER_MODULE = "return window.neuralens};"


@dataclass(frozen=True)
class Bundle:
    """A script without a reference to its source map, and the map as JSON."""

    script: str
    source_map: str


def bundle(entry: Path, *form: str) -> Bundle:
    """Bundle an entry module and its imports to a classic script, or the ``form`` told to esbuild.

    The sources in the map are relative to the folder of the entry.
    """
    options = ("--bundle", "--format=iife", SHORTEN, MAPPED)
    named = run_closure(run_esbuild(entry.name, *options, folder=entry.parent))
    script = run_esbuild("--minify-syntax", "--minify-whitespace", MAPPED, *form, text=named)
    return Bundle(*split(script))


def bundle_module(entry: Path) -> Bundle:
    """Bundle an entry module and its imports to an ES module, for other bundlers.

    All of them become the body of its function ``start``. So the module can be imported where pages
    are rendered, which is no browser.
    """
    wrapped = (f"--banner={BEFORE_MODULE}", f"--footer={AFTER_MODULE}")
    return bundle(entry, "--format=esm", *wrapped)


def run_closure(text: str) -> str:
    """Minify a script by the Closure Compiler, with an inline source map."""
    with tempfile.TemporaryDirectory() as place:
        source_map = Path(place) / "map"
        script = run_program(
            "google-closure-compiler",
            "--compilation_level=SIMPLE",
            # esbuild has wrapped the script, so that nothing in it is a global.
            "--assume_function_wrapper",
            "--language_in=ECMASCRIPT_2021",
            "--language_out=ECMASCRIPT_2021",
            # No polyfills: the supported browsers do not need them.
            "--rewrite_polyfills=false",
            f"--create_source_map={source_map}",
            "--source_map_include_content",
            text=text,
        )
        return annotate(script, source_map.read_text("utf-8"))
