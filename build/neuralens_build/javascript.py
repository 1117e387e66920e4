"""Builds the JavaScript bundles from the tracker's Python."""

import ast
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import neuralens_tracker
from neuralens_tracker.addon_settings import ADDONS, CONSENT, name_file

from neuralens_build import hooks_javascript
from neuralens_build.compiler import LIBRARY, Source, compile_program
from neuralens_build.compiler.source_map import write
from neuralens_build.errors import BuildError
from neuralens_build.hooks import Hooks
from neuralens_build.minification import Bundle, bundle, bundle_module
from neuralens_build.names import ADAPTER, PACKAGE
from neuralens_build.subset import check_files, strip

SOURCE = Path(neuralens_tracker.__file__).parent

# The entry of each file, which starts the tracker. That of the module form becomes the body of its
# function ``start``, whose ``settings`` replace the script tag's.
ENTRIES = {
    "neuralens.js": """
import { install } from './hooks.js';
import { start } from './neuralens_tracker.main.js';
import { document_property } from './neuralens_tracker.web.dom.js';
import { invoke } from './neuralens_tracker.web.ffi.js';
invoke(() => {
    install();
    start(document_property("currentScript"));
});
""",
    "neuralens.mjs": """
import { install } from './hooks.js';
import { start } from './neuralens_tracker.main.js';
install();
start({ dataset: settings || {} });
""",
    "neuralens.stub.js": """
import { install_stub } from './neuralens_tracker.web.stub.js';
install_stub();
""",
    "neuralens.early.js": """
import { start } from './neuralens_tracker.early.js';
import { document_property } from './neuralens_tracker.web.dom.js';
import { invoke } from './neuralens_tracker.web.ffi.js';
invoke(() => start(document_property("currentScript")));
""",
}
# An add-on starts once per page, even with several tags, before or after the tracker.
ADDON_ENTRY = """
import {{ start }} from './{module}.js';
import {{ callback, window }} from './neuralens_tracker.web.ffi.js';
import {{ install_stub }} from './neuralens_tracker.web.stub.js';
callback(() => {{
    if (!window['{file}']) {{
        window['{file}'] = true;
        install_stub();
        start({tag});
    }}
}})();
"""
STUB = f"{PACKAGE}.web.stub"
ADDON_MODULES = {
    name_file(addon): f"{PACKAGE}.addons.{addon.replace('-', '_')}" for addon in ADDONS
}
# Adapters of consent platforms have no use for their own tag.
ENTRIES |= {
    file: ADDON_ENTRY.format(
        file=file, module=module, tag="" if CONSENT in file else "document.currentScript"
    )
    for file, module in ADDON_MODULES.items()
}
# The modules that each entry imports, if not the tracker's main module.
MODULES = {
    "neuralens.stub.js": [STUB],
    "neuralens.early.js": [f"{PACKAGE}.early"],
    **{file: [module, STUB] for file, module in ADDON_MODULES.items()},
}


class SubsetError(BuildError):
    """The tracker's Python is not portable; the message says where and why."""


def build(hooks: Hooks | None = None) -> dict[str, bytes]:
    """Return the JavaScript files of dist/ with their source maps, with a shop's hooks if given.

    Raises SubsetError, CompileError and NpmError.
    """
    problems = check_files(portable_sources())
    if problems:
        raise SubsetError("\n".join(str(problem) for problem in problems))
    built = {}
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(os.cpu_count()) as pool:
        folders = [Path(place) / name for name in ENTRIES]
        # Not in the threads: https://github.com/python/cpython/issues/106905
        for folder in folders:
            folder.mkdir()
            write_modules(folder.name, hooks, folder)
        # Threads suffice: the time is spent in processes of esbuild and the Closure Compiler.
        for name, bundled in zip(ENTRIES, pool.map(bundle_entry, ENTRIES, folders), strict=True):
            built[name] = bundled.script.encode()
            built[f"{name}.map"] = bundled.source_map.encode()
    return built


def build_bundle(name: str, hooks: Hooks | None = None) -> Bundle:
    """Return one JavaScript file of dist/ with its source map, with a shop's hooks if given.

    Raises CompileError and NpmError.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_modules(name, hooks, folder)
        return bundle_entry(name, folder)


def write_modules(name: str, hooks: Hooks | None, folder: Path) -> None:
    """Write the modules of a file of dist/, compiled to JavaScript, and its entry."""
    compile_modules(MODULES.get(name, [f"{PACKAGE}.main"]), folder)
    hooks_javascript.write(hooks, folder)
    (folder / "entry.js").write_text(ENTRIES[name], "utf-8")


def bundle_entry(name: str, folder: Path) -> Bundle:
    """Return the file of dist/ that an entry and its modules become, with its source map."""
    form = bundle_module if name.endswith(".mjs") else bundle
    return form(folder / "entry.js")


def portable_sources() -> list[Path]:
    """Return the files to compile, without types, reference texts, and the public Python calls."""
    left_out = ("__init__.py", "types.py", "reference.py")
    return [path for path in sorted(SOURCE.rglob("*.py")) if path.name not in left_out]


def source_of(module: str, runtime: str = "javascript") -> Path:
    """Return the file of a tracker module; the adapter is the runtime's own."""
    if module == ADAPTER:
        return SOURCE / "web" / f"ffi_{runtime}.py"
    path = SOURCE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports_of(tree: ast.Module) -> list[str]:
    """Return the tracker modules that a module imports."""
    return [node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]


def collect(entries: list[str]) -> dict[str, Source]:
    """Return the entries and their dependencies, stripped, by name."""
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
    """Write the ES modules of the entries' dependencies, and the library, into folder."""
    modules = collect(entries)
    for name, code in compile_program(modules).items():
        (folder / f"{name}.js").write_text(write(code, modules[name]), "utf-8")
    shutil.copy(LIBRARY, folder)
