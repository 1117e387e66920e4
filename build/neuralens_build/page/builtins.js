// The standard builtins that a runtime needs, on pages that have replaced some of them; Prototype.js,
// for example, replaces Array.from.
import { createElement, property } from "./document.js";

// Brython and MicroPython need these classes, and functions of these two.
const CLASSES = ["Map", "Set", "WeakMap", "WeakSet"];
const OWNERS = ["Array", "Object"];
const FUNCTIONS = { Array: ["from"], Object: ["assign", "entries", "fromEntries", "keys", "values"] };

const isNative = (callable) => `${callable}`.includes("[native code]");
const isIntact = (name) => isNative(globalThis[name]) && (FUNCTIONS[name] ?? []).every((each) => isNative(globalThis[name][each]));

/** Return the page's Array or Object with functions of another window's. */
function restore(owner, functions, names) {
  return new Proxy(owner, {
    get: (target, name) => (names.includes(name) ? functions[name] : target[name]),
  });
}

/** Whether the page has replaced none of them. */
export const areIntact = () => [...CLASSES, ...OWNERS].every(isIntact);

/** Return Map, Set, WeakMap, WeakSet, Array and Object: the page's, or if it has replaced any, those of a new window. */
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
