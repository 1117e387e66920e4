"""Each import contract is broken by a line that it forbids."""

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
COMPONENTS = ("tracker", "build", "relay", "integrations", "demo_site")
# contract: a module, a forbidden import, and the reported dependency.
FORBIDDEN = {
    "packages": (
        "relay/neuralens_relay/rate",
        "import neuralens_demo.catalog",
        "neuralens_relay.rate -> neuralens_demo.catalog",
    ),
    "build": (
        "build/neuralens_embed/snippet",
        "from neuralens_build import sources",
        "neuralens_embed.snippet -> neuralens_build.sources",
    ),
    "tracker": (
        "tracker/neuralens_tracker/web/storage",
        "from neuralens_tracker.capture.items import Items",
        "neuralens_tracker.web.storage -> neuralens_tracker.capture.items",
    ),
    "pure": (
        "tracker/neuralens_tracker/events",
        "from neuralens_tracker.web.ffi import get",
        "neuralens_tracker.events -> neuralens_tracker",
    ),
    "capture": (
        "tracker/neuralens_tracker/capture/views",
        "from neuralens_tracker.web.transport import Transport",
        "neuralens_tracker.capture.views -> neuralens_tracker.web.transport",
    ),
    "addons": (
        "tracker/neuralens_tracker/addons/ga4",
        "from neuralens_tracker.delivery import Delivery",
        "neuralens_tracker.addons.ga4 -> neuralens_tracker.delivery",
    ),
    "runtimes": (
        "tracker/neuralens_tracker/web/dom",
        "import pyscript",
        "neuralens_tracker.web.dom -> pyscript",
    ),
    "adapters": (
        "tracker/neuralens_tracker/web/ffi_javascript",
        "from neuralens_tracker.web import dom",
        "neuralens_tracker.web.ffi_javascript -> neuralens_tracker.web.dom",
    ),
    "embed": (
        "build/neuralens_embed/audit",
        "import subprocess",
        "neuralens_embed.audit -> subprocess",
    ),
    "decisions": (
        "relay/neuralens_relay/breaker",
        "import asyncio",
        "neuralens_relay.breaker -> asyncio",
    ),
    "services": (
        "relay/neuralens_relay/forwarder",
        "from aiohttp import ClientSession",
        "neuralens_relay.forwarder -> aiohttp",
    ),
    "stores": (
        "relay/neuralens_relay/relay",
        "from neuralens_relay.sqlite_store import SqliteStore",
        "neuralens_relay.relay -> neuralens_relay.sqlite_store",
    ),
    "sandbox": (
        "demo_site/neuralens_demo/contract",
        "from neuralens_tracker.events import find_fault",
        "neuralens_demo.contract -> neuralens_tracker.events",
    ),
    "diagnoses": (
        "build/neuralens_verify/diagnoses",
        "import playwright",
        "neuralens_verify.diagnoses -> playwright",
    ),
}


def contracts() -> dict[str, str]:
    """Return the name of each contract by its id."""
    read = configparser.ConfigParser()
    read.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {key.removeprefix(prefix): read[key]["name"] for key in read if key.startswith(prefix)}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The linter's output by contract, for sources with every forbidden import."""
    folder = tmp_path_factory.mktemp("sources")
    for name in COMPONENTS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for module, statement, _ in FORBIDDEN.values():
        path = (folder / module).with_suffix(".py")
        path.write_text(f"{path.read_text('utf-8')}\n{statement}\n", "utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", ROOT / ".importlinter"],
        cwd=folder,
        env=os.environ
        | {"COLUMNS": "500", "PYTHONPATH": os.pathsep.join(str(folder / c) for c in COMPONENTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    _, *parts = re.split(r"^(.+)\n-+\n", done.stdout, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_contract_is_tested() -> None:
    assert list(FORBIDDEN) == list(contracts())


def test_every_contract_is_documented() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    section = text.partition("### Dependency rules\n")[2].partition("\n### ")[0]
    assert sorted(re.findall(r"^- `(\w+)`: ", section, re.MULTILINE)) == sorted(contracts())


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_contract_forbids(contract: str, broken: dict[str, str]) -> None:
    assert f"{FORBIDDEN[contract][2]} (l." in broken[contracts()[contract]]


def imported_by(module: Path) -> set[str]:
    """Return the top-level names of a module's imports, including those in functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_every_import_is_a_dependency_of_an_extra() -> None:
    """A development dependency would be missing where the wheel is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    brought = {canonicalize_name(Requirement(text).name) for group in groups for text in group}
    distributions = packages_distributions()
    missing = {
        f"{module.relative_to(ROOT)}: {name}"
        for component in COMPONENTS
        for module in (ROOT / component).glob("neuralens_*/**/*.py")
        for name in imported_by(module) - sys.stdlib_module_names
        if name in distributions
        and not {canonicalize_name(each) for each in distributions[name]} & brought
    }
    assert missing == set()
