"""The source modules for each runtime, and edits of third-party code."""

import ast
from pathlib import Path

import neuralens_tracker
import pytest
from neuralens_build.edits import Edit, EditError, apply
from neuralens_build.names import ADAPTER
from neuralens_build.sources import ENTRY, SourceError, in_order, read, strip_text
from neuralens_build.subset import strip
from neuralens_embed import ffi

ANNOTATED = '''"""Says é, over
two lines."""

from typing import Any

LIMIT: int = 3  # é, a comment
NAMES: dict[
    str, Any
] = {"#": "no # comment"}


class Thing:
    """A thing."""

    size: int

    def __init__(self, é: str, *rest: Any, flag: bool = False, **named: Any) -> None:
        """Only say."""

    def grow(
        self,
        by: "int",  # how much
    ) -> "Thing":
        # not a word
        return lambda x: x  # é
'''


def test_lean_keeps_line_numbers():
    lines = strip_text(ANNOTATED).splitlines()
    assert len(lines) == len(ANNOTATED.splitlines())
    returned = [line.strip() for line in ANNOTATED.splitlines()].index("return lambda x: x  # é")
    assert lines[returned].strip() == "return lambda x: x"
    assert "comment" not in lines[5]
    assert "".join(lines).count("#") == 2


@pytest.mark.parametrize("adapter", ["brython", "micropython"])
def test_lean_keeps_the_meaning(adapter):
    for source in [ANNOTATED, *read(adapter).values()]:
        stripped = strip(ast.parse(source))
        for node in ast.walk(stripped):
            # Annotations of signatures are only for the compiler.
            if isinstance(node, ast.arg):
                node.annotation = None
            elif isinstance(node, ast.FunctionDef):
                node.returns = None
        wanted = ast.unparse(stripped)
        found = ast.unparse(strip(ast.parse(strip_text(source))))
        actual = [line for line in found.splitlines() if line.strip() not in ("", "pass")]
        assert actual == [line for line in wanted.splitlines() if line.strip() not in ("", "pass")]


def test_lean_leaves_nothing_to_strip():
    for source in read("brython").values():
        tree = ast.parse(strip_text(source))
        assert ast.dump(strip(tree)) == ast.dump(tree)


def test_read_uses_the_given_adapter():
    modules = read("micropython")
    assert "MicroPython" in modules[ADAPTER]
    assert ENTRY in modules
    assert not [name for name in modules if name.startswith(f"{ADAPTER}_")]
    with pytest.raises(SourceError, match=r"has no adapter .*ffi_cobol"):
        read("cobol")


@pytest.mark.parametrize("adapter", ["brython", "micropython"])
def test_adapters_implement_the_stub(adapter):
    seam = Path(neuralens_tracker.__file__).parent / "web" / "ffi.pyi"
    assert declared_by(seam) <= names_of(read(adapter)[ADAPTER])


def test_the_servers_adapter_implements_the_stub():
    seam = Path(neuralens_tracker.__file__).parent / "web" / "ffi.pyi"
    assert declared_by(seam) <= names_of(Path(ffi.__file__).read_text())


def declared_by(seam):
    """Return the names that the stub defines."""
    defined = (ast.FunctionDef, ast.AnnAssign)
    body = [node for node in ast.parse(seam.read_text()).body if isinstance(node, defined)]
    return names_of(ast.unparse(ast.Module(body, [])))


def names_of(source):
    """Return the names that a module defines or imports at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module != "collections.abc":
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
    return names


def test_modules_follow_their_imports():
    modules = {
        "p": "",
        "p.main": "from p import one\nfrom p.two import x\nfrom guard import y\n",
        "p.one": "from p.two import x\n",
        "p.two": "",
        "p.unused": "import nothing\n",
    }
    assert in_order(modules, ["guard"], "p.main") == ["p.two", "p.one", "p.main"]


@pytest.mark.parametrize(
    ("modules", "sentence"),
    [
        ({}, "p.main is not among the modules"),
        ({"p.main": "\nimport json\n"}, "p.main, line 2: there is no module json in the page"),
        ({"p.main": "from . import x\n"}, r"p.main, line 1: there is no module \. in the page"),
        (
            {"p.main": "from p.one import x\n", "p.one": "from p.main import y\n"},
            "in a circle: p.(main imports p.one imports p.main|one imports p.main imports p.one)",
        ),
    ],
)
def test_invalid_modules(modules, sentence):
    with pytest.raises(SourceError, match=sentence):
        in_order(modules, [], "p.main")


def test_edit_replaces_from_start_to_end():
    edits = [Edit("(", ")", "[]", "a test"), Edit("b", "", "B", "a test")]
    assert apply(edits, "a(x)b", "text") == "a[]B"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a", r"the text has '\(' 0 times, not once \(a test\)"),
        ("(a(b))", r"the text has '\(' 2 times, not once"),
        ("(a", r"the text has no '\)' after '\('"),
    ],
)
def test_edit_that_does_not_fit(text, sentence):
    with pytest.raises(EditError, match=sentence):
        apply([Edit("(", ")", "", "a test")], text, "the text")
