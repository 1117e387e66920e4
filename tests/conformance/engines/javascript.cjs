// The compiled tracker: each line of stdin is a job, answered by a line of stdout.
//   {"case": text}      played in a page of its own by the bundle, a file named as the argument
//   {"program": text}   JavaScript that shows values with out(...), in a page of its own
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const vm = require("node:vm");

const TIMEOUT = { timeout: 5000 };
const bundle = new vm.Script(fs.readFileSync(process.argv[2], "utf8"));

function play(text) {
  const page = vm.createContext({ text });
  bundle.runInContext(page, TIMEOUT);
  return vm.runInContext("JSON.stringify(start(JSON.parse(text)))", page, TIMEOUT);
}

function run(program) {
  const page = vm.createContext({ shown: [] });
  vm.runInContext(`const out = (value) => shown.push(value);"use strict";${program}`, page, TIMEOUT);
  return vm.runInContext("JSON.stringify(shown)", page, TIMEOUT);
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const job = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: "case" in job ? play(job.case) : run(job.program) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack) }));
  }
});
