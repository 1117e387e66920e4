// The guard for MicroPython, which cannot catch exceptions of JavaScript: one that passes through it
// leaves its garbage collector disabled. Python imports it as the module `neuralens_guard`;
// neuralens_tracker.web.ffi (ffi_micropython.py) is the adapter.
import { list, makeGuard } from "./guard.js";
import { summarize } from "./hooks.js";

// MicroPython truncates integers from JavaScript to 32 bits. Larger ones are passed as a marker,
// upon which the adapter requests their text.
const mark = Object.freeze({});
const texts = [];

function toPython(value) {
  if (!Number.isInteger(value) || (value | 0) === value) return value ?? null;
  texts.push(String(value));
  return mark;
}

// MicroPython may collect a browser object that a callback returns before it arrives, so the callback
// passes it before it returns.
const given = [];

const guard = makeGuard({
  toPython,
  toBrowser: (value) => value,
  invoke: (callable, values) => {
    callable(...values);
    return given.pop();
  },
  // The message of a Python exception is its traceback.
  explain: (error) => (error?.name === "PythonError" ? error.message.trim() : String(error)),
});

export const { window, get, put, call, attempt, construct, callback, invoke, same } = guard;
export const { method, reader, intercept, stringify, on_caught, describe } = guard;
export { mark, summarize };
export const give = (value) => void given.push(value);
export const text = () => texts.shift();
export const array = (members) => guard.guarded(() => list(members, toPython));
export const object = () => ({});
