// Starts the tracker in MicroPython, with PyScript's core or alone, from its own script tag:
//   <script async src="neuralens.pyscript.js" data-app-id="APP" data-pyscript="alone"></script>
// All files are fetched from the script's folder, or from its subfolder `pyscript/`.
import { areIntact } from "./builtins.js";
import { createElement, find, isShadowed, property, settingsTag } from "./document.js";
import { enlist } from "./hooks.js";
import * as guard from "./micropython.js";
import { files, hooks } from "neuralens-modules"; // {path: source} and a name, by the build

const own = property("currentScript");
const settings = settingsTag(own);
const folder = new URL(own.src.includes("/pyscript/") ? "./" : "pyscript/", own.src);
const address = (name) => new URL(name, folder).href;

/** Install the guard and the tracker's modules in an interpreter, and start the tracker. */
function begin(python) {
  python.registerJsModule("neuralens_guard", guard);
  for (const path of Object.keys(files)) {
    const names = path.split("/");
    for (let depth = 1; depth < names.length; depth++) {
      const parent = names.slice(0, depth).join("/");
      if (!python.FS.analyzePath(parent).exists) python.FS.mkdir(parent);
    }
    python.FS.writeFile(path, files[path]);
  }
  if (hooks !== null) enlist(`${hooks}.py`, () => python.pyimport(hooks), guard.describe);
  try {
    python.pyimport("neuralens_tracker.late");
    python.pyimport("sys").modules["neuralens_tracker.late"].start(settings);
  } catch (error) {
    console.error(error.message);
  }
}

async function startAlone() {
  const { loadMicroPython } = await import(address("micropython.mjs"));
  begin(
    await loadMicroPython({
      url: address("micropython.wasm"),
      stdout: console.log,
      stderr: console.error,
    }),
  );
}

async function startCore() {
  // PyScript loads an interpreter if a tag needs one. There is one configuration per page; unless the
  // page has its own, this one prevents loading from a CDN.
  const python = createElement("script");
  python.type = "mpy";
  python.id = "neuralens-python";
  python.setAttribute("target", python.id); // otherwise PyScript adds an element for its output
  if (find("mpy-config, [config]:is(script[type=mpy], mpy-script)") === null) {
    python.setAttribute("config", JSON.stringify({ interpreter: address("micropython.mjs") }));
  }
  own.after(python);
  const { hooks } = await import(address("core.js"));
  hooks.main.onReady.add(function start({ type, interpreter }) {
    if (type !== "mpy" && type !== "micropython") return;
    hooks.main.onReady.delete(start);
    begin(interpreter);
  });
}

/** Whether functions can be made from strings, as PyScript's core does; a policy may forbid it. */
function mayCompileText() {
  try {
    return new Function("return true")();
  } catch {
    return false;
  }
}

// PyScript's core fails on pages with shadowed document members or replaced builtins, and in frames
// with srcdoc, whose address is no base for others.
const isHostile = isShadowed() || !areIntact() || location.origin === "null";
const alone = (settings ?? own).dataset.pyscript === "alone" || isHostile || !mayCompileText();
(alone ? startAlone() : startCore()).catch((error) => console.error(`neuralens: ${error.message}`));
