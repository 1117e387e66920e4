// Tree-shakes brython.js: removes what the translated modules cannot reach.
//
// In:  {runtime: text of brython.js, guard: JavaScript with replacements and bindings,
//       modules: {name: translated JavaScript}, sections: [path], severed: [path]}
// Out: {code, dangling: [path], reached: {name: [path]}, unknown: [path]}
//
// brython.js consists of functions, the sections, that define properties of two objects: `$B`, the
// interpreter's own functions, and `_b_`, the builtins. Definitions have no side effects, so one can
// be removed if no remaining code refers to it. References are found conservatively in the source: a
// variable's scope is its section, a property name refers to the property of any object, and every
// string literal is a reference, because Brython looks up attributes by strings.
// `sections` and `severed` are known by the caller to be unreachable although there are references:
// whole sections (identified by something they define), and single definitions ("_b_.bytes.*" means
// all attributes of the class). `dangling` are removed definitions to which remaining code refers,
// `reached` those to which a module refers, and `unknown` the entries that match nothing, or more
// than one thing.
"use strict";

const fs = require("node:fs");
const acorn = require("acorn");

const { runtime, guard, modules, sections, severed } = JSON.parse(fs.readFileSync(0, "utf8"));
const OPTIONS = { ecmaVersion: "latest", sourceType: "script", allowReturnOutsideFunction: true };

// Lists of a class's method names: they are not references, and removed methods are removed from them.
const METHOD_LISTS = new Set(["tp_methods", "tp_getset", "classmethods", "staticmethods"]);
const FUNCTION_LIST = "$B.builtin_funcs"; // the same for the functions among the builtins
// Calls at the top level of a section without side effects.
const MAKERS = new Set(["$B.make_builtin_class", "$B.make_type", "Symbol", "Object.create"]);
const MADE_NEW = new Set(["Set", "Map", "WeakMap", "RegExp"]);
// The index of the docstring in the arguments of `init_type`.
const TYPE_DOC = 7;
// Calls that complete the class in their first argument.
const COMPLETERS = new Set(["$B.set_func_names"]);
// The names of the two objects; `builtins` is the guard's name for the second.
const NAMESPACES = { $B: "$B", __BRYTHON__: "$B", _b_: "_b_", builtins: "_b_" };
const isNamespace = (variable) => variable === "$B" || variable === "_b_";

// -- syntax tree -------------------------------------------------------------------------

function* children(node) {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === "string") yield child;
    }
  }
}

/** Return the property name of a member expression; undefined if it is computed. */
function property(node) {
  if (node.type !== "MemberExpression") return undefined;
  if (!node.computed) return node.property.name;
  return node.property.type === "Literal" && typeof node.property.value === "string"
    ? node.property.value
    : undefined;
}

/** Return `a.b.c` as ["a", "b", "c"]; undefined for anything else. */
function pathOf(node) {
  const path = [];
  for (; node.type === "MemberExpression"; node = node.object) {
    const name = property(node);
    if (name === undefined) return undefined;
    path.unshift(name);
  }
  if (node.type !== "Identifier") return undefined;
  const root = NAMESPACES[node.name] ?? node.name;
  return root === "$B" && path[0] === "builtins" && path.length > 1
    ? ["_b_", ...path.slice(1)]
    : [root, ...path];
}

/** Whether the evaluation of a node has no side effects. */
function isInert(node) {
  switch (node.type) {
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "Literal":
    case "Identifier":
      return true;
    case "TemplateLiteral":
      return node.expressions.every(isInert);
    case "ArrayExpression":
      return node.elements.every((element) => element && isInert(element));
    case "ObjectExpression":
      return node.properties.every((p) => p.type === "Property" && isInert(p.key) && isInert(p.value));
    case "MemberExpression":
      return isInert(node.object) && isInert(node.property);
    case "UnaryExpression":
      return node.operator !== "delete" && isInert(node.argument);
    case "BinaryExpression":
    case "LogicalExpression":
      return isInert(node.left) && isInert(node.right);
    case "ConditionalExpression":
      return isInert(node.test) && isInert(node.consequent) && isInert(node.alternate);
    case "CallExpression":
      return MAKERS.has(pathOf(node.callee)?.join(".")) && node.arguments.every(isInert);
    case "NewExpression":
      return MADE_NEW.has(node.callee.name) && node.arguments.every(isInert);
    default:
      return false;
  }
}

