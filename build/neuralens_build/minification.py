"""From a folder of modules to one small file.

esbuild bundles, and leaves out what nothing uses. The Closure Compiler, in its safe mode, sets
functions that are called once into their place and gives the parameters of all functions the same
few names, which brotli likes; esbuild alone leaves a tracker that is a tenth larger.
"""

from pathlib import Path

from neuralens_build import npm_tools
from neuralens_build.compiler import MARK

# The attributes of records.
SHORTEN = f"--mangle-props=\\{MARK}$"


def bundle(entry: Path) -> bytes:
    """Return the classic script that an entry module and what it imports become."""
    script = npm_tools.run_esbuild(str(entry), "--bundle", "--format=iife", SHORTEN)
    named = npm_tools.run_program(
        "google-closure-compiler",
        "--compilation_level=SIMPLE",
        "--language_in=ECMASCRIPT_2021",
        "--language_out=ECMASCRIPT_2021",
        text=script,
    )
    return npm_tools.run_esbuild("--minify-syntax", "--minify-whitespace", text=named).encode()


def bundle_module(entry: Path) -> bytes:
    """Return the module, for other bundlers, that an entry module and its imports become."""
    return npm_tools.run_esbuild(
        str(entry), "--bundle", "--minify", "--format=esm", SHORTEN
    ).encode()
