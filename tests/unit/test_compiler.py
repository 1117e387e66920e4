"""The compiler's errors and output; behavior is tested in tests/conformance."""

import ast
import json
from pathlib import Path

import pytest
from neuralens_build import javascript, npm_tools
from neuralens_build.compiler import CompileError, Source, compile_program
from neuralens_build.compiler.code import Code
from neuralens_build.compiler.source_map import column_of, count_bytes, split, write
from neuralens_build.subset import strip

FFI = "from neuralens_tracker.web.ffi import call, construct, get, put, window\n"


def sources(**texts: str) -> dict[str, Source]:
    return {
        name: Source(f"{name}.py", text, strip(ast.parse(text))) for name, text in texts.items()
    }


def compile_one(text: str, *outside: str) -> str:
    return str(compile_program(sources(program=text), frozenset(outside))["program"])


# A function with an effect.
TAKE = "n = 0\ndef take():\n    global n\n    n += 1\n"


@pytest.mark.parametrize(
    ("source", "place", "remedy"),
    [
        ("def f(c):\n    a, b = c", "2:5", "one assignment for each"),
        ("a = b = 1", "1:1", "one assignment for each"),
        ("def f(d):\n    for k, v in d.items():\n        f(k)", "2:9", "or over pairs by"),
        ("def f(xs):\n    for x in xs:\n        f(x)\n    else:\n        f(1)", "5:9", "or a flag"),
        ("def f(xs):\n    return [a for a in xs for b in xs]", "2:12", "write loops"),
        ("def f(xs):\n    return xs.pop(1)", "2:12", r"`pop\(\)` or `pop\(0\)`"),
        ("def f(t):\n    return t.split(' ', 1)", "2:12", "split with those only"),
        ("def f(t):\n    return t.title()", "2:12", "one of append, "),
        ("def f(t):\n    return f(t, b=1)", "2:17", "the argument without its name"),
        ("def f(y):\n    return isinstance(y, int)", "2:12", "isinstance knows str, "),
        ("def f(y=1):\n    return y", "1:9", "None, and check for it"),
        ("def f(y):\n    return y.name", "2:12", r"`get\(target, name\)` for a browser object"),
        ("def f(y):\n    return sum(y)", "2:12", "no `sum` here; write a loop"),
        ("def f(y):\n    return {y}", "2:12", "no Set; write a list"),
        ("def f(y):\n    return y | 1", "2:12", "on numbers"),
        ("def f(y):\n    return [lambda: z for z in y]", "2:13", "a function that creates"),
        ("x = 2**53 + 1\ny = 9007199254740993", "2:5", "no such value as 9007199254740993"),
        ("if 1 > 0:\n    x = 1", "1:1", "write a function"),
        ("x = 1\ndef f():\n    x += 1", "3:5", "`nonlocal x` or `global x` above it"),
        ("def f():\n    return {'a': 1, 'b': 2, 'a': 3}", "2:29", "the key 'a' already"),
        ("def f(*_):\n    return _", "2:12", "or another name"),
        ("def f():\n    raise SystemExit('x')", "2:5", r"raise ValueError\('message'\)"),
        ("def f():\n    raise NotImplementedError('x')", "2:5", "direct child of Exception"),
        (
            "def f():\n    try:\n        f()\n    except Fault:\n        f()",
            "4:5",
            "not an exception",
        ),
        (TAKE + "def f(t):\n    return t.replace('a', take())", "6:12", "a variable first"),
        (TAKE + "def f(xs):\n    xs[n] = take()", "6:5", "a variable first"),
        (TAKE + "def f(xs):\n    xs[len(xs)] = take()", "6:5", "before `take\\(\\)`; write one of"),
        (TAKE + "def f(xs):\n    return take() in xs[n]", "6:12", "a variable first"),
        (
            TAKE + "def f(xs):\n    xs.sort(key=lambda x: take())",
            "6:5",
            "a key without side effects",
        ),
        (
            TAKE + "def f(xs):\n    return sorted(xs, key=take)",
            "6:12",
            "a key without side effects",
        ),
        ("def f(t):\n    return '' + str(t, sep=1)", "2:24", "the argument without its name"),
        (FFI + "def f(name):\n    return get(window, name)", "3:12", "a literal name"),
        (FFI + "def f():\n    return get(window, 'data-id')", "3:12", "a literal name"),
    ],
)
def test_unsupported_constructs_are_refused(source: str, place: str, remedy: str) -> None:
    with pytest.raises(CompileError, match=f"^program.py:{place}: .*{remedy}"):
        compile_one(source)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def f(a: str, b):\n    return a == b", "a === b"),
        ("def f(a, b):\n    return a == b", "(a ?? null) === (b ?? null)"),
        ("def f(a):\n    return a is None", "a == null"),
        ("def f(a):\n    return None == a", "null == a"),
        ("def f(a):\n    return a is not True", "a !== true"),
        ("def f(a, b):\n    return a not in b", "!b.includes(a)"),
        ("def f(d):\n    return d.get('a')", 'd["a"]'),
        ("def f(n):\n    return n % 2 == 0", "n % 2 === 0"),
        ("def f(n):\n    return n % 2", "$modulo(n, 2)"),
        (FFI + "def f(x):\n    return get(x, 'parentNode')", "x.parentNode"),
        (FFI + "def f():\n    return get(window, 'navigator')", "return navigator;"),
        (FFI + "def f(navigator):\n    return get(window, 'navigator')", "window.navigator"),
        (FFI + "def f():\n    return get(window, 'localStorage')", "window.localStorage"),
        (FFI + "def f(x):\n    return call(x, 'closest', 'a')", 'x.closest("a")'),
        (FFI + "def f(fetch):\n    return call(window, 'fetch', fetch)", "window.fetch(fetch)"),
        (FFI + "def f():\n    return construct('Set', 1)", "new Set(1)"),
        ("def f(*xs):\n    return f(*xs)", "(...xs) =>"),
        ("def f(a, *_):\n    return a", "(a) =>"),
        ("def f(t):\n    return t.replace('a', '$&')", '.replaceAll("a", () => "$&")'),
        ("def f(t, n):\n    return t + str(n)", "return t + n;"),
        ("def f(n):\n    return str(n)", 'return n + "";'),
        ("def f(new):\n    return new", "(new$) =>"),
        ("def f(a):\n    b = 1\n    b = a\n    return b", "var b = 1;\n  b = a;"),
        ("def f(a):\n    return -(-a)", "-(-a)"),
        ("def f(a):\n    return lambda: {'a': a}", "() => ({a: a})"),
        ("def f(a):\n    return not (a and a == 1) or a", "!(a && a === 1) || a"),
        ("def f():\n    return 1\nx = f()", "const x = /* @__PURE__ */ f();"),
        (FFI + "x = call(window, 'fetch')", "const x = fetch();"),
        ("def f(a: list[str]):\n    return [x for x in a if x]", "a.filter((x) => x)"),
        ("def f(a: list[JSObject]):\n    return [x for x in a if x]", "[...a].filter("),
        (
            TAKE + "def f(a):\n    return [take() for x in [1] if x in a]",
            "[1].flatMap((x) => a.includes(x) ? [take()] : [])",
        ),
        (TAKE + "def f():\n    return len([x for x in [1] if take()]) > 0", ".length > 0"),
        ("def f(g):\n    return len([x for x in [1] if len(g) > x]) > 0", ".some("),
        (
            "def g(x):\n    xs = []\n    xs.append(x)\n    return xs[0]\n"
            "def f():\n    return len([x for x in [1] if g(x)]) > 0",
            ".some(",
        ),
        ("def f(xs, n=None):\n    return xs[1:n]", "xs.slice(1, n ?? undefined)"),
        ("def f(xs, n: int):\n    return xs[1:n]", "xs.slice(1, n)"),
        ("def f(a):\n    b = a or []\n    return [x for x in b if x]", "[...b].filter("),
    ],
)
def test_output_is_readable(source: str, code: str) -> None:
    assert code in compile_one(source)


