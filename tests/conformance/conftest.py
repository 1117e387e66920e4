"""The engines, which run the cases of the pure modules, and programs."""

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from neuralens_build import (
    brython,
    compiler,
    javascript,
    minification,
    npm_tools,
    pyscript,
    sources,
)
from neuralens_build.checkout import CHECKOUT
from neuralens_build.subset import strip
from neuralens_tracker.vocabulary import VERSION

HERE = Path(__file__).parent / "engines"
PAGE = Path(brython.__file__).parent / "page"
WORLD = "neuralens_tracker.world"
MICROPYTHON = CHECKOUT / "node_modules/@micropython/micropython-webassembly-pyscript"


class EngineError(Exception):
    """An exception of a program or a case; the message is the engine's."""


class Node:
    """An engine in a Node process, with a line-based protocol."""

    def __init__(self, script: str, *arguments: str | Path) -> None:
        node = shutil.which("node")
        assert node is not None, "Node.js 20 or later is needed on PATH"
        self.process = subprocess.Popen(
            [node, str(HERE / script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, job: dict[str, str]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the engine has ended: {self.process.wait()}"
        told = json.loads(line)
        if "error" in told or told["answer"] is None:
            raise EngineError(told.get("error", "no answer"))
        return json.loads(told["answer"])

    def play(self, case: dict[str, Any]) -> Any:
        """Return the results of the calls of a case."""
        return self.ask({"case": json.dumps(case)})

    def run(self, source: str) -> Any:
        """Return the values that a program passes to out(...)."""
        return self.ask({"program": source})

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class JavaScript(Node):
    """The build's compiler from Python to JavaScript."""

    def run(self, source: str) -> Any:
        return super().run(compile_text(source))


class CPython:
    """CPython: this interpreter."""

    def __init__(self) -> None:
        # From now on, CPython's adapter is imported in place of the tracker's.
        importlib.import_module("neuralens_embed.ffi")
        spec = importlib.util.spec_from_file_location(WORLD, HERE / "world.py")
        assert spec is not None
        assert spec.loader is not None
        self.world = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.world)

    def play(self, case: dict[str, Any]) -> Any:
        return json.loads(dump(self.world.start(json.loads(json.dumps(case)))))

    def run(self, source: str) -> Any:
        shown: list[object] = []
        try:
            exec(compile(source, "program.py", "exec"), {"out": shown.append})
        except Exception as error:
            raise EngineError(repr(error)) from error
        return json.loads(dump(shown))

    def end(self) -> None:
        pass


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def compile_text(source: str) -> str:
    """Compile a program as the build compiles the tracker; its statements become ``start``."""
    tree = strip(ast.parse(source))
    is_top = [isinstance(node, ast.ClassDef | ast.FunctionDef) for node in tree.body]
    has_class = any(isinstance(node, ast.ClassDef) for node in tree.body)
    top = [node for node, top in zip(tree.body, is_top, strict=True) if top and has_class]
    rest = [node for node in tree.body if node not in top]
    start = ast.parse("def start(): pass").body[0]
    assert isinstance(start, ast.FunctionDef)
    start.body = rest or start.body
    program = compiler.Source("program.py", source, ast.Module([*top, start], []))
    code = str(compiler.compile_program({"program": program}, frozenset({"out"}))["program"])
    text = compiler.LIBRARY.read_text("utf-8") + code + "start();"
    return re.sub("^(export |import .*$)", "", text, flags=re.MULTILINE)


def start_javascript(folder: Path, patch: pytest.MonkeyPatch) -> Node:
    package = folder / "neuralens_tracker"
    shutil.copytree(javascript.SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "world.py", package)
    patch.setattr(javascript, "SOURCE", package)
    javascript.compile_modules([WORLD], folder)
    entry = folder / "entry.js"
    entry.write_text(f"import {{ start }} from './{WORLD}.js'; globalThis.start = start;", "utf-8")
    built = folder / "world.js"
    built.write_text(minification.bundle(entry).script, "utf-8")
    return JavaScript("javascript.cjs", built)


def python_modules(adapter: str) -> dict[str, str]:
    """Return the tracker's modules with a fake browser."""
    world = {WORLD: "world.py", sources.ENTRY: "main.py"}
    return sources.read(adapter) | {
        name: (HERE / file).read_text("utf-8") for name, file in world.items()
    }


def start_micropython(folder: Path) -> Node:
    modules = python_modules("micropython")
    needed = sources.in_order(modules, pyscript.PROVIDED, sources.ENTRY)
    files = {pyscript.path_of(name, modules): sources.strip_text(modules[name]) for name in needed}
    (folder / "files.json").write_text(json.dumps(files), "utf-8")
    guard = npm_tools.run_esbuild(str(PAGE / "micropython.js"), "--bundle", "--format=esm")
    (folder / "guard.mjs").write_text(guard, "utf-8")
    return Node(
        "micropython.mjs",
        MICROPYTHON / "micropython.mjs",
        folder / "guard.mjs",
        folder / "files.json",
        sources.ENTRY,
    )


def start_brython(folder: Path) -> Node:
    (folder / "bundle.js").write_text(brython.build(python_modules("brython"), VERSION), "utf-8")
    (folder / "brython.js").write_text(brython.read_runtime(), "utf-8")
    guard = npm_tools.run_esbuild(str(PAGE / "brython_source.js"), "--bundle", "--format=iife")
    (folder / "guard.js").write_text(guard, "utf-8")
    return Node("brython.cjs", folder / "bundle.js", folder / "brython.js", folder / "guard.js")


@pytest.fixture(scope="session")
def engine_error() -> type[Exception]:
    return EngineError


@pytest.fixture(scope="session")
def cpython() -> Iterator[CPython]:
    engine = CPython()
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with pytest.MonkeyPatch.context() as patch:
        engine = start_javascript(tmp_path_factory.mktemp("javascript"), patch)
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def micropython(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    engine = start_micropython(tmp_path_factory.mktemp("micropython"))
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def brython_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    engine = start_brython(tmp_path_factory.mktemp("brython"))
    yield engine
    engine.end()


@pytest.fixture(params=["cpython", "compiled", "micropython", "brython_engine"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)
