// The builtins of the language that a runtime needs as the standard has them, on pages that have
// replaced some: Prototype.js has an Array.from of its own, for one.
import { createElement, property } from "./document.js";

// Brython and MicroPython need these, and functions of these two.
const CLASSES = ["Map", "Set", "WeakMap", "WeakSet"];
const OWNERS = ["Array", "Object"];
const FUNCTIONS = { Array: ["from"], Object: ["assign", "entries", "fromEntries", "keys", "values"] };

const isNative = (callable) => `${callable}`.includes("[native code]");
const isIntact = (name) => isNative(globalThis[name]) && (FUNCTIONS[name] ?? []).every((each) => isNative(globalThis[name][each]));

/** The page's Array or Object, with the functions of another window's. */
function restore(owner, functions, names) {
  return new Proxy(owner, {
    get: (target, name) => (names.includes(name) ? functions[name] : target[name]),
  });
}

/** Whether the page has left all of them as they were. */
export const areIntact = () => [...CLASSES, ...OWNERS].every(isIntact);

/** Map, Set, WeakMap, WeakSet, Array and Object: the page's, or, once it has replaced one, of a window of their own. */
export function builtins() {
  if (areIntact()) return [...CLASSES, ...OWNERS].map((name) => globalThis[name]);
  const frame = createElement("iframe");
  property("documentElement").append(frame);
  const whole = frame.contentWindow;
  const found = [
    ...CLASSES.map((name) => whole[name]),
    ...OWNERS.map((name) => {
      const functions = {};
      for (const each of FUNCTIONS[name]) functions[each] = whole[name][each];
      return restore(globalThis[name], functions, FUNCTIONS[name]);
    }),
  ];
  frame.remove();
  return found;
}
