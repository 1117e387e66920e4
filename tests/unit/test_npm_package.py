"""The npm package: what its users' tools say of it, and its helper in a real Playwright run."""

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from neuralens_build import npm_package, npm_tools
from neuralens_embed import bundles
from neuralens_tracker.attributes import CONTEXT, ITEMS
from neuralens_tracker.vocabulary import ACTIONS, PAGES, VERSION

ROOT = Path(__file__).parents[2]
USER = """
import { start, type TrackedEvent } from "neuralens-tracker";
const neuralens = start({ appId: "APP", viewMs: 500, ga4IndexBase: 1 });
neuralens("track", "PURCHASE", { ids: ["A", 2], order: 10042 });
neuralens("before", (event: TrackedEvent) => (event.uid === "staff" ? null : event));
neuralens("page", { page: "SEARCH_RESULT_PAGE", query: "oak" });
window.neuralens("flush");
// @ts-expect-error
neuralens("track", "VIEW_PRODUKT", { id: "A" });
// @ts-expect-error
start({ appid: "APP" });
"""
TEST = """
import { expect, test } from "neuralens-tracker/playwright";
test("a click", async ({ page, events }) => {
  await page.goto("about:blank");
  await expect(events).toHave("CLICK_PRODUCT", { id: "A", index: 3, query: "oak" });
  await expect(events).toHaveNothingRefused();
  // @ts-expect-error
  await expect(events).toHave("CLICK_PRODUKT");
});
"""


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm") / "package"
    npm_package.assemble(bundles.directory(), folder)
    return folder


@pytest.fixture(scope="module")
def packed(package: Path) -> Path:
    run("npm", "pack", "--silent", "--pack-destination", package.parent, folder=package)
    return package.parent / f"neuralens-tracker-{VERSION}.tgz"


@pytest.fixture
def shop(packed: Path, tmp_path: Path) -> Path:
    """A project that has the package installed, beside Playwright."""
    modules = tmp_path / "node_modules"
    modules.mkdir()
    with tarfile.open(packed) as archive:
        archive.extractall(modules, filter="data")
    (modules / "package").rename(modules / "neuralens-tracker")
    for name in ("@playwright", "playwright", "playwright-core"):
        # Copied, since a link would be another module beside the helper's own.
        shutil.copytree(ROOT / "node_modules" / name, modules / name)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def test_publint(packed: Path) -> None:
    run(npm_tools.find("publint"), "--strict", packed, folder=packed.parent)


def test_the_types_are_found_by_every_resolution_of_modules(packed: Path) -> None:
    own = ["--profile", "esm-only", "--exclude-entrypoints", "web-types.json"]
    run(npm_tools.find("attw"), packed, *own, folder=packed.parent)


def test_the_scripts_run_in_the_browsers_that_are_promised(package: Path) -> None:
    scripts = [path.name for path in package.glob("neuralens*.js")]
    assert "neuralens.ga4.js" in scripts
    run(npm_tools.find("es-check"), npm_tools.TARGET, *scripts, folder=package)
    modules = [npm_tools.TARGET, "--module", "neuralens.mjs"]
    run(npm_tools.find("es-check"), *modules, folder=package)


def test_a_users_types(shop: Path) -> None:
    (shop / "user.ts").write_text(USER)
    (shop / "user.spec.ts").write_text(TEST)
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]
    types = ["--types", "", "--skipLibCheck", "false"]
    run(npm_tools.find("tsc"), *options, *types[:2], "user.ts", folder=shop)
    run(npm_tools.find("tsc"), *options, "--skipLibCheck", "user.spec.ts", folder=shop)


def test_every_export_is_there(package: Path) -> None:
    exports = json.loads((package / "package.json").read_text())["exports"]
    for target in exports.values():
        for name in target.values() if isinstance(target, dict) else [target]:
            assert list(package.glob(name)), name
    for name in package.glob("*js"):
        mapped = re.findall(r"sourceMappingURL=(\S+)", name.read_text("utf-8"))
        assert all((package / each).is_file() for each in mapped)


def test_editors_know_every_attribute(package: Path) -> None:
    types = json.loads((package / "web-types.json").read_text())
    attributes = {each["name"]: each for each in types["contributions"]["html"]["attributes"]}
    assert set(attributes) == {*CONTEXT, *ITEMS}
    values = {
        name: [v["name"] for v in each.get("values", [])] for name, each in attributes.items()
    }
    assert values["data-nl-page"] == list(PAGES)
    assert values["data-nl-action"] == list(ACTIONS)
    assert attributes["data-nl-ignore"]["value"] == {"kind": "no-value"}
