// Translates Python modules to JavaScript with Brython's own translator.
// In: {runtime: text of brython.js, modules: [{name, source}]}. Out: [JavaScript text].
"use strict";

const fs = require("node:fs");
const vm = require("node:vm");

const { runtime, modules } = JSON.parse(fs.readFileSync(0, "utf8"));

// The globals that brython.js uses when it starts in Node.
const realm = {
  URL,
  console,
  process: { release: { name: "node" } },
  module: {},
  self: {},
  addEventListener() {},
  navigator: { language: "en" },
  location: { href: "http://localhost/", origin: "http://localhost", pathname: "/" },
};
realm.global = realm;
vm.createContext(realm);
// Random names and hashes would make builds irreproducible.
vm.runInContext("Math.random = () => 0.5", realm);
vm.runInContext(runtime, realm, { filename: "brython.js" });
const $B = realm.module.exports.__BRYTHON__;
$B.parse_options();

// Column positions for carets in tracebacks, which are useless without the source.
const POSITIONS = /^ *frame\.positions = \[.*\]$/gm;

// A lone surrogate in a Python string literal, which UTF-8 cannot encode.
const LONE_SURROGATE = /\p{Surrogate}/gu;
const escape = (half) => `\\u${half.charCodeAt(0).toString(16)}`;

function translate({ name, source }) {
  const filename = name.replaceAll(".", "/") + ".py";
  $B.url2name[filename] = name;
  $B.$py_UUID = 0;
  $B.imported[name] = $B.module.$factory(name);
  try {
    const js = $B.py2js({ src: source, filename, imported: true }, name, name, $B.builtins_scope).to_js();
    return js.replace(POSITIONS, "").replace(LONE_SURROGATE, escape);
  } catch (error) {
    throw Error(`${filename}, line ${error.lineno ?? "?"}: ${error.args?.[0] ?? error}`);
  }
}

try {
  process.stdout.write(JSON.stringify(modules.map(translate)));
} catch (error) {
  process.stderr.write(error.message + "\n");
  process.exitCode = 1;
}
