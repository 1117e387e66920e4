// Replacements for the parts that are cut from Brython's runtime, and the guard for Brython's
// values, which Python imports as the module `neuralens_guard`.
import { property, settingsTag } from "./document.js";
import { list, makeGuard, stringify } from "./guard.js";
import { enlist } from "./hooks.js";

/** Define what brython.js defines in sections that the bundle leaves out. */
function fill($B) {
  const { builtins } = $B;
  $B.tracefunc = builtins.None; // no debugger
  $B.get_option = () => 0; // no console output of its own
  $B.last = (list) => list[list.length - 1];
  // Browser objects are opaque: they all have one class.
  $B.JSObj = $B.make_builtin_class("browser object");
  $B.NullType = $B.UndefinedType = $B.make_builtin_class("nothing");
  // The runtime treats its own functions as methods if they are attributes of a class.
  $B.JSFunction = $B.make_builtin_class("browser function");
  $B.JSFunction.tp_call = (callable, ...values) => callable(...values);
  $B.JSFunction.tp_descr_get = (callable, owner) =>
    owner === $B.NULL ? callable : $B.$call($B.method, callable, owner);
  for (const type of [$B.JSObj, $B.JSFunction, $B.NullType]) $B.finalize_type(type);
  $B.JSOBJ = Symbol("JSOBJ");
  $B.PYOBJ_MAP = new WeakMap();

  // Modules are registered before those that import them run; packages that contain only modules
  // do not exist.
  $B.$import_from = (module, name, aliases, level, locals) => {
    const [target, alias] = aliases[name] ?? [locals, name];
    const owner = $B.imported[module];
    const value = owner === undefined ? $B.NULL : $B.module_getattr(owner, name);
    target[alias] = value === $B.NULL ? $B.imported[`${module}.${name}`] : value;
    if (target[alias] === undefined) $B.RAISE(builtins.ImportError, `cannot import ${name} from ${module}`);
  };
}

/** Install the guard for Python; return the functions that call Python and explain exceptions. */
export function bind($B) {
  const { builtins } = $B;
  const { None } = builtins;

  function toPython(value) {
    if (value === null || value === undefined) return None;
    // Brython represents integers as numbers, floats as objects, and strings with surrogate pairs
    // as objects that count code points.
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
    // Without a prototype, so that "__proto__" is an ordinary key.
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

  /** Format a Python exception as a traceback that ends with the line "Name: message". */
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
    const frame = $B.frame_obj; // an exception leaves its frames behind
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
    // The handler is a function of the page, or a Python function, which is an object here.
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

/** Run the hooks' module; its exceptions are reported, not thrown. */
function installHooks($B, name, module, describe) {
  const frame = $B.frame_obj;
  enlist(`${name}.py`, module, describe);
  $B.frame_obj = frame; // an exception leaves its frames behind
}

/**
 * Run the modules in order, then the hooks if there are any, and call start(tag) of the entry
 * module. An exception is printed on the console as a traceback; nothing is thrown into the page.
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
