// What the cut runtime needs in the place of what was cut, and the guard, bound to Brython's
// values and given to Python as the module `neuralens_guard`.
import { property, settingsTag } from "./document.js";
import { list, makeGuard, stringify } from "./guard.js";
import { enlist } from "./hooks.js";

/** Stand-ins for what brython.js does in sections that the bundle leaves out. */
function fill($B) {
  const { builtins } = $B;
  $B.tracefunc = builtins.None; // no debugger
  $B.get_option = () => 0; // no talk of its own on the console
  $B.last = (list) => list[list.length - 1];
  // Browser objects are opaque: one class for all, and none that mirrors a Python object.
  $B.JSObj = $B.make_builtin_class("browser object");
  $B.NullType = $B.UndefinedType = $B.make_builtin_class("nothing");
  // The runtime takes its own functions for methods when it finds them on a class.
  $B.JSFunction = $B.make_builtin_class("browser function");
  $B.JSFunction.tp_call = (callable, ...values) => callable(...values);
  $B.JSFunction.tp_descr_get = (callable, owner) =>
    owner === $B.NULL ? callable : $B.$call($B.method, callable, owner);
  for (const type of [$B.JSObj, $B.JSFunction, $B.NullType]) $B.finalize_type(type);
  $B.JSOBJ = Symbol("JSOBJ");
  $B.PYOBJ_MAP = new WeakMap();

  // Every module is registered before one that imports it runs; a package that holds nothing but
  // modules is not there.
  $B.$import_from = (module, name, aliases, level, locals) => {
    const [target, alias] = aliases[name] ?? [locals, name];
    const owner = $B.imported[module];
    const value = owner === undefined ? $B.NULL : $B.module_getattr(owner, name);
    target[alias] = value === $B.NULL ? $B.imported[`${module}.${name}`] : value;
    if (target[alias] === undefined) $B.RAISE(builtins.ImportError, `cannot import ${name} from ${module}`);
  };
}

/** Gives Python the guard; returns how to call Python and how to put an exception in words. */
export function bind($B) {
  const { builtins } = $B;
  const { None } = builtins;

  function toPython(value) {
    if (value === null || value === undefined) return None;
    // Brython keeps whole numbers as they are, others in an object, and text with surrogate
    // pairs in one that counts code points.
    if (typeof value === "number") return Number.isSafeInteger(value) ? value : $B.fast_float(value);
    return typeof value === "string" ? $B.String(value) : value;
  }

  function toBrowser(value) {
    if (value === None) return null;
    const kind = value?.ob_type;
    if (kind === builtins.float) return value.value;
    return kind === builtins.str ? value.valueOf() : value;
  }

  function fromJson(value) {
    if (Array.isArray(value)) return $B.$list(value.map(fromJson));
    if (value === null || typeof value !== "object") return toPython(value);
    const dict = $B.empty_dict();
    for (const name of Object.keys(value)) builtins.dict.$setitem(dict, toPython(name), fromJson(value[name]));
    return dict;
  }

  function toJson(value) {
    if (Array.isArray(value)) return value.map(toJson);
    if (typeof value === "bigint") return Number(value);
    if (!$B.is_dict(value)) return toBrowser(value);
    // An object without a prototype, so that "__proto__" is a key like any other.
    const object = Object.create(null);
    for (const item of builtins.dict.$iter_items(value)) object[toBrowser(item.key)] = toJson(item.value);
    return object;
  }

  function toFields(dict) {
    const object = {};
    for (const { key, value } of builtins.dict.$iter_items(dict)) {
      object[toBrowser(key)] = Array.isArray(value) ? value.map(toBrowser) : toBrowser(value);
    }
    return object;
  }

  /** A Python exception as a traceback, with the line "Name: message" last. */
  function explain(error) {
    if (error?.ob_type === undefined) return String(error);
    const lines = [];
    for (let step = error.__traceback__; step?.tb_frame; step = step.tb_next) {
      const [name, , module] = step.tb_frame;
      const place = name === module ? "<module>" : name;
      lines.push(`  File "${step.tb_frame.__file__}", line ${step.tb_lineno}, in ${place}`);
    }
    if (lines.length > 0) lines.unshift("Traceback (most recent call last):");
    const message = builtins.str.$factory(error);
    lines.push($B.class_name(error) + (message === "" ? "" : `: ${message}`));
    return lines.join("\n");
  }

  function invoke(callable, values) {
    const frame = $B.frame_obj; // an exception leaves the frames it went through behind
    try {
      return $B.$call(callable, ...values);
    } finally {
      $B.frame_obj = frame;
    }
  }

  const { guarded, describe, ...guard } = makeGuard({ toPython, toBrowser, invoke, explain });
  const functions = {
    ...guard,
    intercept: (target, name, notice) => guard.intercept(target, name, guard.callback(notice)),
    // What is guarded is the page's function, or one of Python's, which is no function here.
    invoke: (handler, ...given) =>
      guard.invoke(handler.ob_type === undefined ? handler : guard.callback(handler), ...given),
    describe: (error) => toPython(describe(error)),
    record: (dict) => guarded(() => toFields(dict)),
    elements: (members) => guarded(() => $B.$list(list(members, toPython))),
    parse: (text) => guarded(() => fromJson(JSON.parse(text))),
    dump: (value) => guarded(() => stringify(toJson(value))),
  };
  const module = ($B.imported.neuralens_guard = $B.module.$factory("neuralens_guard"));
  for (const name of Object.keys(functions)) $B.module_setattr(module, name, functions[name]);
  return { describe, explain, invoke, toPython };
}

/** Runs the hooks' module; what it raises stays with it. */
function installHooks($B, name, module, describe) {
  const frame = $B.frame_obj;
  enlist(`${name}.py`, module, describe);
  $B.frame_obj = frame; // an exception leaves the frames it went through behind
}

/**
 * Runs the modules in their order, the hooks last if there are any, and calls start(tag) of the
 * entry. An exception ends it with a traceback on the console; nothing is thrown into the page.
 */
export function run($B, names, modules, [entry, hooks]) {
  fill($B);
  const { describe, explain, invoke, toPython } = bind($B);
  for (const name of names) $B.imported[name] = $B.module.$factory(name);
  try {
    for (const name of names) if (name !== hooks) modules[names.indexOf(name)]();
    if (hooks !== undefined) installHooks($B, hooks, modules[names.indexOf(hooks)], describe);
    invoke($B.module_getattr($B.imported[entry], "start"), [toPython(settingsTag(property("currentScript")))]);
  } catch (error) {
    console.error(explain(error));
  }
}