RECORD = """class Item:
    def __init__(self, kind, id, rank=None):
        self.kind = kind
        self.seen = []
        self.rank = rank
        self.id = id
"""


def test_a_record_is_an_object_with_its_fields() -> None:
    code = compile_one(
        RECORD + "def f(a, g):\n    item = Item(a, g(a))\n    item.rank = 1\n    return item.kind\n"
    )
    assert "var item = { kind$: a, id$: g(a), rank$: null, seen$: [] };" in code
    assert "item.rank$ = 1;" in code
    assert "return item.kind$;" in code
    assert "class" not in code


def test_a_list_of_a_record_may_be_replaced() -> None:
    """A NodeList has no filter."""
    filtered = "def f(r):\n    return [x for x in r.seen if x]\n"
    assert "r.seen$.filter(" in compile_one(RECORD + filtered)
    replaced = "def g(r, found):\n    r.seen = found\n"
    assert "[...r.seen$].filter(" in compile_one(RECORD + filtered + replaced)


def test_a_record_can_be_imported() -> None:
    written = compile_program(
        sources(
            one=RECORD,
            two="from one import Item\ndef f(x):\n    return Item(x, x, x)\n",
            three="def start(x):\n    return x.kind\n",
        )
    )
    assert "{ kind$: x, id$: x, rank$: x, seen$: [] }" in str(written["two"])
    assert "import" not in str(written["two"])
    assert "x.kind$" in str(written["three"])


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ("self.a = a\n        self.b = a", "5:9", "class R is a record"),
        ("self.a = a + 1", "4:9", "class R is a record"),
        ("self.a = a\n        print(a)", "5:9", "class R is a record"),
        ("self.b = 1", "3:5", "class R is a record, and each parameter is one of its attributes"),
        ("self.get = a", "4:9", "get is also a method of text, lists or dicts"),
    ],
)
def test_a_record_has_only_fields(body: str, place: str, words: str) -> None:
    source = f"x = 1\nclass R:\n    def __init__(self, a):\n        {body}\n"
    with pytest.raises(CompileError, match=f"^program.py:{place}: {words}"):
        compile_one(source)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("Item(1)", "Item takes 2 to 3 arguments; write Item"),
        ("Item(1, 2, 3, 4)", "Item takes 2 to 3 arguments"),
        ("Item(1, id=2)", "arguments are positional"),
        ("Item", "Item is a record class, not a value"),
        ("Item(1, 2).name", "no record class has the attribute name"),
        ("isinstance(1, Item)", "isinstance knows"),
    ],
)
def test_a_record_needs_all_arguments(call: str, words: str) -> None:
    with pytest.raises(CompileError, match=words):
        compile_one(RECORD + f"def f():\n    return {call}\n")


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def f(self):\n        pass",
        "class A(B):\n    def __init__(self):\n        pass",
        "class A:\n    n = 1\n    def __init__(self):\n        pass",
    ],
)
def test_the_linker_refuses_a_class(source: str) -> None:
    with pytest.raises(CompileError, match=r"program.py:1:1: class A is a singleton; .*__init__"):
        compile_one(source)


