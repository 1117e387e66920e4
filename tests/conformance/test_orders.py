"""A purchase has the same id on every engine, and on the server."""

import itertools
import json
from pathlib import Path
from typing import Any

import neuralens_tracker.orders
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neuralens_tracker.orders import ORDER_PREFIX, name_purchase

SOURCE = Path(neuralens_tracker.orders.__file__).read_text("utf-8").partition('"""\n')[2]

texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


def name_there(engine: Any, order: str, ids: list[str]) -> Any:
    call = f"name_purchase({json.dumps(order, ensure_ascii=False)}, {ids!r})"
    return engine.run(f"{SOURCE}\nout({call})\n")[0]


@pytest.mark.parametrize(
    ("order", "ids", "name"),
    [
        ("O-1", ["AV768"], "order:O-1:5369053:54490504"),
    ],
)
def test_ids_are_stable(order: str, ids: list[str], name: str) -> None:
    # Relays deduplicate orders across upgrades by them.
    assert name_purchase(order, ids) == name


@pytest.mark.parametrize("other", ["compiled", "micropython", "brython_engine"])
@pytest.mark.parametrize(
    "ids",
    [["AV768"], ["b", "a", "b"], ["é", "€", "\ue000", "\U0001f600", "\U00010000"], ["x" * 512]],
)
def test_engines_agree(other: str, ids: list[str], request: pytest.FixtureRequest) -> None:
    named = name_there(request.getfixturevalue(other), "O-1", ids)
    assert named == name_purchase("O-1", ids)


@given(st.lists(texts, min_size=1, max_size=5, unique=True), st.randoms())
def test_neither_order_nor_repetition_of_items_matters(ids: list[str], random: Any) -> None:
    again = ids + random.choices(ids, k=3)
    random.shuffle(again)
    assert name_purchase("O-1", again) == name_purchase("O-1", ids)


@given(st.lists(texts, min_size=1, max_size=5, unique=True), texts)
@settings(suppress_health_check=list(HealthCheck))
def test_other_items_have_another_id(ids: list[str], more: str) -> None:
    if more not in ids:
        assert name_purchase("O-1", [*ids, more]) != name_purchase("O-1", ids)


def test_ids_of_a_catalog_are_distinct() -> None:
    ids = [f"AV{number}" for number in range(300)]
    names = {name_purchase("O", list(pair)) for pair in itertools.combinations(ids, 2)}
    assert len(names) == 300 * 299 // 2
    assert all(name.startswith(ORDER_PREFIX) for name in names)