/** Return `a = b.c = value` as {targets, value}; undefined if a target is computed. */
function assignment(node) {
  const targets = [];
  for (; node.type === "AssignmentExpression" && node.operator === "="; node = node.right) {
    const path = pathOf(node.left);
    if (path === undefined) return undefined;
    targets.push(path);
  }
  return { targets, value: node };
}

// -- definitions ------------------------------------------------------------------------------

const definitions = []; // {section, node, targets: [path], parts: [node], value?, declaration?}
const roots = []; // {section, node}: code with side effects
const places = new Map(); // path -> sections that assign it at the top level
const aliases = new Map(); // "section:variable" -> [path]

const key = (section, variable) => section + ":" + variable;

function place(section, path) {
  const name = path.join(".");
  places.set(name, (places.get(name) ?? new Set()).add(section));
}

function define(section, definition) {
  for (const path of definition.targets) place(section, path);
  definitions.push({ section, ...definition });
  const paths = definition.targets.concat(definition.value ? [pathOf(definition.value) ?? []] : []);
  for (const [variable, ...rest] of definition.targets) {
    if (rest.length > 0) continue;
    const others = paths.filter((path) => path.length > 1);
    aliases.set(key(section, variable), [...(aliases.get(key(section, variable)) ?? []), ...others]);
  }
}

function readDeclaration(section, statement) {
  for (const node of statement.declarations) {
    const read = node.init ? assignment(node.init) : { targets: [], value: undefined };
    if (node.id.type !== "Identifier" || read === undefined || (read.value && !isInert(read.value))) {
      node.stays = true;
      roots.push({ section, node });
      continue;
    }
    const targets = [[node.id.name], ...read.targets];
    const parts = read.value ? [read.value] : [];
    define(section, { node, targets, parts, value: read.value, declaration: statement });
  }
}

function readStatement(section, node) {
  if (node.type === "FunctionDeclaration") {
    return define(section, { node, targets: [[node.id.name]], parts: [...node.params, node.body] });
  }
  if (node.type === "VariableDeclaration") return readDeclaration(section, node);
  if (node.type === "ExpressionStatement") {
    const { expression } = node;
    if (expression.type === "AssignmentExpression") {
      const read = assignment(expression);
      if (read && isInert(read.value)) {
        return define(section, { node, targets: read.targets, parts: [read.value], value: read.value });
      }
      for (const path of read?.targets ?? []) place(section, path);
    }
    if (expression.type === "CallExpression") {
      const callee = pathOf(expression.callee)?.join(".");
      const [first, second, third] = expression.arguments;
      if (callee === "init_type") {
        const target = [NAMESPACES[first.name], second.value];
        const doc = third.elements[TYPE_DOC];
        return define(section, { node, targets: [target], parts: [expression.callee, third], doc });
      }
      if (COMPLETERS.has(callee) && pathOf(first)) {
        return define(section, { node, targets: [pathOf(first)], parts: [expression.callee], completes: true });
      }
    }
  }
  roots.push({ section, node });
}

const tree = acorn.parse(runtime, OPTIONS);
const sectionNodes = [];
for (const node of tree.body) {
  const section = node.type === "ExpressionStatement" && node.expression.callee;
  if (section?.type === "FunctionExpression") {
    sectionNodes.push(node);
    for (const statement of section.body.body) readStatement(sectionNodes.length, statement);
  } else {
    readStatement(0, node);
  }
}

// -- sections and definitions cut by the caller ---------------------------------------------------------------------

/** Return a path, and its equivalents with its local variable resolved. */
function resolved(section, path, depth = 0) {
  const known = depth < 4 ? (aliases.get(key(section, path[0])) ?? []) : [];
  return [path, ...known.flatMap((alias) => resolved(section, [...alias, ...path.slice(1)], depth + 1))];
}

