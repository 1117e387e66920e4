"""Every program that the portability check lets pass shows the same on every engine."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from neuralens_build.linking import LinkError
from neuralens_build.subset import RULES, check
from pscript import JSError

CASES = tomllib.loads((Path(__file__).parent / "subset_cases.toml").read_text("utf-8"))
# What imports runs as part of the tracker alone.
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
    if rule.engine == "dialect" and "import" not in source
]


def name(case: Any) -> str:
    return str(case[0])


@pytest.mark.parametrize("case", ALLOWED, ids=name)
@pytest.mark.parametrize("other", ["compiled", "micropython", "brython_engine"])
def test_what_passes_runs_alike(
    case: tuple[str, str], other: str, cpython: Any, request: pytest.FixtureRequest
) -> None:
    assert request.getfixturevalue(other).run(case[1]) == cpython.run(case[1])


@pytest.mark.parametrize("case", ALLOWED, ids=name)
def test_a_program_is_portable(case: tuple[str, str]) -> None:
    assert check(case[1], "case.py") == []


@pytest.mark.parametrize("case", REFUSED, ids=name)
def test_the_dialect_cannot_do_what_it_refuses(
    case: tuple[str, str], cpython: Any, compiled: Any, engine_error: type[Exception]
) -> None:
    try:
        shown = compiled.run(case[1])
    except (JSError, LinkError, engine_error):
        return
    assert shown != cpython.run(case[1])
