"""The compiler: what it refuses, and in which words. What it makes is tests/conformance's."""

import ast
from pathlib import Path

import pytest
from neuralens_build import esbuild, javascript
from neuralens_build.dialect import compile_statement, library
from neuralens_build.linking import LinkError, link
from pscript import JSError


def compile_one(source: str) -> str:
    return compile_statement(ast.parse(source).body[0])


def link_one(source: str) -> ast.Module:
    return link({"program": ast.parse(source)})["program"]


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("a, b = c", "assign to one target"),
        ("a = b = c", "assign to one target"),
        ("def f(d):\n    for k, v in d.items():\n        g(k)", "a for loop with one name"),
        ("def f(xs):\n    for x in xs:\n        g(x)\n    else:\n        g(1)", "no else"),
        ("x = [a + b for a in xs for b in ys]", "a comprehension with one loop"),
        ("x = xs.pop(1)", r"pop\(\) or pop\(0\)"),
        ("x = d.pop('a')", "for a dict, del"),
        ("x = text.split(' ', 1)", "split without optional arguments"),
        ("x = text.split()", "split without optional arguments"),
        ("x = text.replace('a', 'b', 1)", "replace without optional arguments"),
        ("x = isinstance(y, bool)", "isinstance knows"),
        ("def f(name):\n    return get(window, name)", "as a literal"),
        ("def f():\n    return get(window, 'data-id')", "as a literal"),
    ],
)
def test_the_dialect_refuses(source: str, remedy: str) -> None:
    with pytest.raises(JSError, match=remedy):
        compile_one(source)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def f(a, b):\n    return a == b", "(a === b)"),
        ("def f(a):\n    return a is None", "(a == null)"),
        ("def f(a):\n    return None == a", "(null == a)"),
        ("def f(a):\n    return a is not True", "(a !== true)"),
        ("def f(a, b):\n    return a not in b", "(!b.includes(a))"),
        ("def f(d):\n    return d.get('a')", 'd["a"]'),
        ("def f(x):\n    return get(x, 'parentNode')", "x.parentNode"),
        ("def f():\n    return get(window, 'navigator')", "return navigator"),
        ("def f():\n    return get(window, 'localStorage')", "window.localStorage"),
        ("def f(x):\n    return call(x, 'closest', 'a')", 'x.closest("a")'),
        ("def f():\n    return construct('Set', 1)", "new Set(1)"),
        ("def f(*xs):\n    return g(*xs)", "(...xs) =>"),
        ("def f(t):\n    return t.replace('a', '$&')", '.replaceAll("a", () => "$&")'),
        ("def f(t, n):\n    return t + str(n)", "return (t + n);"),
        ("def f(n):\n    return str(n)", '(n + "")'),
        (
            "def f(n):\n    return isinstance(n, (int, float)) and n is not True and n < 2",
            "(typeof n == 'number') && (n < 2)",
        ),
        ("x = 'function (y) {'", '"function (y) {"'),
    ],
)
def test_the_dialect_writes_what_a_person_would(source: str, code: str) -> None:
    assert code in compile_one(source)


def test_the_library_brings_what_its_functions_call() -> None:
    exported = library({"_pymeth_sort"})
    assert "export const _pymeth_sort = " in exported
    assert exported.count("export const") == len(set(exported.split("export const")) - {""})
    for name in ("_pyfunc_is_dict", "_pyfunc_int"):
        assert f"export const {name} = " in library({name})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class A:\n    def f(self):\n        pass", "class A: write __init__"),
        ("class A(B):\n    def __init__(self):\n        pass", "class A: write __init__"),
        ("class A:\n    n = 1\n    def __init__(self):\n        pass", "class A: write __init__"),
    ],
)
def test_the_linker_refuses_a_class(source: str, words: str) -> None:
    with pytest.raises(LinkError, match=words):
        link_one(source)


A = "class A:\n    def __init__(self, n):\n        self._n = n\n    def f(self):\n        pass\n"
B = "class B:\n    def __init__(self, a):\n        self._a = a\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def start():\n    a = A(1)\n    b = A(2)\n", "class A: make one object of it"),
        ("def start():\n    A(1).f()\n", "class A: hold its object"),
        ("def start():\n    b = B(A(1))\n", "class A: hold its object"),
        (
            "def start():\n    make()\ndef make():\n    a = A(1)\n",
            "class A: make its object in start",
        ),
        ("a = A(1)\ndef start():\n    pass\n", "make objects in start"),
        ("def start():\n    a = A(1)\n    a._n\n", r"A\._n: call a method"),
        (
            "class C:\n    def __init__(self):\n        self._a = A(1)\n    def g(self):\n"
            "        self._a = None\ndef start():\n    c = C()\n",
            r"C\._a: assign an object once",
        ),
        (
            "class C:\n    def __init__(self):\n        self._a = A(1)\n    def g(self):\n"
            "        return self._a\ndef start():\n    c = C()\n",
            r"self\._a: an object cannot be passed on",
        ),
    ],
)
def test_the_linker_refuses_an_object(source: str, words: str) -> None:
    with pytest.raises(LinkError, match=words):
        link_one(A + B + source)


def test_the_linker_refuses_two_functions_of_one_name() -> None:
    modules = {name: ast.parse("def f():\n    pass\n") for name in ("one", "two")}
    with pytest.raises(LinkError, match=r"two\.f: another module has that name"):
        link(modules)


def test_the_linker_imports_what_an_object_was_given() -> None:
    linked = link(
        {
            "one": ast.parse(
                "class A:\n    def __init__(self):\n        self._n = 1\n"
                "    def f(self):\n        return self._n\n"
            ),
            "two": ast.parse(
                "class B:\n    def __init__(self, g):\n        self._g = g\n"
                "    def h(self):\n        return self._g()\n"
            ),
            "main": ast.parse(
                "from one import A\nfrom two import B\n"
                "def start():\n    a = A()\n    b = B(a.f)\n    return b.h()\n"
            ),
        }
    )
    assert ast.unparse(linked["two"]).startswith("from one import of_A_f")
    assert "return of_A_f()" in ast.unparse(linked["two"])


def test_a_tracker_outside_the_subset_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("x = 1\ny = {1}\n")
    monkeypatch.setattr(javascript, "SOURCE", tmp_path)
    with pytest.raises(javascript.SubsetError, match=r"main\.py:2:5: sets do not compile"):
        javascript.build()


def test_a_missing_bundler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esbuild, "CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(esbuild.BundlerError, match="esbuild is missing: run `npm install esbuild`"):
        esbuild.find("esbuild")


def test_what_the_bundler_refuses_is_told() -> None:
    with pytest.raises(esbuild.BundlerError, match="esbuild refused its input"):
        esbuild.run(text="const const")
