// The guard for MicroPython, which cannot catch what JavaScript throws: an exception that escapes
// through it leaves its collector switched off. PyScript and the bundle give it to Python as the
// module `neuralens_guard`; neuralens_tracker.web.ffi (ffi_micropython.py) makes the adapter of it.
import { list, makeGuard } from "./guard.js";
import { summarize } from "./hooks.js";

// MicroPython cuts whole numbers to 32 bits on the way in. Such a number goes as a mark, which
// the adapter knows, and its text follows on request.
const mark = Object.freeze({});
const texts = [];

function toPython(value) {
  if (!Number.isInteger(value) || (value | 0) === value) return value ?? null;
  texts.push(String(value));
  return mark;
}

// MicroPython may collect a browser object that a callback returns before it arrives, so it is given
// while the callback still runs.
const given = [];

const guard = makeGuard({
  toPython,
  toBrowser: (value) => value,
  invoke: (callable, values) => {
    callable(...values);
    return given.pop();
  },
  // An exception of Python's carries its traceback as its message.
  explain: (error) => (error?.name === "PythonError" ? error.message.trim() : String(error)),
});

export const { window, get, put, call, attempt, construct, callback, invoke, same } = guard;
export const { method, reader, intercept, stringify, on_caught, describe } = guard;
export { mark, summarize };
export const give = (value) => void given.push(value);
export const text = () => texts.shift();
export const array = (members) => guard.guarded(() => list(members, toPython));
export const object = () => ({});
