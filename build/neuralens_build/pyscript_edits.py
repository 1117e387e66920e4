"""The patches of MicroPython's loader and PyScript's core."""

from neuralens_build.edits import Edit

# micropython.mjs. In addition to the edits, defines for esbuild declare the page a browser.
MICROPYTHON = (
    Edit(
        "!function(){function humanReadableVersionToPacked",
        "}();var Module=moduleArg",
        "var Module=moduleArg",
        "refuses browsers by the words of their user agent",
    ),
    Edit(
        ",ENVIRONMENT_IS_WEB=!!globalThis.window",
        "&&!ENVIRONMENT_IS_WORKER;",
        ";",
        "asks where it runs",
    ),
    Edit(
        "function assert(condition,text){",
        "}",
        "",
        "assertions of a debug build: the calls are dropped with it",
    ),
    Edit(
        ",void 0===globalThis.crypto&&(globalThis.crypto=",
        "));",
        ";",
        "takes Node's crypto where there is none",
    ),
    Edit(
        '["writeI53ToI64",',
        ".forEach(function(sym){unexportedRuntimeSymbol(sym)});",
        "",
        "names that a debug build warns of",
    ),
    Edit(
        '["run","out","err","callMain"',
        ".forEach(unexportedRuntimeSymbol);",
        "",
        "names that a debug build warns of",
    ),
    Edit(
        'if(globalThis.loadMicroPython=loadMicroPython,"object"==typeof process',
        "console.error(error.message)}}}()}",
        "",
        "the command line in Node, and a global",
    ),
    Edit(
        "globalThis.Module=Module,",
        "",
        "share(Module),",
        "a global of a name that others take too",
    ),
)
# Globals of micropython.mjs that become module variables, so as not to clash with the page's.
GLOBALS = (
    "proxy_js_ref",
    "proxy_js_ref_next",
    "proxy_js_ref_map",
    "proxy_js_map",
    "proxy_js_existing",
    "pyProxyFinalizationRegistry",
)
PRELUDE = f"let Module,{','.join(GLOBALS)};function share(module){{Module=module}}\n"
DEFINES = {
    "ENVIRONMENT_IS_WEB": "true",
    "ENVIRONMENT_IS_NODE": "false",
    "ENVIRONMENT_IS_WORKER": "false",
    "ENVIRONMENT_IS_SHELL": "false",
}

# core-*.js.
CORE = (
    Edit(
        '"/*@*/"+\'const{assign',
        '.replace(Wr,Hr)],{type:"text/javascript"}',
        '"throw Error(\'this copy of PyScript has no workers\')"],{type:"text/javascript"}',
        "a second copy of it all, for Python in workers: the tracker works on the page",
    ),
    Edit(
        ",{attachShadow:r}=Element.prototype;",
        "}}),",
        ";",
        "a patch that observes shadow trees for Python tags: the tracker has none there",
    ),
    Edit(
        "var Ns={codemirror:",
        'py-terminal-CwQ6kcjg.js")};',
        "var Ns={};",
        "the plugins: errors on the page, editor, game, terminal, warnings; none is needed",
    ),
    Edit(
        '(e="1.28.0-6")=>`https://cdn.jsdelivr.net/npm/@micropython',
        "micropython.mjs`",
        '()=>new URL("./micropython.mjs",import.meta.url).href',
        "MicroPython from a CDN where the page names none",
    ),
)
