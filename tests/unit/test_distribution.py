"""The built files: manifest, reproducibility and budgets."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import brotli
import pytest
from neuralens_build import distribution
from neuralens_build.distribution import MANIFEST
from neuralens_embed import bundles
from neuralens_tracker.vocabulary import VERSION

Manifest = dict[str, dict[str, str | int]]

ROOT = Path(__file__).parents[2]

# Other folders in dist/: the demo's bundles, and the files of ``verify``.
OTHERS = ("demo/", "verify/")


@pytest.fixture(scope="module")
def folder() -> Path:
    """The folder of the built files."""
    return bundles.directory()


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    loaded: Manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    return loaded


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder, by path, without their compressed ones."""
    compressed = (".br", ".gz")
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in compressed)
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(OTHERS)}


def test_the_manifest_describes_every_file(folder: Path, manifest: Manifest) -> None:
    files = contents(folder)
    del files[MANIFEST]
    assert manifest.keys() == files.keys()
    for name, content in files.items():
        compressed = distribution.compress(content)
        for suffix, expected in compressed.items():
            assert (folder / (name + suffix)).read_bytes() == expected
        assert brotli.decompress(compressed[".br"]) == content
        assert gzip.decompress(compressed[".gz"]) == content
        digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
        entry = manifest[name]
        assert entry.pop("runtime") in ("javascript", "brython", "pyscript")
        assert entry == {
            "bytes": len(content),
            "brotli": len(compressed[".br"]),
            "integrity": f"sha384-{digest}",
            "version": VERSION,
        }


@pytest.mark.parametrize(
    "name", ["neuralens.js", "neuralens.mjs", "neuralens.d.ts", "neuralens.stub.js"]
)
def test_the_default_runtime_is_built(name: str, folder: Path) -> None:
    assert (folder / name).stat().st_size > 0


@pytest.mark.parametrize("name", distribution.BUDGETS)
def test_budget_of_a_file(name: str, folder: Path) -> None:
    assert (folder / f"{name}.br").stat().st_size <= distribution.BUDGETS[name]


def test_documents_state_the_sizes(folder: Path) -> None:
    script, early = (
        (folder / f"neuralens{kind}.js.br").stat().st_size / 1000 for kind in ("", ".early")
    )
    readme, changelog = (
        " ".join((ROOT / name).read_text("utf-8").split()) for name in ("README.md", "CHANGELOG.md")
    )
    assert f"compiled to JavaScript ({script:.0f} kB compressed" in readme
    assert f"`neuralens.js` is {script:.1f} kB instead of" in changelog
    assert f"the early script is {early:.1f} kB" in changelog


@pytest.mark.parametrize("prefixes", distribution.LOAD_BUDGETS, ids=", ".join)
def test_budget_of_files_that_load_together(prefixes: tuple[str, ...], folder: Path) -> None:
    sizes = [
        (folder / f"{name}.br").stat().st_size
        for name in contents(folder)
        if name.startswith(prefixes)
    ]
    assert len(sizes) >= len(prefixes)
    assert sum(sizes) <= distribution.LOAD_BUDGETS[prefixes]


@pytest.mark.parametrize("name", ["neuralens.js", "neuralens.mjs", "neuralens.stub.js"])
def test_no_eval_in_the_page(name: str, folder: Path) -> None:
    code = (folder / name).read_text("utf-8")
    assert "eval(" not in code
    assert "Function(" not in code


@pytest.mark.nightly
def test_builds_are_reproducible(folder: Path, tmp_path: Path) -> None:
    distribution.build(tmp_path)
    again = contents(tmp_path)
    assert again.keys() == contents(folder).keys()
    assert [name for name, content in contents(folder).items() if again[name] != content] == []