A = "class A:\n    def __init__(self, n):\n        self._n = n\n    def f(self):\n        pass\n"
B = "class B:\n    def __init__(self, a):\n        self._a = a\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def start():\n    a = A(1)\n    b = A(2)\n", "11:9: class A is instantiated twice"),
        ("def start():\n    A(1).f()\n", "10:5: the instance of class A is not assigned"),
        ("def start():\n    b = B(A(1))\n", "10:11: the instance of class A is not assigned"),
        (
            "def start():\n    make()\ndef make():\n    a = A(1)\n",
            "12:9: class A is instantiated outside",
        ),
        ("a = A(1)\ndef start():\n    pass\n", "9:1: singletons are created in `start`"),
        ("def start():\n    a = A(1)\n    a._n\n", r"11:5: A\._n is not a method"),
        ("def start():\n    a = A(1, 2)\n", r"10:9: class A takes 1 arguments; write A\(n\)"),
        (
            "class C:\n    def __init__(self):\n        self._a = A(1)\n    def g(self):\n"
            "        self._a = None\ndef start():\n    c = C()\n",
            r"11:9: C\._a may hold different singletons",
        ),
        (
            "class C:\n    def __init__(self):\n        self._a = A(1)\n    def g(self):\n"
            "        return self._a\ndef start():\n    c = C()\n",
            r"13:16: self\._a is a singleton, not a value",
        ),
        (
            "def find():\n    return 1\nclass C:\n    def __init__(self, a):\n"
            "        self._find = a\n    def g(self):\n        find = self._find()\n"
            "        return find\ndef start():\n    c = C(find)\n",
            r"15:16: self\._find is find, which a local variable shadows here",
        ),
    ],
)
def test_the_linker_refuses_an_object(source: str, words: str) -> None:
    with pytest.raises(CompileError, match=f"^program.py:{words}"):
        compile_one(A + B + source)


