"""From the tracker's Python to one JavaScript file: the compiler, then the bundler."""

import ast
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import neuralens_tracker
from neuralens_tracker.addon_settings import ADDONS, name_file

from neuralens_build import hooks_javascript
from neuralens_build.compiler import LIBRARY, Source, compile_program
from neuralens_build.compiler.source_map import write
from neuralens_build.errors import BuildError
from neuralens_build.hooks import Hooks
from neuralens_build.minification import Bundle, bundle, bundle_module
from neuralens_build.subset import check_files, strip

PACKAGE = "neuralens_tracker"
SOURCE = Path(neuralens_tracker.__file__).parent
FFI = f"{PACKAGE}.web.ffi"

# What each file begins with: the one place where the tracker starts by itself. The module form
# leaves the start to the page, whose settings then stand in for the script tag's.
ENTRIES = {
    "neuralens.js": """
import { install } from './hooks.js';
import { start } from './neuralens_tracker.main.js';
import { invoke } from './neuralens_tracker.web.ffi.js';
invoke(() => {
    install();
    start(document.currentScript);
});
""",
    "neuralens.mjs": """
import { install } from './hooks.js';
import { start as begin } from './neuralens_tracker.main.js';
export const start = (settings) => {
    install();
    begin({ dataset: settings || {} });
    return window.neuralens;
};
""",
    "neuralens.stub.js": """
import { install_stub } from './neuralens_tracker.web.stub.js';
install_stub();
""",
    "neuralens.early.js": """
import { start } from './neuralens_tracker.early.js';
import { invoke } from './neuralens_tracker.web.ffi.js';
invoke(() => start(document.currentScript));
""",
}
# An add-on starts once on a page, however many tags name it, before or after the tracker.
ADDON_ENTRY = """
import {{ start }} from './{module}.js';
import {{ callback }} from './neuralens_tracker.web.ffi.js';
import {{ install_stub }} from './neuralens_tracker.web.stub.js';
callback(() => {{
    if (!window['{file}']) {{
        window['{file}'] = true;
        install_stub();
        start(document.currentScript);
    }}
}})();
"""
STUB = f"{PACKAGE}.web.stub"
ADDON_MODULES = {
    name_file(addon): f"{PACKAGE}.addons.{addon.replace('-', '_')}" for addon in ADDONS
}
ENTRIES |= {
    file: ADDON_ENTRY.format(file=file, module=module) for file, module in ADDON_MODULES.items()
}
# The modules that an entry imports, unless it is the tracker's own.
MODULES = {
    "neuralens.stub.js": [STUB],
    "neuralens.early.js": [f"{PACKAGE}.early"],
    **{file: [module, STUB] for file, module in ADDON_MODULES.items()},
}


class SubsetError(BuildError):
    """The tracker's Python means different things on different engines; the message says where."""


def build(hooks: Hooks | None = None) -> dict[str, bytes]:
    """Return the JavaScript files of dist/ and their source maps, with a shop's hooks in them.

    Raises SubsetError, CompileError and NpmError.
    """
    problems = check_files(portable_sources())
    if problems:
        raise SubsetError("\n".join(str(problem) for problem in problems))
    built = {}
    # Most of the time, esbuild and the Closure Compiler run, each in a process of its own.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bundles = pool.map(partial(build_bundle, hooks=hooks), ENTRIES)
        for name, bundled in zip(ENTRIES, bundles, strict=True):
            built[name] = bundled.script.encode()
            built[f"{name}.map"] = bundled.source_map.encode()
    return built


def build_bundle(name: str, hooks: Hooks | None = None) -> Bundle:
    """Return one JavaScript file of dist/, with a shop's hooks in it, and its source map.

    Raises CompileError and NpmError.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        compile_modules(MODULES.get(name, [f"{PACKAGE}.main"]), folder)
        hooks_javascript.write(hooks, folder)
        (folder / "entry.js").write_text(ENTRIES[name], "utf-8")
        form = bundle_module if name.endswith(".mjs") else bundle
        return form(folder / "entry.js")


def portable_sources() -> list[Path]:
    """Return the files that are compiled: no types, texts, or calls for a page's own Python."""
    left_out = ("__init__.py", "types.py", "reference.py")
    return [path for path in sorted(SOURCE.rglob("*.py")) if path.name not in left_out]


def source_of(module: str, runtime: str = "javascript") -> Path:
    """Return the file of a tracker module; the adapter is the runtime's own."""
    if module == FFI:
        return SOURCE / "web" / f"ffi_{runtime}.py"
    path = SOURCE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports_of(tree: ast.Module) -> list[str]:
    """Return the tracker modules that a module imports."""
    return [node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]


def collect(entries: list[str]) -> dict[str, Source]:
    """Return the entries and the modules that they need, stripped, by name."""
    modules: dict[str, Source] = {}
    pending = list(entries)
    while pending:
        name = pending.pop()
        if name not in modules:
            path = source_of(name)
            text = path.read_text("utf-8")
            tree = strip(ast.parse(text))
            modules[name] = Source(path.relative_to(SOURCE.parent).as_posix(), text, tree)
            pending += imports_of(tree)
    return modules


def compile_modules(entries: list[str], folder: Path) -> None:
    """Write the ES modules that the entries need, and the library's, into folder."""
    modules = collect(entries)
    for name, code in compile_program(modules).items():
        (folder / f"{name}.js").write_text(write(code, modules[name]), "utf-8")
    shutil.copy(LIBRARY, folder)
