"""The npm package's Playwright fixtures, in a Playwright run."""

import json
import os
import subprocess
from pathlib import Path

from neuralens_testing.sandbox import start_sandbox

from tests.npm import make_project

TEST = """
import { readFileSync } from "node:fs";
import { expect, follow, test } from "neuralens-tracker/playwright";

test.beforeEach(async ({ page, neuralensUrl }) => {
  const body = readFileSync("shop.html", "utf8");
  await page.route(`${neuralensUrl}/shop`, (route) =>
    route.fulfill({ body, contentType: "text/html" }));
  await page.goto(`${neuralensUrl}/shop`);
});

test("a click has its query", async ({ page, events }) => {
  await page.getByText("two").click();
  await expect(events).toHave("CLICK_PRODUCT", { id: "B", index: 1, query: "oak" });
  await expect(events).not.toHave("CLICK_PRODUCT", { id: "A" });
  await expect(events).toHaveNothingRefused();
});

test("a missing event is reported", async ({ page, events }) => {
  await page.getByText("one").click();
  await expect(events).toHave("CLICK_PRODUCT", { id: "A" });
  let message = "";
  try {
    await expect(events).toHave("CLICK_PRODUCT", { id: "A", index: 7 }, { timeout: 200 });
  } catch (error) {
    message = error.message;
  }
  expect(message).toContain('CLICK_PRODUCT A #0 SEARCH_RESULT_PAGE "oak"');
});

test("a misspelled key of a plan is named", async ({ page, events }) => {
  const plan = { step: [{ page: "/" }, { page: "/", event: [] }] };
  await expect(follow(plan, events, (address) => page.goto(address)))
    .rejects.toThrow('step 2 has the key "event"');
});

test("misspelled events and pages are named", async ({ page, events }) => {
  const open = (address) => page.goto(address);
  for (const line of [
    "CLICK_PRODCT A",
    "CLICK_PRODUCT A SEARCH_RESULTS_PAGE",
    "CLICK_PRODUCT #1 SEARCH_RESULT_PAGE",
    "CLICK_PRODUCT A #1 SEARCH_RESULT_PAGE oak",
    'CLICK_PRODUCT A #1 SEARCH_RESULT_PAGE "oak',
    'CLICK_PRODUCT A "\\\\d"',
  ]) {
    const plan = { step: [{ page: "/", events: [line] }] };
    await expect(follow(plan, events, open)).rejects.toThrow(
      `step 1: ${JSON.stringify(line)} is not an event`);
  }
  const misspelled = expect(events).not.toHave("CLICK_PRODCT", {});
  await expect(misspelled).rejects.toThrow("there is no event CLICK_PRODCT");
  const elsewhere = expect(events).not.toHave("CLICK_PRODUCT", { page: "SEARCH" });
  await expect(elsewhere).rejects.toThrow("there is no page SEARCH");
});

test("a plan is followed, and each difference is shown", async ({ page, events }) => {
  const open = () => page.reload();
  const actions = { choose: () => page.getByText("two").click() };
  const views = [
    'VIEW_PRODUCT  A #0 SEARCH_RESULT_PAGE "\\u006fak"',
    'VIEW_PRODUCT B #1 SEARCH_RESULT_PAGE "oak"',
  ];
  const click = 'CLICK_PRODUCT B #1 SEARCH_RESULT_PAGE "oak"';
  await expect(events).toHave("VIEW_PRODUCT", { id: "B" });
  const first = { page: "/", events: views };
  await follow({ step: [first, { action: "choose", events: [click] }] }, events, open, actions);
  const wrong = { action: "choose", events: [click.replace("#1", "#2"), "SHARE B"] };
  const failure = follow({ step: [first, wrong] }, events, open, actions);
  const [missing] = wrong.events;
  await expect(failure).rejects.toThrow(
    `the journey differs from the plan:\n\nchoose\n- ${missing}\n+ ${click}\n- SHARE B`);
  const text = follow({ step: [{ events: click }] }, events, open, actions);
  await expect(text).rejects.toThrow("step 1: page and action are text");
});

for (const permissions of [[], ["local-network-access"]]) {
  test.describe(`a page of another origin with ${permissions.length} permissions`, () => {
    test.use({ permissions });
    test("reaches the relay or is explained", async ({ page, events }) => {
      const body = readFileSync("shop.html", "utf8");
      const address = "https://shop.example/";
      await page.route(address, (route) => route.fulfill({ body, contentType: "text/html" }));
      await page.goto(address);
      await events.forget();
      await page.getByText("two").click();
      const arrival = expect(events).toHave("CLICK_PRODUCT", {}, { timeout: 3000 });
      if (permissions.length) await arrival;
      else await expect(arrival).rejects.toThrow("nothing has reached");
    });
  });
}

test("a relay that the sandbox refuses is explained", async ({ events, neuralensUrl }) => {
  const headers = { "Api-Key": "Bearer another" };
  await fetch(`${neuralensUrl}/analytics/event`, { method: "POST", headers });
  // The relay was refused before this part of the journey, and has sent nothing since.
  await events.forget();
  const arrival = expect(events).toHave("CLICK_PRODUCT", {}, { timeout: 100 });
  await expect(arrival).rejects.toThrow("has refused the shop's relay");
});
"""
SHOP = """<!doctype html><title>Shop</title>{tag}
<ol data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak" data-nl-list="results">
<li data-nl-product="A"><button>one</button></li><li data-nl-product="B"><button>two</button></li>
</ol>"""


def test_a_run(npm_package: Path, tmp_path: Path, chromium_options: dict[str, object]) -> None:
    make_project(npm_package, tmp_path)
    options = {
        "executablePath": chromium_options["executable_path"],
        "args": chromium_options["args"],
    }
    with start_sandbox("APP") as sandbox:
        (tmp_path / "shop.html").write_text(SHOP.format(tag=sandbox.snippet()))
        config = {"workers": 1, "use": {"neuralensUrl": sandbox.url, "launchOptions": options}}
        (tmp_path / "playwright.config.js").write_text(f"export default {json.dumps(config)};")
        (tmp_path / "shop.spec.js").write_text(TEST)
        done = subprocess.run(
            ["node", "node_modules/playwright/cli.js", "test", "--reporter=line"],
            cwd=tmp_path,
            env={**os.environ, "CI": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
