"""The pure modules, by cases: scripts of calls and what each returns, the same on every engine.

A file of cases/ is a list of {name, steps} with, where it matters, ``settings``, ``stored`` (a list
of [key, text]), ``blocked`` (storage that keeps nothing) and ``signal`` (Global Privacy Control).
A step is [call, what it returns]; engines/world.py has the calls. In step n, counted from 1, ids
are made of the hexadecimal digit n.
"""

import json
from pathlib import Path
from typing import Any

import pytest

GIVEN = ("settings", "stored", "blocked", "signal")
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


def plain(value: Any) -> Any:
    """Normalize a value with respect to differences of JSON and engines.

    A field that is null is absent, and a whole number has no fraction.
    """
    if isinstance(value, dict):
        return {name: plain(field) for name, field in value.items() if field is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("case", CASES)
def test_a_case(case: dict[str, Any], engine: Any) -> None:
    given = {name: case[name] for name in GIVEN if name in case}
    answers = engine.play(given | {"steps": [call for call, _ in case["steps"]]})
    assert len(answers) == len(case["steps"])
    for (call, wanted), answer in zip(case["steps"], answers, strict=True):
        # As JSON, because in Python, True equals 1.
        assert json.dumps([call, plain(answer)], sort_keys=True) == json.dumps(
            [call, plain(wanted)], sort_keys=True
        )