const edits = []; // [start, end, text]
const unknown = [];
const cutSections = new Set();
for (const path of sections) {
  const found = places.get(path) ?? new Set();
  if (found.size !== 1 || found.has(0)) unknown.push(path);
  for (const section of found) cutSections.add(section);
}
for (const section of cutSections) {
  const node = sectionNodes[section - 1];
  edits.push([node.start, node.end, ""]);
}
const inCutSection = ({ section }) => cutSections.has(section);

const isSevered = new Set();
for (const entry of severed) {
  const hollow = entry.endsWith(".*");
  const path = hollow ? entry.slice(0, -2) : entry;
  const found = definitions.filter((d) =>
    d.targets.some((target) =>
      resolved(d.section, target).some((full) => {
        const text = full.join(".");
        return hollow ? text.startsWith(path + ".") : text === path && !d.completes;
      }),
    ),
  );
  if (found.length === 0) unknown.push(entry);
  for (const definition of found) isSevered.add(definition);
}

// -- reachable definitions -------------------------------------------------------------------------------

const named = {
  variables: new Set(), // "section:variable"
  paths: new Set(), // "$B.name", "_b_.name", and longer ones
  properties: new Set(), // names of any object's properties or keys
  methods: new Set(), // names in a class's table of methods
  strings: new Set(), // string literals
};

const isMethodTable = (section, node) =>
  property(node) === "tp_funcs" ||
  (node.type === "Identifier" &&
    (aliases.get(key(section, node.name)) ?? []).some((path) => path.at(-1) === "tp_funcs"));

function mention(section, node) {
  if (node.type === "Identifier") {
    named.variables.add(key(section, node.name));
    named.variables.add(key(0, node.name));
    return;
  }
  if (node.type === "Literal" && typeof node.value === "string") named.strings.add(node.value);
  if (node.type === "TemplateElement") {
    for (const word of node.value.raw.split(/[^\w$]+/)) named.strings.add(word);
  }
  const name = property(node);
  if (name !== undefined) {
    named.properties.add(name);
    const path = pathOf(node);
    if (path !== undefined && isNamespace(path[0])) named.paths.add(path.join("."));
    if (isMethodTable(section, node.object)) named.methods.add(name);
    mention(section, node.object);
    return;
  }
  if (node.type === "Property" || node.type === "MethodDefinition") {
    if (node.key.type === "Identifier" && !node.computed) named.properties.add(node.key.name);
    else mention(section, node.key);
    mention(section, node.value);
    return;
  }
  for (const child of children(node)) mention(section, child);
}

// Brython concatenates these names: a getter is `name + "_get"`, an operator's method
// "__" + name + "__" or "__r" + name + "__".
const accessor = /^(.+)_(?:get|set)$/;
const slot = /^__(r?(\w+))__$/;

function isNamed(name, ...sets) {
  const has = (text) => named.strings.has(text) || sets.some((set) => set.has(text));
  const hasSlot = (text) => has(text) || (slot.test(text) && text.match(slot).slice(1).some((part) => has(part)));
  return hasSlot(name) || (accessor.test(name) && hasSlot(name.replace(accessor, "$1")));
}

function isVariableNamed(section, variable) {
  if (isNamespace(variable)) return true;
  if (named.variables.has(key(section, variable))) return true;
  const known = aliases.get(key(section, variable)) ?? [];
  return known.some((path) => path[0] !== variable && isPathNamed(section, path));
}

function isPathNamed(section, [root, ...rest]) {
  if (rest.length === 0) return isVariableNamed(section, root);
  if (!isVariableNamed(section, root)) return false;
  return rest.every((name, position) => {
    if (position === 0 && isNamespace(root)) return named.paths.has(`${root}.${name}`) || isNamed(name);
    const owner = position === 0 ? root : rest[position - 1];
    const table =
      owner === "tp_funcs" ||
      (position === 0 && (aliases.get(key(section, root)) ?? []).some((path) => path.at(-1) === "tp_funcs"));
    return table ? isNamed(name, named.methods) : isNamed(name, named.properties);
  });
}

