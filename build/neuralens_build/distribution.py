"""The whole of dist/: every bundle, what describes it, and its size against its budget."""

import base64
import hashlib
import json
import shutil
from functools import cache
from pathlib import Path

import brotli
from neuralens_tracker.addon_settings import ADDONS, CONSENT, name_file
from neuralens_tracker.vocabulary import VERSION

from neuralens_build import brython, declarations, javascript, pyscript, sources
from neuralens_build.hooks import Hooks

MANIFEST = "manifest.json"

# The most bytes that a file may have, compressed by brotli at its highest level.
BUDGETS = {
    "neuralens.js": 10_900,
    "neuralens.stub.js": 500,
    "neuralens.early.js": 5_800,
    "neuralens.brython.js": 160_000,
    "neuralens.ga4.js": 1_500,
    "neuralens.overlay.js": 6_000,
    **{name_file(addon): 400 for addon in ADDONS if addon.startswith(CONSENT)},
}
# The most bytes of several files that load together.
MICROPYTHON = ("neuralens.pyscript.js", "pyscript/guard.mjs", "pyscript/micropython.")
FIRST_LOAD = (*MICROPYTHON, "pyscript/core")
LOAD_BUDGETS = {MICROPYTHON: 212_000, FIRST_LOAD: 242_000}


def build(folder: Path, hooks: Hooks | None = None) -> dict[str, dict[str, str | int]]:
    """Build every bundle into folder, with a shop's hooks in it, and return its manifest.

    The manifest, ``{file: {bytes, brotli, integrity, runtime, version}}``, is written there too.
    Raises SubsetError, CompileError, NpmError or HooksError with what is wrong in one sentence.
    """
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
