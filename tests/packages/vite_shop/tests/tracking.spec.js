import { readFileSync } from "node:fs";
import { expect, follow, test } from "neuralens-tracker/playwright";
import { parse } from "smol-toml";

test("the tracking plan", async ({ page, events }) => {
  const plan = parse(readFileSync("plan.toml", "utf8"));
  await follow(plan, events, (address) => page.goto(address), {
    "search for oak": async () => {
      await page.getByLabel("Search").fill("oak");
      await page.keyboard.press("Enter");
    },
    "open the second result": () => page.getByText("Oak armchair").click(),
    "add it to the cart": () => page.getByText("Add to cart").click(),
  });
});

test("a click has its query", async ({ page, events }) => {
  await page.goto("/search?q=chair");
  await page.getByText("Elm chair").click();
  await expect(events).toHave("CLICK_PRODUCT", { id: "CH2", index: 1, query: "chair" });
  await expect(events).not.toHave("ADD_TO_CART");
  await expect(events).toHaveNothingRefused();
});
