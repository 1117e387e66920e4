// MicroPython: each line of stdin is a job, {"case": text} or {"program": text}, answered by a
// line of stdout. The arguments: micropython.mjs, the guard, a JSON file {path: source}, and the
// module to start.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

const [loader, guardFile, files, entry] = process.argv.slice(2);
const { loadMicroPython } = await import(loader);
const guard = await import(guardFile);

// Runs a program for its out(...); what it raises goes to JavaScript as the text of a failure.
const RUN = `
import json

def run(source):
    shown = []
    try:
        exec(source, {"out": shown.append})
    except Exception as error:
        return json.dumps({"error": repr(error)})
    return json.dumps({"answer": json.dumps(shown)})
`;

const python = await loadMicroPython({ stdout: console.error, stderr: console.error });
python.registerJsModule("neuralens_guard", guard);
for (const [name, source] of Object.entries(JSON.parse(fs.readFileSync(files, "utf8")))) {
  python.FS.mkdirTree(path.posix.dirname(name));
  python.FS.writeFile(name, source);
}
python.runPython(RUN);
python.runPython(`from ${entry} import start\nstart()`);
const run = python.globals.get("run");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const job = JSON.parse(line);
  try {
    console.log("case" in job ? JSON.stringify({ answer: globalThis.play(job.case) }) : run(job.program));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
});
