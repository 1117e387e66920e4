"""Builds dist/: every bundle and the manifest; the size budgets, which a test enforces."""

import base64
import gzip
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

# The most bytes of a file, compressed by brotli at its highest level.
BUDGETS = {
    "neuralens.js": 12_625,
    "neuralens.mjs": 12_670,
    "neuralens.stub.js": 500,
    "neuralens.early.js": 6_920,
    "neuralens.brython.js": 160_000,
    "neuralens.ga4.js": 1_500,
    "neuralens.overlay.js": 6_000,
    **{name_file(addon): 400 for addon in ADDONS if addon.startswith(CONSENT)},
}
# The most bytes of several files that load together.
MICROPYTHON = ("neuralens.pyscript.js", "pyscript/guard.mjs", "pyscript/micropython.")
FIRST_LOAD = (*MICROPYTHON, "pyscript/core")
LOAD_BUDGETS = {MICROPYTHON: 215_225, FIRST_LOAD: 245_205}


def build(folder: Path, hooks: Hooks | None = None) -> dict[str, dict[str, str | int]]:
    """Build every bundle, with a shop's hooks if given, into folder; return the manifest.

    The manifest, ``{file: {bytes, brotli, integrity, runtime, version}}``, is also written to the
    folder, and beside each file what ``compress`` makes of it. Raises SubsetError, CompileError,
    NpmError or HooksError.
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
    # Files that only an earlier build created must not be served.
    shutil.rmtree(folder / "pyscript", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, _) in built.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        for suffix, compressed in compress(content).items():
            path.with_name(path.name + suffix).write_bytes(compressed)
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
        "brotli": len(compress(content)[".br"]),
        "integrity": f"sha384-{digest}",
        "runtime": runtime,
        "version": VERSION,
    }


@cache
def compress(content: bytes) -> dict[str, bytes]:
    """Return a file's compressed contents, by suffix as servers look for them.

    Cached, since most files do not depend on hooks. Source:
    https://nginx.org/en/docs/http/ngx_http_gzip_static_module.html.
    """
    return {
        ".br": brotli.compress(content, quality=11),
        ".gz": gzip.compress(content, 9, mtime=0),
    }
