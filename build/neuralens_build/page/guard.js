// The guard between Python and the browser: calls from Python do not throw, and callbacks do not
// throw into the page. Brython and MicroPython share it; each provides conversions:
//   toPython(value), toBrowser(value)  convert a value, including null and undefined
//   invoke(callable, values)           call a Python callable
//   explain(error)                     return the message of anything that was thrown
// The functions are those of neuralens_tracker.web.ffi.

import { summarize } from "./hooks.js";

// The most messages that are remembered in order to report each only once.
const MAX_MESSAGES = 100;

/** Return the members of an array-like object; Array.from may be the page's own. */
export function list(listLike, convert = (value) => value) {
  const members = [];
  for (let place = 0; place < (listLike?.length ?? 0); place++) members[place] = convert(listLike[place]);
  return members;
}

/** Serialize an object's own fields; JSON.stringify alone would call a toJSON of the page's. */
export function stringify(value) {
  if (Array.isArray(value)) return `[${list(value, stringify).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const fields = list(Object.keys(value), (name) => `${JSON.stringify(name)}:${stringify(value[name])}`);
  return `{${fields.join()}}`;
}

export function makeGuard({ toPython, toBrowser, invoke, explain }) {
  const reported = [];
  let report = null;
  let reporting = false; // the report itself may cause a call that throws

  function caught(error) {
    const message = explain(error);
    if (report === null || reporting || reported.includes(message) || reported.length === MAX_MESSAGES) return;
    reported.push(message);
    reporting = true;
    try {
      invoke(report, [message]);
    } catch {
      // The report has failed, too.
    } finally {
      reporting = false;
    }
  }

  function guarded(action) {
    try {
      return toPython(action());
    } catch (error) {
      caught(error);
      return toPython(null);
    }
  }

  const get = (target, name) => guarded(() => toBrowser(target)[name]);
  const put = (target, name, value) =>
    guarded(() => {
      toBrowser(target)[name] = toBrowser(value);
    });
  const call = (target, name, ...values) =>
    guarded(() => toBrowser(target)[name](...values.map(toBrowser)));

  return {
    window: globalThis,
    get,
    put,
    call,
    attempt: (target, name, ...values) =>
      toBrowser(target) === null ? toPython(null) : call(target, name, ...values),
    method: (owner, name) => {
      const method = globalThis[owner].prototype[name];
      const run = (target, ...values) => guarded(() => Reflect.apply(method, toBrowser(target), values.map(toBrowser)));
      return method ? run : null;
    },
    reader: (owner, name) => {
      const found = Object.getOwnPropertyDescriptor(globalThis[owner].prototype, name);
      return (target) => guarded(() => found && Reflect.apply(found.get, toBrowser(target), []));
    },
    intercept: (target, name, notice) =>
      guarded(() => {
        target[name] = new Proxy(target[name], {
          apply(method, owner, values) {
            const result = Reflect.apply(method, owner, values);
            notice(result, ...values);
            return result;
          },
        });
      }),
    stringify: (thing) => guarded(() => stringify(toBrowser(thing))),
    construct: (name, ...values) => guarded(() => new globalThis[name](...values.map(toBrowser))),
    callback:
      (callable) =>
      (...values) => {
        try {
          return toBrowser(invoke(callable, values.map(toPython)));
        } catch (error) {
          caught(error);
          return undefined;
        }
      },
    invoke: (handler, otherwise, ...values) => {
      try {
        return toPython(handler(...values.map(toBrowser)));
      } catch (error) {
        caught(error);
        return otherwise;
      }
    },
    same: (target, other) => toBrowser(target) === toBrowser(other),
    on_caught: (callable) => {
      report = callable;
    },
    describe: (error) => summarize(explain(error)),
    guarded,
  };
}
