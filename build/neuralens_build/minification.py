"""From a folder of modules to one small file and its source map.

esbuild bundles, and leaves out what nothing uses. The Closure Compiler, in its safe mode, sets
functions that are called once into their place and gives the parameters of all functions the same
few names, which brotli likes; esbuild alone leaves a tracker that is a tenth larger. Each takes the
source map of its input from a comment at the end, and leads its own back through it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from neuralens_build.compiler import MARK
from neuralens_build.compiler.source_map import annotate, part
from neuralens_build.npm_tools import run_esbuild, run_program

# The attributes of records.
SHORTEN = f"--mangle-props=\\{MARK}$"
MAPPED = "--sourcemap=inline"


@dataclass(frozen=True)
class Bundle:
    """A script, which does not name its source map, and the JSON of that map."""

    script: str
    source_map: str


def bundle(entry: Path) -> Bundle:
    """Return the classic script that an entry module and what it imports become.

    The map names its sources as they are in the folder of the entry, which it does not name.
    """
    options = ("--bundle", "--format=iife", SHORTEN, MAPPED)
    named = run_closure(run_esbuild(entry.name, *options, folder=entry.parent))
    return Bundle(*part(run_esbuild("--minify-syntax", "--minify-whitespace", MAPPED, text=named)))


def run_closure(text: str) -> str:
    """Return a script as the Closure Compiler writes it, with its source map at the end."""
    with tempfile.TemporaryDirectory() as place:
        source_map = Path(place) / "map"
        script = run_program(
            "google-closure-compiler",
            "--compilation_level=SIMPLE",
            "--language_in=ECMASCRIPT_2021",
            "--language_out=ECMASCRIPT_2021",
            # Browsers have what it would put in.
            "--rewrite_polyfills=false",
            f"--create_source_map={source_map}",
            "--source_map_include_content",
            text=text,
        )
        return annotate(script, source_map.read_text("utf-8"))


def bundle_module(entry: Path) -> Bundle:
    """Return the module, for other bundlers, that an entry module and its imports become."""
    options = ("--bundle", "--minify", "--format=esm", SHORTEN, MAPPED)
    return Bundle(*part(run_esbuild(entry.name, *options, folder=entry.parent)))
