"""Differential tests: the validator, the settings and expressions on CPython and compiled."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from neuralens_build.subset import check
from neuralens_tracker.events import FIELDS
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.vocabulary import CONSENTS, EVENTS, MAX_COUNT, MAX_TEXT, PAGES

EVENT = {
    "eid": "e",
    "event": "CLICK_PRODUCT",
    "items": [{"id": "A"}],
    "timestamp": 1715644800,
    "uid": "u",
    "query": "oak",
    "page": "PRODUCT_PAGE",
    "index": 3,
    "geo": {"lat": 48.1, "long": 11.6, "region": "Bavaria"},
}
KEYS = ("__proto__", "constructor", "toString", "length", "id", "lat", "long", "region")
# Within the range of floats, which JSON in browsers is limited to.
numbers = st.one_of(
    st.integers(-(10**300), 10**300),
    st.integers(-2, 200),
    st.sampled_from([MAX_COUNT, MAX_COUNT + 1, 2**53, 1e308, -0.0, 90, 90.0001, 180, 0.5, 1e-7]),
    st.floats(allow_nan=False, allow_infinity=False),
)
# Any code points, including lone surrogates; and lengths around the limit, of characters that count
# as one on both engines.
texts = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=20),
    st.text("0123456789²٣ -+.eE", max_size=12),
    st.sampled_from(["", "true", "false", *EVENTS, *PAGES, *CONSENTS, *KEYS]),
    st.integers(MAX_TEXT - 1, MAX_TEXT + 1).map(lambda length: "ß" * length),
)
names = st.one_of(st.sampled_from([*KEYS, *FIELDS, *SETTINGS]), st.text(max_size=5))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
# Arbitrary values, and valid events with some changed fields.
events = st.one_of(
    values,
    st.dictionaries(st.sampled_from(list(EVENT)) | names, values, max_size=3).map(
        lambda changes: EVENT | changes
    ),
    st.dictionaries(st.sampled_from(list(EVENT)), values, max_size=2).map(
        lambda changes: {name: EVENT[name] for name in EVENT if name not in changes}
    ),
)


# Expressions of portable Python, by kind; numbers stay far below 2**53.
divisors = st.sampled_from(["-7", "-2", "3", "5"])
whole = st.recursive(
    st.integers(-9, 9).map(str) | st.sampled_from(["n", "-n", "len(s)", "len(xs)", "int(xs[-1])"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-"), inner),
        st.builds("{} - {}".format, st.just("n"), inner),
        st.builds("({}) {} {}".format, inner, st.sampled_from(["%", "//"]), divisors),
        st.builds("(-{} ** 2)".format, st.integers(0, 9)),
        st.builds("(-{})".format, inner),
        st.builds("({} if {} < {} else {})".format, inner, inner, inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
        st.builds("abs({})".format, inner),
    ),
    max_leaves=6,
)
words = st.builds(
    "(s + str({}))[{}:{}]".format, whole, st.integers(-5, 5), st.integers(-5, 9)
) | st.builds("f'{{s}}{{{}}}`${{{{'.strip()".format, whole)
truths = st.recursive(
    st.builds("{} {} {}".format, whole, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), whole)
    | st.builds("{} in xs".format, whole)
    | st.builds("{} in {}".format, words, words),
    lambda inner: (
        st.builds("not {}".format, inner)
        | st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=4,
)
lists = st.one_of(
    st.builds("[{} for n in range(-2, 4) if {}]".format, whole, truths),
    st.builds("xs[{}:{}]".format, whole, whole),
    st.builds("sorted([n for n in range({}, {}, {})])".format, whole, whole, divisors),
    st.builds("sorted(xs, key=lambda k: k % {}, reverse={})".format, divisors, truths),
)
expressions = whole | words | truths | lists


def judge(engine: Any, *call: Any) -> str:
    """Return the result of a call and its messages, as comparable text."""
    answers = engine.play({"steps": [call, ["reported"]]})
    return json.dumps(normalize(answers), sort_keys=True)


def normalize(value: Any) -> Any:
    """Normalize a value: without null fields, and with integral floats as integers."""
    if isinstance(value, dict):
        return {name: normalize(field) for name, field in value.items() if field is not None}
    if isinstance(value, list):
        return [normalize(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_ordered(value: Any) -> bool:
    """Return whether JavaScript keeps the order of the keys: numeric keys come first."""
    return not isinstance(value, dict) or not any(
        name.isascii() and name.isdigit() for name in value
    )


@given(event=events)
@example(event=EVENT | {"index": "²"})
@example(event=EVENT | {"index": "٣"})
@example(event=EVENT | {"__proto__": {"eid": "x"}})
@example(event={"constructor": 1})
@example(event=EVENT | {"uid": "\ud800"})
@settings(max_examples=400)
def test_the_validator(event: Any, cpython: Any, compiled: Any) -> None:
    here, there = (judge(engine, "events.find_fault", event) for engine in (cpython, compiled))
    if is_ordered(event):
        assert here == there
    # Only the first of several mistakes is reported.
    assert (json.loads(here)[0] is None) == (json.loads(there)[0] is None)


@given(given=st.dictionaries(st.sampled_from(list(SETTINGS)) | names, values, max_size=5))
@example(given={"viewMs": "²", "appId": 0.00001})
@example(given={"appId": 5.0, "uid": 1e21})
@settings(max_examples=300)
def test_settings(given: dict[str, Any], cpython: Any, compiled: Any) -> None:
    assert judge(cpython, "settings.resolve", given) == judge(compiled, "settings.resolve", given)


@given(shown=st.lists(expressions, min_size=1, max_size=6), n=st.integers(-9, 9))
@settings(max_examples=200, deadline=None)
def test_expressions(shown: list[str], n: int, cpython: Any, compiled: Any) -> None:
    program = "\n".join(
        [f"n = {n}", "s = 'a-b'", "xs = [3, -1, 3, 0]", *(f"out({part})" for part in shown)]
    )
    assert check(program, "case.py", outside=frozenset({"out"})) == []
    assert normalize(cpython.run(program)) == normalize(compiled.run(program)), program
