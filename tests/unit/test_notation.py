"""Events on one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuralens_embed.notation import describe, parse
from neuralens_tracker.vocabulary import EVENTS, PAGES

WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@given(
    st.sampled_from(EVENTS),
    st.lists(WORD, min_size=1, max_size=3),
    st.none() | st.integers(0, 999),
    st.none() | st.sampled_from(PAGES),
    st.none() | st.text(WORD.map(lambda w: w[0]), max_size=9),
)
def test_a_line_is_parsed_as_it_is_formatted(event, ids, index, page, query):
    line = describe(event, ids, index, page, query)
    assert parse(line) == line


def test_ids_and_queries_with_spaces_and_quotes() -> None:
    line = describe("VIEW_SUGGESTION", ["oak chair"], 0, "AUTOCOMPLETE", 'an "oak"')
    assert line == 'VIEW_SUGGESTION oak chair #0 AUTOCOMPLETE "an \\"oak\\""'
    assert parse(line) == line


def test_only_spaces_between_the_parts_do_not_count() -> None:
    line = '  CLICK_PRODUCT   oak  chair #1  "oak  chair" '
    assert parse(line) == 'CLICK_PRODUCT oak  chair #1 "oak  chair"'


def test_an_invalid_escape_is_explained() -> None:
    with pytest.raises(ValueError, match="write a backslash twice"):
        parse(r'CLICK_PRODUCT A "\d"')


@pytest.mark.parametrize("line", ["", "CLICK_PRODUCT", "CLICK A", "#1 VIEW_PRODUCT A"])
def test_an_invalid_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is not an event: write"):
        parse(line)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('CLICK_PRODUCT A #1 SEARCH_RESULTS_PAGE "oak"', "SEARCH_RESULTS_PAGE"),
        ("CLICK_PRODUCT A #1 SEARCH_RESULT_PAGE oak", "SEARCH_RESULT_PAGE"),
        ("CLICK_PRODUCT A SEARCH_RESULT_PAGE #1", "SEARCH_RESULT_PAGE"),
        ("CLICK_PRODUCT #1 SEARCH_RESULT_PAGE", "#1"),
        ("CLICK_PRODUCT A #one", "#one"),
        ("PURCHASE A, B,", ","),
        ('CLICK_PRODUCT A #1 SEARCH_RESULT_PAGE "oak', '"oak'),
        ('CLICK_PRODUCT A "oak', '"oak'),
    ],
)
def test_what_is_no_part_of_an_id_is_named(line: str, part: str) -> None:
    with pytest.raises(ValueError, match=f"is not an event because of '{part}': write"):
        parse(line)
