import jQuery from "jquery";

// What its version 4 has dropped, and older widgets ask for.
for (const [name, type] of [["isArray", Array], ["isFunction", Function]])
  jQuery[name] ??= (value) => value instanceof type;
globalThis.$ = globalThis.jQuery = jQuery;
