// Brython: each line of stdin is a job, answered by a line of stdout.
//   {"case": text}      played by the bundle, whose runtime has lost what the tracker does not need
//   {"program": text}   run by the whole of Brython
// The arguments: the bundle, brython.js, and the guard for pages that have Brython.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const vm = require("node:vm");

const [bundle, runtime, guard] = process.argv.slice(2).map((file) => fs.readFileSync(file, "utf8"));

/** What Brython asks for when it starts, and when a program is run. */
function makePage(extra) {
  const page = {
    URL,
    CustomEvent,
    Event,
    console: { ...console, log: console.error },
    process: { release: { name: "node" } },
    module: {},
    self: {},
    addEventListener() {},
    navigator: { language: "en" },
    location: { href: "http://localhost/", origin: "http://localhost", pathname: "/" },
    ...extra,
  };
  page.global = page.window = page;
  return vm.createContext(page);
}

/** As much of a document as the bundle looks for its script tag in. */
class Document {
  get currentScript() {
    return null;
  }

  querySelector() {
    return null;
  }
}

const small = makePage({ Document, document: new Document() });
vm.runInContext(bundle, small);

const whole = makePage();
vm.runInContext(runtime, whole);
whole.__BRYTHON__ = whole.module.exports.__BRYTHON__;
whole.__BRYTHON__.parse_options();
whole.document = { dispatchEvent() {} };
vm.runInContext(guard, whole);

const FIRST = `
from neuralens_guard import dump, put, window
shown = []
out = shown.append
put(window, "answer", None)
`;
const LAST = `
put(window, "answer", dump(shown))
`;

let programs = 0;
function run(program) {
  whole.__BRYTHON__.runPythonSource(FIRST + program + LAST, `program_${(programs += 1)}`);
  return whole.answer;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const job = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: "case" in job ? small.play(job.case) : run(job.program) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.args ?? error) }));
  }
});
