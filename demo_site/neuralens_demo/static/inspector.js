// The inspector's page: shows the events of the stream, and two charts.

import { drawFunnel, drawRanks } from "./charts.js";

const MAX_ROWS = 500;
const MAX_DURATIONS = 200;
const feed = document.querySelector("[data-feed]");
const filter = document.querySelector("[data-filter]");
const durations = [];
let events = 0;
let batches = new Set();
let loaded = false;

const template = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const count = (name) => document.querySelector(`[data-count="${name}"]`);
const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Format a duration in milliseconds, seconds or minutes. */
function duration(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 90) return `${seconds.toFixed(1)} s`;
  return `${Math.round(seconds / 60)} min`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The hops of an event: name, Unix time, and a remark. */
function hops({ body, received, transit }) {
  const list = [{ name: "Page", at: body.timestamp, remark: "captured, in whole seconds of the browser's clock" }];
  if (transit?.sent) {
    const others = transit.batch_size - 1;
    const batch = others === 0 ? "alone" : `in a batch with ${others} other${others === 1 ? "" : "s"}`;
    list.push({ name: "Beacon", at: transit.sent, remark: `sent ${batch}` });
  }
  if (transit) list.push({ name: "Relay", at: transit.arrived, remark: "stored, then forwarded", since: transit.sent });
  list.push({ name: "API", at: received, remark: "accepted by the sandbox", since: transit?.arrived });
  return list;
}

function showDetail(entry, row) {
  const detail = template("detail");
  detail.querySelector("pre").textContent = JSON.stringify(entry.body, null, 2);
  for (const { name, at, remark, since } of hops(entry)) {
    const item = document.createElement("li");
    const heading = document.createElement("b");
    heading.textContent = name;
    const small = document.createElement("small");
    const after = since ? `, ${duration(at - since)} later` : "";
    small.textContent = `${clock(at)}${after}: ${remark}`;
    item.append(heading, small);
    detail.querySelector(".hops").append(item);
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
  const latency = entry.transit?.sent ? entry.received - entry.transit.sent : null;
  row.querySelector(".latency").textContent = latency === null ? "–" : duration(latency);
  row.classList.toggle("new", loaded);
  row.addEventListener("click", () => toggle(entry, row));
  row.hidden = filter.value !== "" && filter.value !== event;
  feed.prepend(row);
  if (![...filter.options].some((option) => option.value === event)) filter.append(new Option(event, event));
  while (feed.children.length > MAX_ROWS) feed.lastElementChild.remove();
  return latency;
}

function addEntry(entry) {
  const latency = addRow(entry);
  events += 1;
  if (entry.transit) batches.add(`${entry.transit.sent} ${entry.transit.arrived}`);
  if (latency !== null) durations.push(latency);
  while (durations.length > MAX_DURATIONS) durations.shift();
}

function showCounts() {
  document.querySelector("[data-feed-empty]").hidden = events > 0;
  count("events").textContent = events;
  count("batches").textContent = batches.size;
  count("median").textContent = durations.length > 0 ? duration(median(durations)) : "–";
}

function reset() {
  events = 0;
  batches = new Set();
  durations.length = 0;
  loaded = false;
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
  fetch("/inspector/clear", { method: "POST" }).catch(() => showState("lost", "the server does not respond"));
});

const stream = new EventSource("/inspector/stream");
stream.addEventListener("open", () => showState("open", "live"));
stream.addEventListener("error", () => showState("lost", "connection lost, reconnecting"
));
stream.addEventListener("cleared", reset);
stream.addEventListener("entry", ({ data }) => addEntry(JSON.parse(data)));
stream.addEventListener("figures", ({ data }) => {
  const { ranks, funnel } = JSON.parse(data);
  showCounts();
  drawRanks(ranks);
  drawFunnel(funnel);
  loaded = true;
});
