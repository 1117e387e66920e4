import jQuery from "jquery";

globalThis.$ = globalThis.jQuery = jQuery;