const isNameList = ({ targets, value }) =>
  value?.type === "ArrayExpression" &&
  targets.some((path) => METHOD_LISTS.has(path.at(-1)) || path.join(".") === FUNCTION_LIST);

const filledIn = new Set(); // definitions in the guard that replace removed ones
function readGuard(node) {
  const read = node.type === "AssignmentExpression" && assignment(node);
  for (const path of read?.targets ?? []) filledIn.add(path.join("."));
  for (const child of children(node)) readGuard(child);
}

const cut = new Set(severed.map((entry) => entry.replace(".*", "")));
for (const definition of definitions) {
  if (inCutSection(definition)) for (const path of definition.targets) cut.add(path.join("."));
}

const guardTree = acorn.parse(guard, OPTIONS);
readGuard(guardTree);
const reached = {};
for (const [module, text] of Object.entries(modules)) {
  named.paths.clear();
  mention(-1, acorn.parse(text, OPTIONS));
  const paths = [...named.paths].filter((path) => cut.has(path) && !filledIn.has(path));
  if (paths.length > 0) reached[module] = paths.sort();
}
for (const text of Object.values(modules)) mention(-1, acorn.parse(text, OPTIONS));
mention(-1, guardTree);
for (const root of roots) if (!inCutSection(root)) mention(root.section, root.node);
for (let changed = true; changed; ) {
  changed = false;
  for (const definition of definitions) {
    if (definition.stays || inCutSection(definition) || isSevered.has(definition)) continue;
    if (!definition.targets.some((path) => isPathNamed(definition.section, path))) continue;
    definition.stays = definition.node.stays = changed = true;
    if (isNameList(definition)) continue;
    for (const part of definition.parts) mention(definition.section, part);
  }
}

// -- output ----------------------------------------------------------------

// Removed methods are removed from the lists of names.
const gone = new Set();
const left = new Set();
for (const { stays, section, targets } of definitions) {
  for (const target of targets) {
    for (const path of resolved(section, target)) (stays ? left : gone).add(path.join("."));
  }
}
for (const path of left) gone.delete(path);

function isLeft({ section, targets }, name) {
  return targets.every((target) => {
    if (target.join(".") === FUNCTION_LIST) return !gone.has("_b_." + name);
    return resolved(section, target.slice(0, -1)).every((path) => {
      const method = `${path.join(".")}.tp_funcs.${name}`;
      return !gone.has(method) && !gone.has(method + "_get");
    });
  });
}

const declarations = new Set();
for (const definition of definitions) {
  if (inCutSection(definition)) continue;
  if (definition.stays && isNameList(definition)) {
    const left = definition.value.elements.map((element) => element.value).filter((name) => isLeft(definition, name));
    edits.push([definition.value.start, definition.value.end, JSON.stringify(left)]);
  }
  if (definition.stays && definition.doc) edits.push([definition.doc.start, definition.doc.end, "$B.NULL"]);
  if (definition.declaration) declarations.add(definition.declaration);
  else if (!definition.stays) edits.push([definition.node.start, definition.node.end, ""]);
}
for (const { declarations: all, start, end } of declarations) {
  const last = all.findLastIndex((node) => node.stays);
  if (last < 0) {
    edits.push([start, end, ""]);
    continue;
  }
  if (last < all.length - 1) edits.push([all[last].end, all.at(-1).end, ""]);
  for (let i = 0; i < last; i++) if (!all[i].stays) edits.push([all[i].start, all[i + 1].start, ""]);
}
let code = "";
let position = 0;
for (const [start, end, text] of edits.sort((a, b) => a[0] - b[0])) {
  if (start < position) continue; // inside a removed range
  code += runtime.slice(position, start) + text;
  position = end;
}
code += runtime.slice(position);

// Brython's own modules are looked up without a definition here, and may be missing.
const isModule = (path) => /^\$B\.imported\.\w+$/.test(path) && !path.endsWith(".hasOwnProperty");
const dangling = [...named.paths]
  .filter((path) => (gone.has(path) || isModule(path)) && !filledIn.has(path))
  .sort();
process.stdout.write(JSON.stringify({ code, dangling, reached, unknown }));
