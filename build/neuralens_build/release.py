"""The whole of dist/: every bundle, what describes it, and its size against its budget."""

import base64
import hashlib
import json
import shutil
from functools import cache
from pathlib import Path

import brotli
import neuralens_demo
from neuralens_tracker.vocabulary import VERSION

from neuralens_build import brython, declarations, javascript, pyscript, sources
from neuralens_build.bundles import CHECKOUT, MANIFEST
from neuralens_build.hooks import Hooks, read

# The most bytes that a file may have, compressed by brotli at its highest level.
BUDGETS = {
    "neuralens.js": 5_000,
    "neuralens.stub.js": 500,
    "neuralens.early.js": 2_500,
    "neuralens.brython.js": 160_000,
}
# The most bytes of several files that load together.
MICROPYTHON = ("neuralens.pyscript.js", "pyscript/guard.mjs", "pyscript/micropython.")
FIRST_LOAD = (*MICROPYTHON, "pyscript/core")
LOAD_BUDGETS = {MICROPYTHON: 200_000, FIRST_LOAD: 235_000}

DEMO_HOOKS = Path(neuralens_demo.__file__).parent / "shop_hooks.py"
CHART = CHECKOUT / "node_modules" / "chart.js" / "dist" / "chart.umd.min.js"


class MissingPartError(FileNotFoundError):
    """Something that the build takes from npm is not installed."""


def build(folder: Path, hooks: Hooks | None = None) -> dict[str, dict[str, str | int]]:
    """Build everything into folder, with a shop's hooks in it, and return its manifest.

    Its folder ``demo`` is what the demonstration needs: the same with the demo shop's hooks, and a
    chart library. Raises SubsetError, BundlerError, HooksError or MissingPartError with what is
    wrong in one sentence.
    """
    manifest = build_bundles(folder, hooks)
    build_bundles(folder / "demo", read(DEMO_HOOKS))
    copy_chart(folder / "demo" / "chart.js")
    return manifest


def build_bundles(folder: Path, hooks: Hooks | None) -> dict[str, dict[str, str | int]]:
    """Build the bundles into folder, and return their manifest, which is written there too."""
    name = None if hooks is None else hooks.name
    own = {} if hooks is None else {hooks.name: hooks.source}
    for_brython = brython.build({**sources.read("brython"), **own}, VERSION, name)
    for_pyscript = pyscript.build({**sources.read("micropython"), **own}, VERSION, name)
    built = {
        **{name: (code, "javascript") for name, code in javascript.build(hooks).items()},
        "neuralens.d.ts": (declarations.render().encode(), "javascript"),
        "neuralens.brython.js": (for_brython.encode(), "brython"),
        **{name: (code, "pyscript") for name, code in for_pyscript.items()},
    }
    # What an earlier build left and this one does not make must not be served.
    shutil.rmtree(folder / "pyscript", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, _) in built.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    manifest = {
        name: describe(content, runtime) for name, (content, runtime) in sorted(built.items())
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    return manifest


def describe(content: bytes, runtime: str) -> dict[str, str | int]:
    """Return a file's entry of the manifest: sizes in bytes, its hash for the integrity attribute.

    Source: https://www.w3.org/TR/SRI/.
    """
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return {
        "bytes": len(content),
        "brotli": packed_size(content),
        "integrity": f"sha384-{digest}",
        "runtime": runtime,
        "version": VERSION,
    }


@cache
def packed_size(content: bytes) -> int:
    """Return how many bytes a file has for a browser; most are the same with any hooks."""
    return len(brotli.compress(content, quality=11))


def copy_chart(target: Path) -> None:
    """Copy the demo's chart library, which the wheel holds too."""
    if not CHART.is_file():
        raise MissingPartError("chart.js is missing: run `npm install` and try again")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CHART, target)
