"""The portability check: the compiler's errors, and the cases of every rule."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from neuralens_build.javascript import portable_sources
from neuralens_build.subset import RULES, check, check_files, strip

ROOT = Path(__file__).parents[2]
CASES = tomllib.loads((ROOT / "tests/conformance/subset_cases.toml").read_text("utf-8"))
BY_NAME = {rule.name: rule for rule in RULES}
REFUSED = [(rule, source) for rule, cases in CASES.items() for source in cases["refused"]]
ALLOWED = [(rule, source) for rule, cases in CASES.items() for source in cases["allowed"]]
OUTSIDE = frozenset({"out"})


def test_every_rule_has_cases() -> None:
    assert set(CASES) == {"language", *BY_NAME}
    assert len(BY_NAME) == len(RULES)
    assert all(cases["allowed"] and cases["refused"] for cases in CASES.values())


@pytest.mark.parametrize(("rule", "source"), REFUSED, ids=[name for name, _ in REFUSED])
def test_a_rule_refuses(rule: str, source: str) -> None:
    problems = [p for p in check(source, "case.py", outside=OUTSIDE) if p.rule == rule]
    assert problems
    problem = problems[0]
    assert str(problem).startswith(f"case.py:{problem.line}:{problem.column}: ")
    if rule in BY_NAME:
        assert BY_NAME[rule].remedy in str(problem)
        assert BY_NAME[rule].reason in str(problem)
    assert str(problem).endswith(f"[{rule}]")
    assert 1 <= problem.line <= source.count("\n") + 1


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("x = 1\nbreak\n", 2, "'break' outside loop"),
        ("x = 1\nreturn x\n", 2, "'return' outside function"),
        ("def f(a, a):\n    return a\n", 1, "duplicate argument 'a'"),
        ("x = 1\ndef f():\n    nonlocal x\n", 3, "no binding for nonlocal 'x'"),
        ("x = 1\ny = 0x" + "f" * 5000, 2, "a number of this size; write text"),
        ("x = " + " + ".join(["'a'"] * 900), 1, "nested too deeply; write it in parts"),
        ("x = " + "+".join(["1"] * 9000), 1, "nested too deeply; write it in parts"),
        (
            "def f(a):\n    if a == 0:\n        return 0\n"
            + "".join(f"    elif a == {n}:\n        return {n}\n" for n in range(900)),
            1,
            "nested too deeply; write it in parts",
        ),
    ],
)
def test_what_python_itself_refuses_has_a_place(source: str, line: int, reason: str) -> None:
    problem = check(source, "case.py", outside=OUTSIDE)[0]
    assert str(problem).startswith(f"case.py:{line}:")
    assert reason in str(problem)


@pytest.mark.parametrize(("rule", "source"), ALLOWED, ids=[name for name, _ in ALLOWED])
def test_a_rule_allows(rule: str, source: str) -> None:
    assert check(source, "case.py", outside=OUTSIDE) == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (
            "dict-question",
            "class A:\n    def __init__(self):\n        self.d = {}\n"
            "    def f(self):\n        return len(self.d)\n",
        ),
        (
            "dict-question",
            "class A:\n    def __init__(self, x):\n        self.d: dict[str, int] = x\n"
            "    def f(self):\n        return len(self.d)\n",
        ),
        ("dict-question", "def make() -> dict[str, int]:\n    return {}\nout(len(make()))\n"),
        ("dict-question", "from neuralens_tracker.vocabulary import ACTIONS\nout(len(ACTIONS))\n"),
        (
            "dict-question",
            "from neuralens_tracker.types import Fields\ndef f(x: Fields):\n    return len(x)\n",
        ),
        (
            "truth",
            "from neuralens_tracker.types import Settings\n"
            "class A:\n    def __init__(self, x: Settings):\n        self.x = x\n"
            "    def f(self):\n        return 1 if self.x else 2\n",
        ),
        (
            "equality",
            "from neuralens_tracker.types import Event\ndef make() -> Event:\n    return {}\n"
            "def f(x: Event):\n    return make() == x\n",
        ),
        ("equality", "def f(x: bool, y: int) -> bool:\n    return x == y\n"),
        (
            "outside-key",
            "class A:\n    def __init__(self):\n        self.d = {}\n"
            "    def f(self, key):\n        return self.d.get(key)\n",
        ),
        ("outside-key", "def f(x):\n    d = {}\n    for k in x:\n        d[k] = 1\n"),
        ("outside-key", "d = {}\ndef f(key):\n    d['i' + key] = 1\n"),
        ("language", "from neuralens_tracker.events import find_fault\nfind_fault(event={})\n"),
        ("truth", "def f(xs):\n    while xs:\n        xs.pop()\nf([1])\n"),
    ],
)
def test_kinds_are_inferred(rule: str, source: str) -> None:
    assert [problem.rule for problem in check(source, "case.py", outside=OUTSIDE)] == [rule]


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def __init__(self):\n        self.d = {}\n    def key(self, x):\n"
        "        return 'k:' + x\n    def f(self, x):\n        self.d[self.key(x)] = 1\n",
        "d = {}\ndef _put(key):\n    d[key] = 1\ndef f(x):\n    _put('k:' + x)\n",
        "d = {}\ndef f(x, y):\n    key = x + ' ' + y\n    return d.get(key)\n",
        "FIELDS = ('a', 'b')\ndef f(d: dict[str, int]):\n    for key in FIELDS:\n"
        "        d[key] = 1\n",
        "class R:\n    def __init__(self, d, list):\n        self.d = d\n        self.list = list\n"
        "def f(x):\n    return x.d['a'] == 1 and x.list[0] == 'b'\n",
        "def f(items, n):\n    for item in items:\n        if item is None or n > 3:\n"
        "            continue\n        n += len(item)\n    return n\n",
    ],
)
def test_ordinary_code_is_allowed(source: str) -> None:
    assert check(source, "case.py", outside=OUTSIDE) == []


def test_circular_definitions_terminate() -> None:
    source = "d = {}\nx = y\ny = x\nfor k in x:\n    d[k] = len(y)\nk = k + x\nd[k] = 1\n"
    assert {problem.rule for problem in check(source, "case.py")} <= {"outside-key", "arithmetic"}


def test_stripping_keeps_the_meaning_and_the_lines() -> None:
    source = (
        '"""Words."""\nfrom typing import Any\nfrom neuralens_tracker.events import explain\n'
        'x: int = 1\ny: str\nclass A:\n    """Words."""\n    n: int = 2\n'
        'def f(a: Any, *b: int, c: str = "") -> int:\n    """Words."""\n'
        '    def g() -> None:\n        """Words."""\n    return 3\n'
    )
    stripped = strip(ast.parse(source))
    assert ast.unparse(stripped) == (
        "from neuralens_tracker.events import explain\nx = 1\n\nclass A:\n    n = 2\n\n"
        "def f(a: Any, *b: int, c: str='') -> int:\n\n    def g() -> None:\n        pass\n"
        "    return 3"
    )
    assert [statement.lineno for statement in stripped.body] == [3, 4, 6, 9]
    compile(stripped, "stripped.py", "exec")


def test_stripping_does_not_change_its_argument() -> None:
    tree = ast.parse("x: int = 1\n")
    strip(tree)
    assert ast.unparse(tree) == "x: int = 1"


def test_a_syntax_error_is_a_problem() -> None:
    (problem,) = check("def f(:\n", "case.py")
    assert str(problem).startswith("case.py:1:7: ")


def test_the_command_prints_problems_and_fails(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("x = {1}\n")
    (tmp_path / "right.py").write_text("x = [1]\n")
    (tmp_path / "ffi_other.py").write_text("x = {1}\n")
    command = [sys.executable, "-m", "neuralens_build.subset"]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == (
        f"{tmp_path}/wrong.py:1:5: portable Python has no Set; "
        "write a list, or a dict with the members as keys [language]\n"
    )
    right = [*command, tmp_path / "right.py"]
    assert subprocess.run(right, capture_output=True, check=False).returncode == 0
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    missing = subprocess.run(
        [*command, tmp_path / "missing.py"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "missing.py" in missing.stderr


def test_the_tracker_is_portable() -> None:
    problems = check_files(portable_sources())
    assert [str(problem) for problem in problems] == []
