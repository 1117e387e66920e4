"""Builds the PyScript bundle: PyScript's core, MicroPython, the modules, and a loader."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from neuralens_build import npm_tools
from neuralens_build.checkout import CHECKOUT
from neuralens_build.edits import EditError, apply
from neuralens_build.errors import BuildError
from neuralens_build.names import PACKAGE
from neuralens_build.pyscript_edits import CORE, DEFINES, GLOBALS, MICROPYTHON, PRELUDE
from neuralens_build.sources import ENTRY, bundle_builtins, in_order, strip_text

PACKAGES = {
    "@pyscript/core": "0.7.31",
    "@micropython/micropython-webassembly-pyscript": "1.27.0",
}
# The package, for the page's own Python, and the tracker's entry.
ENTRIES = (ENTRY, PACKAGE)
# What the adapter imports: from MicroPython, from the bundle, and from a page's own PyScript.
PROVIDED = ("io", "json", "sys", "neuralens_guard", "pyscript.js_modules")
FOLDER = "pyscript"
LOADER = "neuralens.pyscript.js"
NOTICE = (
    "/*! neuralens-tracker {version}, MIT. Starts PyScript {pyscript}, Apache-2.0, "
    "and MicroPython {micropython}, MIT. */\n"
)
HERE = Path(__file__).parent


class PyScriptError(BuildError):
    """The bundle cannot be built; the message says what is wrong and what to do."""


def build(modules: Mapping[str, str], version: str, hooks: str | None = None) -> dict[str, bytes]:
    """Return the files of the bundle, by their paths in dist/.

    ``modules`` maps dotted names to Python source. They include ENTRIES, and the adapter as
    ``neuralens_tracker.web.ffi``. ``hooks`` is the module to import before the start, if any.
    ``version`` is the tracker's.

    LOADER starts the tracker from its script tag. For a page that uses its own PyScript, there is
    ``pyscript.json``, which lists the modules.

    Raises PyScriptError if a package is not the pinned version, EditError if an edit does not
    apply, SourceError if an imported module is missing.
    """
    files = {
        path_of(name, modules): strip_text(modules[name])
        for name in sorted(in_order(modules, PROVIDED, *ENTRIES, *([hooks] if hooks else [])))
    }
    notice = NOTICE.format(
        version=version,
        pyscript=PACKAGES["@pyscript/core"],
        micropython=PACKAGES["@micropython/micropython-webassembly-pyscript"],
    )
    built = {
        LOADER: (notice + bundle_loader(files, hooks)).encode(),
        f"{FOLDER}/guard.mjs": npm_tools.run_esbuild(
            str(HERE / "page" / "micropython.js"), "--bundle", "--minify", "--format=esm"
        ).encode(),
        f"{FOLDER}/pyscript.json": configure(files),
        **build_micropython(),
        **build_core(),
    }
    for path, source in files.items():
        built[f"{FOLDER}/{path}"] = source.encode()
    return built


def path_of(name: str, modules: Mapping[str, str]) -> str:
    """Return the path of a module's file below the folder."""
    is_package = any(other.startswith(name + ".") for other in modules)
    return name.replace(".", "/") + ("/__init__.py" if is_package else ".py")


def configure(files: Mapping[str, str]) -> bytes:
    """Return the configuration for ``<script type="mpy" config="...">``, in JSON.

    Its paths are relative to itself. It specifies no interpreter, whose path would be relative to
    the page; the core next to it has its own.
    """
    configuration = {
        "files": {f"./{path}": f"./{path}" for path in files},
        "js_modules": {"main": {"./guard.mjs": "neuralens_guard"}},
    }
    return (json.dumps(configuration, indent=1) + "\n").encode()


def bundle_loader(files: Mapping[str, str], hooks: str | None) -> str:
    """Return the loader, which contains the modules."""
    with tempfile.TemporaryDirectory() as folder:
        modules = Path(folder) / "modules.json"
        modules.write_text(json.dumps({"files": files, "hooks": hooks}), "utf-8")
        return npm_tools.run_esbuild(
            str(HERE / "page" / "pyscript.js"),
            f"--alias:neuralens-modules={modules}",
            "--bundle",
            "--minify",
            "--format=iife",
        )


def build_micropython() -> dict[str, bytes]:
    """Return MicroPython's loader, reduced to what a page needs, and its WebAssembly."""
    folder = package("@micropython/micropython-webassembly-pyscript")
    text = apply(MICROPYTHON, (folder / "micropython.mjs").read_text("utf-8"), "micropython.mjs")
    for name in GLOBALS:
        if f"globalThis.{name}" not in text:
            raise EditError(
                f"micropython.mjs has no global {name} any more: GLOBALS in pyscript_edits.py "
                "must follow"
            )
        text = re.sub(rf"\bglobalThis\.{name}\b", name, text)
    minified = npm_tools.run_esbuild(
        "--minify",
        "--format=esm",
        "--pure:assert",
        *(f"--define:{name}={value}" for name, value in DEFINES.items()),
        text=bundle_builtins() + PRELUDE + text,
    )
    left = set(re.findall(r"globalThis\.(\w+)(?:\?\?|\|\|)?=(?!=)", minified))
    if left:
        raise EditError(
            f"micropython.mjs sets the globals {', '.join(sorted(left))}: add them to GLOBALS in "
            "pyscript_edits.py"
        )
    return {
        f"{FOLDER}/micropython.mjs": minified.encode(),
        f"{FOLDER}/micropython.wasm": (folder / "micropython.wasm").read_bytes(),
    }


def build_core() -> dict[str, bytes]:
    """Return PyScript's core without its plugins, and the files that it loads.

    It is already minified, better than esbuild would do it.
    """
    folder = package("@pyscript/core") / "dist"
    built = {}
    for pattern in ("core.js", "core-*.js", "toml-*.js"):
        for path in sorted(folder.glob(pattern)):
            text = path.read_text("utf-8")
            if pattern == "core-*.js":
                text = apply(CORE, text, path.name)
            text = re.sub(r"\n//# sourceMappingURL=.*\n?$", "\n", text)
            built[f"{FOLDER}/{path.name}"] = text.encode()
    return built


def package(name: str) -> Path:
    """Return the folder of an npm package, which must be the pinned version."""
    folder = CHECKOUT / "node_modules" / name
    manifest = folder / "package.json"
    if not manifest.is_file():
        raise PyScriptError(f"{name} is not installed: run npm install")
    found = json.loads(manifest.read_text("utf-8"))["version"]
    if found != PACKAGES[name]:
        raise PyScriptError(f"{name} is {found}, not {PACKAGES[name]}: run npm install")
    return folder
