"""From a folder of modules to one small file.

esbuild bundles, and leaves out what nothing uses. The Closure Compiler, in its safe mode, sets
functions that are called once into their place and gives the parameters of all functions the same
few names, which brotli likes; esbuild alone leaves a tracker that is a tenth larger.
"""

from pathlib import Path

from neuralens_build import esbuild


def bundle(entry: Path) -> bytes:
    """Return the classic script that an entry module and what it imports become."""
    script = esbuild.run(str(entry), "--bundle", "--format=iife")
    named = esbuild.run_program(
        "google-closure-compiler",
        "--compilation_level=SIMPLE",
        "--language_in=ECMASCRIPT_2021",
        "--language_out=ECMASCRIPT_2021",
        # A name is declared where it is first assigned, which may be twice.
        "--jscomp_off=checkVars",
        text=script,
    )
    return esbuild.run("--minify-syntax", "--minify-whitespace", text=named).encode()


def bundle_module(entry: Path) -> bytes:
    """Return the module, for other bundlers, that an entry module and its imports become."""
    return esbuild.run(str(entry), "--bundle", "--minify", "--format=esm").encode()
