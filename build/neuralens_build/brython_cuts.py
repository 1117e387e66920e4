"""The parts removed from brython.js, and why the tracker cannot reach them.

Each part is found by its content, never by its position: a section by a name that it defines, a
replaced text by its start and end, a severed definition by its name. The build fails if one of them
does not occur exactly once, if remaining code refers to something removed that is not listed here,
or if a module of the tracker refers to something listed here. So neither an upgrade of Brython nor
a change of the tracker can break a cut unnoticed. In addition to these tables,
node/shake_brython.cjs removes what has become unreachable.
"""

from neuralens_build.edits import Edit

# Whole sections of brython.js, identified by a name that they define.
SECTIONS = {
    "$B.py_tokens": "tokens of Python source: the modules are translated when they are built",
    "$B.tokenizer": "the tokenizer, with the Unicode tables of identifiers",
    "$B._PyPegen.constant_from_string": "the parser's actions",
    "$B.prepare_string": "string literals of Python source",
    "$B.prepare_number": "number literals of Python source",
    "$B.Parser": "the parser",
    "$B._PyPegen.fill_token": "the parser's memory",
    "$B._PyPegen.parse": "the grammar",
    "$B._PySymtable_Build": "the symbol table",
    "$B.ast_js_to_py": "the syntax tree as Python objects",
    "$B.whenReady": "a promise for pages that wait for Brython to translate",
    "$B.py2js": "the start-up: looks for scripts, watches the page, hooks body.onload",
    "$B.idb_open": "fetching modules and keeping them in IndexedDB",
    "_b_.exec": "exec and eval",
    "$B.make_IOUnsupported": "files",
    "$B.to_bytes": "bytes, bytearray and the codecs: events are text, JSON and numbers",
    "$B.memory_iterator.tp_iter": "memoryview",
    "$B.make_complex": "complex numbers",
    "$B.pattern_match": "match statements: the subset check refuses them",
    "$B.make_async": "coroutines: the subset check refuses them",
    "$B.generator_return": "generators: the subset check refuses them",
    "$B.$isNode": "elements and events as Python objects: the guard passes them through",
    "$B.pyobj2structuredclone": "browser objects as Python objects: the guard converts instead",
    "$B.set_add": "set and frozenset: the subset check refuses them",
    "$B.lazy_modules": "the modules browser, javascript and sys, and what they print through",
}

# Replacements of text.
EDITS = (
    Edit(
        "var __BRYTHON__=globalThis.__BRYTHON__ ||{}",
        "",
        "var __BRYTHON__={};",
        "a page may run a Brython of its own",
    ),
    Edit(
        'try{\neval("async function* f(){}")',
        '"Microsoft Edge, please upgrade to the latest version")}',
        "",
        "probes with eval, which a policy forbids",
    ),
    Edit(
        "if(! Object.hasOwn(RegExp,'escape'))",
        "return res}}",
        "",
        "adds functions to the page's RegExp and Set",
    ),
    Edit(
        "new RegExp(RegExp.escape(sep),'g')",
        "",
        r"new RegExp(sep.replace(/[\\^$.*+?()[\]{}|]/g,'\\$&'),'g')",
        "str.split without what was added to RegExp, which older browsers lack",
    ),
    Edit(
        "$B.isWebWorker=('undefined' !==typeof WorkerGlobalScope)",
        "$B.script_domain=$B.script_dir}}",
        "$B.isWebWorker=$B.isNode=false\nvar _window=globalThis",
        "looks for storage, for its own script's address and for Node",
    ),
    Edit(
        "var href=$B.script_path=_window.location.href",
        "$B.curdir=href_elts.join('/')",
        "",
        "the folder that modules would be fetched from",
    ),
    Edit(
        "$B.language=_window.navigator.userLanguage",
        "$B.tz_name=long.substr(ix).trim()",
        "",
        "the name of the time zone, for the module time; formatting dates takes milliseconds",
    ),
    Edit(
        "for(var key in docs){",
        ".__doc__=docs[key]}}}",
        "",
        "docstrings of builtins",
    ),
    Edit(
        "globalThis.brython=__BRYTHON__.brython",
        "module.exports={__BRYTHON__ }}",
        "",
        "a global for pages that translate Python",
    ),
    Edit(
        "var opclass2dunder={}\nfor(var op_type of $B.op_types){",
        "+'__'}}",
        "",
        "operators of the syntax tree, for the code generator",
    ),
    Edit(
        'pyframe=$B.module_getattr($B.imported["_sys"]',
        "'co_varnames')",
        "co_varnames=frame[4].$function_infos[$B.func_attrs.varnames]",
        "super() asks the module sys for the frame that it has in hand",
    ),
    Edit(
        "return $B.module_getattr($B.imported._suggestions",
        "(list,name)",
        "return null",
        "guesses at typing errors in the names of keyword arguments",
    ),
    Edit(
        "var _importlib_module=Module.$factory('_importlib'",
        '$B.imported["_importlib"]=_importlib_module',
        "",
        "the finders of the loader, as a module",
    ),
    Edit(
        "if(Array.isArray(obj)){return $B.js_array}else if(typeof Node",
        "return $B.get_jsobj_class(obj)}",
        "if(Array.isArray(obj)){return _b_.list}}\nreturn $B.JSObj}",
        "a class for each kind of element: browser objects are opaque here",
    ),
)

# Single definitions; "path.*" is everything on a class but the class itself.
SEVERED = {
    "$B.js_from_root": "the code generator, of which only the look-up of names stays",
    "$B.import": "the loader: modules are registered before they are imported",
    "$B.$import_from": "the same; the bundle's own is a few lines (page/brython.js)",
    "$B.$__import__": "the same, as the builtin __import__",
    "$B.make_import_paths": "the same, where modules would be looked for",
    "_b_.compile": "source text to code",
    "_b_.eval": "source text to code",
    "_b_.input": "asks through window.prompt",
    "_b_.open": "files",
    "_b_.print": "needs a console as a Python file; the tracker logs through the browser's",
    "_b_.help": "docstrings",
    "_b_.breakpoint": "the debugger",
    "$B.error_trace": "tracebacks with source lines and guesses; the bundle's own is short",
    "$B.show_error": "prints what error_trace makes",
    "$B.handle_error": "the same, for code run by the start-up",
    "$B.bytes_decode": "bytes to text, in str(bytes, encoding) and in %b",
    "$B.is_bytes_like": "the same",
    "$B.in_unicode_category": "upper and lower case in str.title, which MicroPython lacks",
    "$B.make_complex": "a negative number to a power that is not whole",
    "$B.jsobj2pyobj": "lists and dicts that mirror browser objects; none does",
    "$B.pyobj2jsobj": "the same, the other way",
    "$B.cell.*": "function.__closure__",
    "$B.set_add": "set operations on the keys of dicts",
    "_b_.set.*": "the class stays for what asks whether something is one; none can be made",
    "_b_.frozenset.*": "the same",
    "_b_.bytes.*": "the same",
    "_b_.bytearray.*": "the same",
    "_b_.memoryview.*": "the same",
    "_b_.complex.*": "the same",
    "$B.warn": "warnings about operators that Python will drop, such as ~True",
    "$B.function.$factory": "functions made from code objects, with new Function",
    "_b_.object.tp_funcs.__reduce_ex__": "pickling",
    "_b_.object.tp_funcs.__reduce__": "pickling",
}

# Modules of Brython that remaining code refers to, but that the bundle does not contain.
ABSENT_MODULES = {
    "_warnings": "a coroutine that nobody awaited; there is none",
}