def test_the_linker_refuses_two_functions_with_one_name() -> None:
    text = "def f():\n    pass\n"
    with pytest.raises(CompileError, match=r"^two.py:1:1: one\.py also defines f; write another"):
        compile_program(sources(one=text, two=text))


def test_the_linker_refuses_an_alias_of_an_import() -> None:
    with pytest.raises(CompileError, match=r"^two.py:1:1: f has one name .* without `as`"):
        compile_program(sources(one="def f():\n    pass\n", two="from one import f as g\n"))


def test_the_linker_imports_arguments_of_an_object() -> None:
    written = compile_program(
        sources(
            one="class A:\n    def __init__(self):\n        self._n = 1\n"
            "    def f(self):\n        return self._n\n",
            two="class B:\n    def __init__(self, g):\n        self._g = g\n"
            "    def h(self):\n        return self._g()\n",
            main="from one import A\nfrom two import B\n"
            "def start():\n    a = A()\n    b = B(a.f)\n    return b.h()\n",
        )
    )
    assert str(written["two"]).startswith("import { of_A_f } from './one.js';")
    assert "return of_A_f()" in str(written["two"])


def test_a_tracker_outside_the_subset_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("x = 1\ny = {1}\n")
    monkeypatch.setattr(javascript, "SOURCE", tmp_path)
    with pytest.raises(javascript.SubsetError, match=r"main\.py:2:5: portable Python has no Set"):
        javascript.build()


def test_a_missing_program_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm_tools, "CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(npm_tools.NpmError, match="esbuild is missing: run `npm install esbuild`"):
        npm_tools.find("esbuild")


def test_errors_of_the_bundler_are_reported() -> None:
    with pytest.raises(npm_tools.NpmError, match="esbuild refused its input"):
        npm_tools.run_esbuild(text="const const")


def test_a_column_is_that_of_pythons_line() -> None:
    text = "a = 'x\u2028y'  # \x0c\rb = 'öä'; c = 2\r\nd = 'é😀'; e = 1\n"
    places = [(node.lineno, node.col_offset) for node in ast.parse(text).body]
    source = Source("a.py", text, ast.parse(text))
    assert [column_of(source, place) for place in places] == [0, 0, 10, 0, 11]


def test_sizes_by_source() -> None:
    script, source_map = split(
        write(
            Code(
                (
                    Code(("one ",), place=(1, 0)),
                    Code(("two\n",), place=(2, 3)),
                    Code(("three",), place=(1, 2)),
                )
            ),
            Source("a.py", "öne\nlongtwo\n", ast.parse("")),
        )
    )
    assert count_bytes(script, source_map) == {"a.py": len("one two") + len("three")}
    content = json.loads(source_map)
    assert content["mappings"] == "AAAA,IACG;AADF"
    assert content["sourcesContent"] == ["öne\nlongtwo\n"]
