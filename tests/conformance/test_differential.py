"""Differential tests: validator and settings have equal results on CPython and compiled."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
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
