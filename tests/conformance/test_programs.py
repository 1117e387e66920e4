"""Every program that the portability check allows has the same output on every engine."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from neuralens_build.compiler import CompileError
from neuralens_build.subset import RULES, check

OUTSIDE = frozenset({"out"})
CASES = tomllib.loads((Path(__file__).parent / "subset_cases.toml").read_text("utf-8"))
# Programs with imports run only as part of the tracker.
ALLOWED = [
    (rule, source)
    for rule, cases in CASES.items()
    for source in cases["allowed"]
    if "import" not in source
]
PROGRAMS = tomllib.loads((Path(__file__).parent / "programs.toml").read_text("utf-8"))["program"]
ALLOWED += [(program["name"], program["source"]) for program in PROGRAMS]
REFUSED = [
    (rule.name, source)
    for rule in RULES
    for source in CASES[rule.name]["refused"]
    if "import" not in source
]


def name(case: Any) -> str:
    return str(case[0])


def run(engine: Any, source: str, failure: type[Exception]) -> Any:
    """Return the output of a program, or a marker if the engine refuses it."""
    try:
        return engine.run(source)
    except (CompileError, failure):
        return "fails"


@pytest.mark.parametrize("case", ALLOWED, ids=name)
@pytest.mark.parametrize("other", ["compiled", "micropython", "brython_engine"])
def test_allowed_programs_have_equal_output(
    case: tuple[str, str], other: str, cpython: Any, request: pytest.FixtureRequest
) -> None:
    assert request.getfixturevalue(other).run(case[1]) == cpython.run(case[1])


@pytest.mark.parametrize("case", ALLOWED, ids=name)
def test_a_program_is_portable(case: tuple[str, str]) -> None:
    assert check(case[1], "case.py", outside=OUTSIDE) == []


@pytest.mark.parametrize("case", REFUSED, ids=name)
def test_a_rule_is_needed(
    case: tuple[str, str],
    cpython: Any,
    compiled: Any,
    micropython: Any,
    brython_engine: Any,
    engine_error: type[Exception],
) -> None:
    engines = (cpython, compiled, micropython, brython_engine)
    shown = [run(engine, case[1], engine_error) for engine in engines]
    assert shown != [shown[0]] * len(engines) or shown[0] == "fails"
