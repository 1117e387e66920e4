"""Builds the Brython bundle: modules translated ahead of time, with a reduced runtime."""

import hashlib
import importlib.util
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuralens_build import npm_tools
from neuralens_build.brython_cuts import ABSENT_MODULES, EDITS, SECTIONS, SEVERED
from neuralens_build.edits import apply
from neuralens_build.errors import BuildError
from neuralens_build.sources import ENTRY, bundle_builtins, in_order, strip_text

VERSION = "3.15.0"
RUNTIME_SHA256 = "686eb4ef3fbb5dfa6acf932469a6a6e6c105fc9ad074f1bc5053e53f98ee3198"
NOTICE = (
    "/*! neuralens-tracker {version}, MIT. With parts of Brython {brython}, "
    "Copyright (c) Pierre Quentel, BSD-3-Clause. */\n"
)
# The module name under which page/brython.js provides the guard.
GUARD = "neuralens_guard"

HERE = Path(__file__).parent


class BrythonError(BuildError):
    """The bundle cannot be built; the message says what is wrong and what to do."""


def build(modules: Mapping[str, str], version: str, hooks: str | None = None) -> str:
    """Return the text of neuralens.brython.js.

    ``modules`` maps dotted names to Python source. They include ENTRY, whose ``start()`` is called
    when the bundle runs, and the adapter as ``neuralens_tracker.web.ffi``. ``hooks`` is the module
    to import before the start, if any. ``version`` is the tracker's. The build is reproducible.

    Raises BrythonError if Brython is not the pinned version, a cut does not apply, or a module
    cannot be translated or needs something that was cut; EditError if one of EDITS does not apply;
    SourceError if an imported module is missing.
    """
    entries = [ENTRY] if hooks is None else [ENTRY, hooks]
    names = in_order(modules, [GUARD], *entries)
    sources = [{"name": name, "source": strip_text(modules[name])} for name in names]
    runtime = read_runtime()
    translated = run_node("translate_brython.cjs", {"runtime": runtime, "modules": sources})
    guard = npm_tools.run_esbuild(
        str(HERE / "page" / "brython.js"), "--bundle", "--format=iife", "--global-name=boundary"
    )
    reduced = shake(runtime, guard, dict(zip(names, translated, strict=True)))
    functions = ",\n".join(f"function () {{\n{text}\n}}" for text in translated)
    return NOTICE.format(version=version, brython=VERSION) + npm_tools.run_esbuild(
        "--minify",
        "--log-level=error",
        # brython.js is in strict mode, but the translated code must not be.
        text=f"""(function () {{ try {{
{bundle_builtins()}
const __BRYTHON__ = (function () {{
{reduced}
return __BRYTHON__;
}})();
{guard}
boundary.run(__BRYTHON__, {json.dumps(names)}, [{functions}], {json.dumps(entries)});
}} catch (error) {{ console.error("neuralens: " + error); }} }})();""",
    )


def shake(runtime: str, guard: str, modules: Mapping[str, str]) -> str:
    """Return the part of brython.js that the guard and the translated modules can reach."""
    shaken = run_node(
        "shake_brython.cjs",
        {
            "runtime": apply(EDITS, runtime, f"brython.js {VERSION}"),
            "guard": guard,
            "modules": dict(modules),
            "sections": list(SECTIONS),
            "severed": list(SEVERED),
        },
    )
    check(shaken)
    code: str = shaken["code"]
    return code


def build_source(modules: Mapping[str, str]) -> str:
    """Return a script that adds the modules, as Python source, to a page's own Brython.

    After the complete brython.js and this script, ``from neuralens_tracker import ...`` works in
    the page's Python. ``modules`` as for build(). Nothing is started.
    """
    packages = {name.rpartition(".")[0] for name in modules} - {""}
    files = {
        name: [".py", strip_text(modules.get(name, "")), [], *([True] * (name in packages))]
        for name in sorted({*modules, *packages})
    }
    guard = npm_tools.run_esbuild(
        str(HERE / "page" / "brython_source.js"), "--bundle", "--format=iife", "--minify"
    )
    return f"{guard}__BRYTHON__.loadBrythonPackage({json.dumps(files)});\n"


def read_runtime() -> str:
    """Return the text of the pinned brython.js."""
    spec = importlib.util.find_spec("brython")
    if spec is None or spec.origin is None:
        raise BrythonError("build needs Brython: run pip install 'neuralens-tracker[build]'")
    content = (Path(spec.origin).parent / "data" / "brython.js").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != RUNTIME_SHA256:
        raise BrythonError(
            f"brython.js is not that of Brython {VERSION} (sha256 {digest}): "
            f"pip install brython=={VERSION}"
        )
    return content.decode()


def check(shaken: Mapping[str, Any]) -> None:
    """Raise BrythonError if the cuts do not match Brython and the modules."""
    if shaken["unknown"]:
        raise BrythonError(
            f"brython.js has no {', '.join(shaken['unknown'])}, or has it twice: "
            "Brython has changed, and SECTIONS and SEVERED in brython_cuts.py must follow"
        )
    for module, names in shaken["reached"].items():
        # "$B.generator" implies "$B.generator.$factory".
        short = [name for name in names if not name.startswith(tuple(f"{n}." for n in names))]
        raise BrythonError(
            f"{module} needs {', '.join(short)}, which the Brython bundle leaves out: "
            "write it another way, or remove it from brython_cuts.py"
        )
    known = {*SEVERED, *(f"$B.imported.{name}" for name in ABSENT_MODULES)}
    hollow = tuple(entry.removesuffix("*") for entry in SEVERED if entry.endswith(".*"))
    moved = [
        name for name in shaken["dangling"] if name not in known and not name.startswith(hollow)
    ]
    if moved:
        raise BrythonError(
            f"what remains of brython.js refers to {', '.join(moved)}, which the cuts have removed:"
            " add it to brython_cuts.py with the reason why it is not reached, or keep it"
        )


def run_node(script: str, given: Mapping[str, object]) -> Any:
    """Run one of the scripts in node/ with JSON in and out."""
    try:
        done = subprocess.run(  # noqa: S603
            ["node", str(HERE / "node" / script)],  # noqa: S607
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BrythonError("node is not on PATH: install Node 20 or newer") from error
    if done.returncode != 0:
        raise BrythonError(f"{script}: {done.stderr.strip()}")
    return json.loads(done.stdout)
