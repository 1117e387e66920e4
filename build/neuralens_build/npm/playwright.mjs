// Fixtures and matchers for Playwright tests of a shop: the events that `neuralens-tracker dev` or
// `neuralens-tracker sandbox` has received since the start of the test.
import { expect as expectOfPlaywright, test as testOfPlaywright } from "@playwright/test";
import { EVENTS, PAGES } from "./vocabulary.mjs";

// Milliseconds without new events after which none is expected: the tracker sends after one second.
const QUIET_MS = 1500;
const PAUSE_MS = 50;
const TIMEOUT_MS = 10_000;
const FIELDS = ["id", "ids", "index", "query", "page", "uid", "geo"];

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The events of a test, or only those of one shopper if `uid` is given. */
export class Events {
  #url;
  #uid;
  #accepted = 0;
  #refused = 0;
  #batches = {};

  constructor(url, uid) {
    this.#url = url.replace(/\/$/, "");
    this.#uid = uid;
  }

  /** Ignore all events so far. */
  async forget() {
    this.#accepted = last(await this.#read("ledger"));
    this.#refused = last(await this.#read("refusals"));
    this.#batches = await this.#countBatches();
  }

  /** Return the events of one shopper, for tests that run in parallel. */
  of(uid) {
    const chosen = new Events(this.#url, uid);
    chosen.#accepted = this.#accepted;
    chosen.#refused = this.#refused;
    chosen.#batches = this.#batches;
    return chosen;
  }

  /** Return the events so far, as the API received them, oldest first. */
  async all() {
    return (await this.#read("ledger"))
      .filter((entry) => entry.sequence > this.#accepted)
      .map((entry) => entry.body)
      .filter((body) => this.#uid === undefined || body.uid === this.#uid);
  }

  /** Wait until no more events arrive, and return those so far. */
  async settle() {
    let found = await this.all();
    for (let changed = Date.now(); Date.now() - changed < QUIET_MS; await wait(PAUSE_MS)) {
      const next = await this.all();
      if (next.length !== found.length) {
        found = next;
        changed = Date.now();
      }
    }
    return found;
  }

  /** Return the reasons for which events were refused so far. */
  async refusals() {
    return (await this.#read("refusals"))
      .filter((entry) => entry.sequence > this.#refused)
      .map((entry) => entry.reason);
  }

  /** Return where to look if there were no events at all, or "" if there were. */
  async explainAbsence() {
    if ((await this.all()).length) return "";
    const answered = Object.entries(await this.#countBatches())
      .filter(([status, count]) => count > (this.#batches[status] ?? 0))
      .map(([status]) => status);
    if (!answered.length) return this.#explainSilence();
    const refused = answered.find((status) => Number(status) >= 400);
    return refused
      ? `the relay at ${this.#url} answered ${refused}: check the page's data-app-id`
      : "";
  }

  async #explainSilence() {
    // From the start: a relay that was refused is silent from then on.
    const refusals = await this.#read("refusals");
    const refusal = refusals.findLast(({ status }) => [401, 403].includes(status));
    if (refusal)
      return (
        `the sandbox at ${this.#url} has refused the shop's relay: ${refusal.reason}.` +
        " Start the shop with the variables that neuralens-tracker dev prints"
      );
    return (
      `nothing has reached ${this.#url}, from a page or a relay: see the browser's console.` +
      " Chromium lets pages served by page.route reach it only with the permission" +
      ' "local-network-access"'
    );
  }

  /** Return how many batches the relay has answered, by HTTP status; none for a sandbox alone. */
  async #countBatches() {
    const metrics = await (await this.#fetch("nl/metrics")).text();
    const lines = metrics.matchAll(/^neuralens_batches_total\{status="(\d+)"\} (\S+)$/gm);
    return Object.fromEntries([...lines].map(([, status, count]) => [status, Number(count)]));
  }

  async #read(name) {
    const response = await this.#fetch(name);
    if (!response.ok) throw new Error(`${this.#url}/${name} answered ${response.status}`);
    return response.json();
  }

  async #fetch(name) {
    try {
      return await fetch(`${this.#url}/${name}`);
    } catch (error) {
      throw new Error(`${this.#url} does not respond: start neuralens-tracker dev`, { cause: error });
    }
  }
}

const last = (entries) => entries.at(-1)?.sequence ?? 0;

/** Format an event as one line: `CLICK_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "oak chair"`. */
const describe = (body) =>
  [
    body.event,
    body.items.map((item) => item.id).join(","),
    body.index === undefined ? "" : `#${body.index}`,
    body.page ?? "",
    body.query === undefined ? "" : JSON.stringify(body.query),
  ]
    .filter(Boolean)
    .join(" ");

const list = (events) => events.map((event) => `  ${describe(event)}`).join("\n") || "  none";

const matches = (body, event, { id, ids, ...fields }) => {
  const wanted = (ids ?? (id === undefined ? undefined : [id]))?.map(String);
  const held = body.items.map((item) => item.id);
  return (
    body.event === event &&
    (wanted === undefined || JSON.stringify(held) === JSON.stringify(wanted)) &&
    Object.entries(fields).every(
      ([name, value]) => JSON.stringify(body[name] ?? null) === JSON.stringify(value ?? null),
    )
  );
};

export const expect = expectOfPlaywright.extend({
  async toHave(events, event, fields = {}, { timeout = TIMEOUT_MS } = {}) {
    const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
    if (unknown) throw new TypeError(`events have no ${unknown}: there are ${FIELDS.join(", ")}`);
    // Otherwise a misspelled one would satisfy "not".
    if (!EVENTS.includes(event))
      throw new TypeError(`there is no event ${event}: there are ${EVENTS.join(", ")}`);
    if (fields.page && !PAGES.includes(fields.page))
      throw new TypeError(`there is no page ${fields.page}: there are ${PAGES.join(", ")}`);
    const deadline = Date.now() + timeout;
    let found = await events.all();
    const held = () => found.some((body) => matches(body, event, fields));
    // With "not", wait until no more events arrive.
    let quiet = Date.now();
    while (Date.now() < deadline && !held() && !(this.isNot && Date.now() - quiet > QUIET_MS)) {
      await wait(PAUSE_MS);
      const next = await events.all();
      if (next.length !== found.length) quiet = Date.now();
      found = next;
    }
    const reason = held() ? "" : await events.explainAbsence();
    return {
      pass: held(),
      message: () =>
        `${this.isNot ? "there is a" : "no"} ${event} with ${JSON.stringify(fields)};` +
        ` there were:\n${list(found)}${reason && `\n${reason}`}`,
    };
  },

  async toHaveNothingRefused(events) {
    let count = -1;
    let found = [];
    // Until no more events arrive.
    while (count !== (count = (await events.all()).length + found.length)) {
      await wait(QUIET_MS);
      found = await events.refusals();
    }
    return {
      pass: found.length === 0,
      message: () => `events were refused:\n${found.join("\n")}`,
    };
  },
});

// A line of a plan, as `describe` formats events; an id may have spaces.
const LINE = new RegExp(
  `^([A-Z_]+)\\s+(.+?)(?:\\s+#(\\d+))?(?:\\s+(${PAGES.join("|")}))?(?:\\s+("(?:[^"\\\\]|\\\\.)*"))?$`,
);

/** Return a query as text, null if it has an invalid escape. */
const parseQuery = (query) => {
  try {
    return JSON.parse(query);
  } catch {
    return null;
  }
};

/** Return a line as `describe` formats it; throw an error if no event can match it. */
const parseLine = (line, number) => {
  const [, event, ids, index, page, query] = LINE.exec(String(line).trim()) ?? [];
  const known = EVENTS.includes(event);
  const text = query && parseQuery(query);
  const isMisplaced = (word, place) =>
    (index === undefined && word.startsWith("#")) ||
    (page === undefined && (PAGES.includes(word) || /^[A-Z_]+_PAGES?$/.test(word))) ||
    (query === undefined && place > 0 && word.startsWith('"'));
  const misplaced = text === null ? query : known && ids.split(/\s+/).findLast(isMisplaced);
  if (known && !misplaced) {
    const rank = index && Number(index);
    return describe({ event, items: [{ id: ids }], index: rank, page, query: text });
  }
  const reason = misplaced ? ` because of "${misplaced}"` : "";
  throw new Error(
    `step ${number}: ${JSON.stringify(line)} is not an event${reason}:` +
      ` write ${EVENTS[0]} ID #3 ${PAGES[0]} "query"`,
  );
};

// What a step of a plan may have.
const KEYS = ["page", "action", "events"];

/** Return a step of a plan with all keys, and its lines as `describe` formats them. */
const readStep = (step, number) => {
  const unknown = Object.keys(step).find((key) => !KEYS.includes(key));
  if (unknown)
    throw new Error(`step ${number} has the key "${unknown}": it may have ${KEYS.join(", ")}`);
  const { page = "", action = "", events = [] } = step;
  if (typeof page !== "string" || typeof action !== "string" || !Array.isArray(events))
    throw new Error(`step ${number}: page and action are text, events is a list of texts`);
  return { page, action, wanted: events.map((line) => parseLine(line, number)) };
};

/**
 * Run all steps of a tracking plan, and throw an error with all differences.
 *
 * `plan` is the parsed plan.toml: `{ step: [{ page, action, events }] }`. `open(page)` opens a page;
 * `actions` maps the plan's actions to functions.
 */
export async function follow(plan, events, open, actions = {}) {
  if (!Array.isArray(plan.step) || !plan.step.length)
    throw new Error("the plan has no steps: write [[step]] above each");
  const steps = plan.step.map((step, place) => readStep(step, place + 1));
  const differences = [];
  for (const { page, action, wanted } of steps) {
    if (action && !actions[action])
      throw new Error(`no function is given for the action "${action}"`);
    const name = [page, action].filter(Boolean).join(": ") || "look";
    await testOfPlaywright.step(name, async () => {
      await events.forget();
      if (page) await open(page);
      if (action) await actions[action]();
      const deadline = Date.now() + TIMEOUT_MS;
      while (Date.now() < deadline && (await events.all()).length < wanted.length)
        await wait(PAUSE_MS);
      const difference = compare(wanted, (await events.settle()).map(describe));
      if (difference)
        differences.push(
          [name, difference, await events.explainAbsence()].filter(Boolean).join("\n"),
        );
    });
  }
  if (differences.length)
    throw new Error(`the journey differs from the plan:\n\n${differences.join("\n\n")}`);
}

/**
 * Return the differences line by line, "" if there are none; the order does not matter. An unexpected
 * event (`+`) is listed below the expected one (`-`) that it resembles.
 */
const compare = (wanted, got) => {
  const extra = [...got];
  const take = (test) => {
    const place = extra.findIndex(test);
    return place < 0 ? [] : extra.splice(place, 1);
  };
  const start = (line) => line.split(" ", 2).join(" ");
  const lines = wanted.map((line) => [line, take((other) => other === line).length > 0]);
  if (!extra.length && lines.every(([, came]) => came)) return "";
  const compared = lines.flatMap(([line, came]) =>
    came
      ? [`  ${line}`]
      : [`- ${line}`, ...take((other) => start(other) === start(line)).map((each) => `+ ${each}`)],
  );
  return [...compared, ...extra.map((line) => `+ ${line}`)].join("\n");
};

export const test = testOfPlaywright.extend({
  neuralensUrl: ["http://127.0.0.1:8787", { option: true }],
  events: async ({ neuralensUrl }, use) => {
    const events = new Events(neuralensUrl);
    await events.forget();
    await use(events);
  },
});
