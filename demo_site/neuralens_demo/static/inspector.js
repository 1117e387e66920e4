// The inspector's page: fills itself from the stream and keeps two charts.

import { drawFunnel, drawRanks } from "./charts.js";

const MAX_ROWS = 500;
const MEDIAN_OF = 200;
const feed = document.querySelector("[data-feed]");
const filter = document.querySelector("[data-filter]");
const ways = [];
let events = 0;
let batches = new Set();
let settled = false;

const template = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const count = (name) => document.querySelector(`[data-count="${name}"]`);
const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Write a length of time: milliseconds below a second, seconds above. */
function duration(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 90) return `${seconds.toFixed(1)} s`;
  return `${Math.round(seconds / 60)} min`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The stations of an event: name, Unix time, and a remark. */
function stations({ body, received, way }) {
  const list = [{ name: "Tile", at: body.timestamp, remark: "by the browser's clock, in whole seconds" }];
  if (way?.sent) {
    const others = way.together - 1;
    const company = others === 0 ? "alone" : `together with ${others} other${others === 1 ? "" : "s"}`;
    list.push({ name: "Beacon", at: way.sent, remark: `left the page ${company}` });
  }
  if (way) list.push({ name: "Relay", at: way.arrived, remark: "written down, then handed on", since: way.sent });
  list.push({ name: "API", at: received, remark: "taken by the sandbox", since: way?.arrived });
  return list;
}

function showDetail(entry, row) {
  const detail = template("detail");
  detail.querySelector("pre").textContent = JSON.stringify(entry.body, null, 2);
  for (const { name, at, remark, since } of stations(entry)) {
    const item = document.createElement("li");
    const heading = document.createElement("b");
    heading.textContent = name;
    const small = document.createElement("small");
    const after = since ? `, ${duration(at - since)} later` : "";
    small.textContent = `${clock(at)}${after}: ${remark}`;
    item.append(heading, small);
    detail.querySelector(".way").append(item);
  }
  row.after(detail);
}

function toggle(entry, row) {
  const open = row.classList.toggle("open");
  row.querySelector(".words").setAttribute("aria-expanded", String(open));
  if (open) showDetail(entry, row);
  else row.nextElementSibling.remove();
}

function addRow(entry) {
  const row = template("row");
  const { event } = entry.body;
  row.dataset.event = event;
  row.querySelector(".time").textContent = clock(entry.received);
  const chip = row.querySelector(".chip");
  chip.dataset.event = event;
  chip.textContent = event;
  row.querySelector(".words").textContent = entry.words;
  row.querySelector(".sources").textContent = entry.sources;
  const took = entry.way?.sent ? entry.received - entry.way.sent : null;
  row.querySelector(".took").textContent = took === null ? "–" : duration(took);
  row.classList.toggle("new", settled);
  row.addEventListener("click", () => toggle(entry, row));
  row.hidden = filter.value !== "" && filter.value !== event;
  feed.prepend(row);
  if (![...filter.options].some((option) => option.value === event)) filter.append(new Option(event, event));
  while (feed.children.length > MAX_ROWS) feed.lastElementChild.remove();
  return took;
}

function addEntry(entry) {
  const took = addRow(entry);
  events += 1;
  if (entry.way) batches.add(`${entry.way.sent} ${entry.way.arrived}`);
  if (took !== null) ways.push(took);
  while (ways.length > MEDIAN_OF) ways.shift();
}

function showCounts() {
  document.querySelector("[data-feed-empty]").hidden = events > 0;
  count("events").textContent = events;
  count("batches").textContent = batches.size;
  count("median").textContent = ways.length > 0 ? duration(median(ways)) : "–";
}

function reset() {
  events = 0;
  batches = new Set();
  ways.length = 0;
  settled = false;
  feed.replaceChildren();
  showCounts();
}

function showState(state, text) {
  const live = document.querySelector("[data-live]");
  live.dataset.live = state;
  live.firstElementChild.textContent = text;
}

filter.addEventListener("change", () => {
  for (const row of feed.querySelectorAll(".event")) {
    if (row.classList.contains("open") && filter.value !== "" && row.dataset.event !== filter.value) row.click();
    row.hidden = filter.value !== "" && row.dataset.event !== filter.value;
  }
});

document.querySelector("[data-clear]").addEventListener("click", () => {
  fetch("/inspector/clear", { method: "POST" }).catch(() => showState("lost", "the server does not answer"));
});

const stream = new EventSource("/inspector/stream");
stream.addEventListener("open", () => showState("open", "live"));
stream.addEventListener("error", () => showState("lost", "connection lost, trying again"));
stream.addEventListener("cleared", reset);
stream.addEventListener("entry", ({ data }) => addEntry(JSON.parse(data)));
stream.addEventListener("figures", ({ data }) => {
  const { ranks, funnel } = JSON.parse(data);
  showCounts();
  drawRanks(ranks);
  drawFunnel(funnel);
  settled = true;
});
