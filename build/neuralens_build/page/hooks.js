// A shop's hooks in the page: their calls precede those that the page has queued, and their
// exceptions are reported in one sentence, with file and line.

/** Summarize a Python traceback in one sentence: the exception, file and line; file names of scripts end in "#". */
export function summarize(traceback) {
  const last = traceback.trim().split("\n").pop();
  const place = [...traceback.matchAll(/File "([^"#]*)[^"]*", line (\d+)/g)].pop();
  return place ? `${last} (${place[1]}, line ${place[2]})` : last;
}

/**
 * Run `install`, whose calls of window.neuralens are put in front of the page's queued calls. Does
 * nothing if a tracker is already running. Exceptions of `install` are reported on the console, as
 * described by `explain`.
 */
export function enlist(file, install, explain) {
  const page = window.neuralens;
  if (typeof page?.version === "string") return; // an element of that id may have such a field
  const queue = [];
  window.neuralens = (...call) => void queue.push(call);
  window.neuralens.q = queue;
  try {
    install();
  } catch (error) {
    console.warn(`neuralens: ${file} stopped: ${explain(error)}`);
  }
  if (page?.q) {
    page.q.unshift(...queue);
    window.neuralens = page;
  }
}

const COMMANDS = ["track", "identify", "consent", "geo", "page", "before", "on", "flush"];

/** Return what the compiled hooks of a file import from neuralens_tracker. */
export function bind(file) {
  let place = 0; // the current line

  function say(error) {
    // The compiler includes an exception's name in its message.
    const said = error?.message?.startsWith(`${error.name}: `) ? error.message : String(error);
    return `${said} (${file}, line ${place})`;
  }

  function guard(hook) {
    if (typeof hook !== "function") return hook;
    const given = place; // a lambda has no line of its own
    return (value) => {
      place = given;
      try {
        return hook(value);
      } catch (error) {
        throw `a hook raised ${say(error)}`; // the tracker reports it once, and continues
      }
    };
  }

  const command = (name) => (...values) => window.neuralens(name, ...values.map(guard));
  const commands = {};
  for (const name of COMMANDS) commands[name] = command(name);
  return {
    ...commands,
    line: (number) => void (place = number),
    install: (hooks) => enlist(file, hooks, say),
  };
}
