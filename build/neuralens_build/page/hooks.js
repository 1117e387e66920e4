// A shop's hooks in the page: they are called before anything that the page has called already,
// and what they raise is said in one sentence, with file and line.

/** A traceback of Python in one sentence: what was raised, and where; a script's file has a mark. */
export function summarize(traceback) {
  const last = traceback.trim().split("\n").pop();
  const place = [...traceback.matchAll(/File "([^"#]*)[^"]*", line (\d+)/g)].pop();
  return place ? `${last} (${place[1]}, line ${place[2]})` : last;
}

/**
 * Runs `install`, whose calls of window.neuralens come first in the queue of the page's calls. Does
 * nothing beside a tracker that runs. What install throws is on the console; `explain` puts it in
 * words.
 */
export function enlist(file, install, explain) {
  const page = window.neuralens;
  if (page?.version) return;
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

/** What `from neuralens_tracker import ...` gives the compiled hooks of a file. */
export function bind(file) {
  let place = 0; // the line that runs

  function say(error) {
    // The compiler puts the name of an exception into its message as well.
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
        throw `a hook raised ${say(error)}`; // the tracker says it once, and goes on
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
