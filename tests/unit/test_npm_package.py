"""The npm package, checked with its users' tools."""

import json
import re
from pathlib import Path

import pytest
from neuralens_build import npm_tools
from neuralens_tracker.addon_settings import ADDONS, name_file
from neuralens_tracker.attributes import CONTEXT, ITEMS
from neuralens_tracker.vocabulary import ACTIONS, PAGES, VERSION

from tests.npm import make_project, run, unpack

USER = """
import { start, type TrackedEvent } from "neuralens-tracker";
const neuralens = start({ appId: "APP", viewMs: 500, ga4IndexBase: 1 });
neuralens("track", "PURCHASE", { ids: ["A", 2], order: 10042 });
neuralens("before", (event: TrackedEvent) => (event.uid === "staff" ? null : event));
neuralens("page", { page: "SEARCH_RESULT_PAGE", query: "oak" });
window.neuralens("flush");
void import("neuralens-tracker/neuralens.overlay.js");
// @ts-expect-error
neuralens("track", "VIEW_PRODUKT", { id: "A" });
// @ts-expect-error
start({ appid: "APP" });
"""
TEST = """
import { expect, follow, test } from "neuralens-tracker/playwright";
test("a click", async ({ page, events }) => {
  await page.goto("about:blank");
  await expect(events).toHave("CLICK_PRODUCT", { id: "A", index: 3, query: "oak" });
  await expect(events).toHaveNothingRefused();
  const actions = { "look again": () => page.reload() };
  await follow({ step: [{ action: "look again" }] }, events, (path) => page.goto(path), actions);
  const parsed: Record<string, unknown> = {};
  await follow(parsed, events, (path) => page.goto(path));
  // @ts-expect-error
  await expect(events).toHave("CLICK_PRODUKT");
});
"""


@pytest.fixture(scope="module")
def package(npm_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's folder."""
    return unpack(npm_package, tmp_path_factory.mktemp("unpacked"))


def test_publint(npm_package: Path, tmp_path: Path) -> None:
    printed = run(npm_tools.find("publint"), "--strict", npm_package, folder=tmp_path)
    assert "Suggestions" not in printed


def test_the_types_are_found_by_every_module_resolution(npm_package: Path, tmp_path: Path) -> None:
    own = ["--profile", "esm-only", "--exclude-entrypoints", "web-types.json"]
    run(npm_tools.find("attw"), npm_package, *own, folder=tmp_path)


def test_the_scripts_have_the_supported_syntax(package: Path) -> None:
    scripts = [path.name for path in package.glob("neuralens*.js")]
    assert "neuralens.ga4.js" in scripts
    run(npm_tools.find("es-check"), npm_tools.TARGET, *scripts, folder=package)
    modules = [npm_tools.TARGET, "--module", "neuralens.mjs"]
    run(npm_tools.find("es-check"), *modules, folder=package)
    # What the browsers of docs/browsers.md have beyond that is Object.hasOwn.
    run(npm_tools.find("es-check"), "es2022", "--checkFeatures", *scripts, folder=package)


def test_a_users_types(npm_package: Path, tmp_path: Path) -> None:
    shop = make_project(npm_package, tmp_path)
    (shop / "user.ts").write_text(USER)
    (shop / "user.spec.ts").write_text(TEST)
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]
    types = ["--types", "", "--skipLibCheck", "false"]
    run(npm_tools.find("tsc"), *options, *types[:2], "user.ts", folder=shop)
    run(npm_tools.find("tsc"), *options, "--skipLibCheck", "user.spec.ts", folder=shop)


def test_an_application_imports_it_to_render_its_pages(npm_package: Path, tmp_path: Path) -> None:
    shop = make_project(npm_package, tmp_path)
    addons = "".join(f'import "neuralens-tracker/{name_file(addon)}";\n' for addon in ADDONS)
    call = 'start({ appId: "APP" })("consent", "granted");\n'
    program = f'import {{ start }} from "neuralens-tracker";\n{addons}{call}'
    (shop / "render.mjs").write_text(program)
    run(npm_tools.find("node"), "render.mjs", folder=shop)


def test_every_export_exists(package: Path) -> None:
    manifest = json.loads((package / "package.json").read_text())
    assert manifest["version"] == VERSION
    exports = manifest["exports"]
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
