"""An item's rank: explicit, from ARIA, or its position among its kind in the closest list."""

import pytest

TWO = '<i data-nl-product="A"></i><i data-nl-product="B"></i>'


@pytest.mark.parametrize(
    ("markup", "ranks"),
    [
        ('<i data-nl-product="A">', [("A", None)]),
        (
            '<ol data-nl-list><i data-nl-product="A"></i><i data-nl-product="B">',
            [("A", 0), ("B", 1)],
        ),
        (
            '<ol role="listbox"><i data-nl-product="A"></i><i data-nl-product="B">',
            [("A", 0), ("B", 1)],
        ),
        ('<ol data-nl-list data-nl-offset="24"><i data-nl-product="A">', [("A", 24)]),
        ('<p data-nl-offset="24"><b data-nl-list><i data-nl-product="A">', [("A", 24)]),
        (
            '<div data-nl-list data-nl-offset="24"><b data-nl-list><i data-nl-product="A">',
            [("A", 24)],
        ),
        (
            '<div data-nl-list data-nl-offset="24"><b data-nl-list data-nl-offset="0">'
            '<i data-nl-product="A">',
            [("A", 0)],
        ),
        (
            '<ol data-nl-list><i data-nl-product="A"></i><i data-nl-suggestion="s"></i>'
            '<i data-nl-product="B"></i><i data-nl-suggestion="t">',
            [("A", 0), ("s", 0), ("B", 1), ("t", 1)],
        ),
        (
            '<ol data-nl-list><i data-nl-product="A"></i><i data-nl-product="B"></i>'
            '<i data-nl-product="A"></i><i data-nl-product="C">',
            [("A", 0), ("B", 1), ("A", 0), ("C", 2)],
        ),
        (
            '<ol data-nl-list><b data-nl-ignore><i data-nl-product="ad"></i></b>'
            '<i data-nl-product="A">',
            [("A", 0)],
        ),
        (
            '<ol data-nl-list><i data-nl-product="A"></i>'
            '<b data-nl-list><i data-nl-product="C"></i></b><i data-nl-product="B">',
            [("A", 0), ("C", 0), ("B", 1)],
        ),
        (
            '<ol data-nl-list><i data-nl-product="A" data-nl-index="7" aria-posinset="3">',
            [("A", 7)],
        ),
        ('<ol data-nl-list><i data-nl-product="A" aria-posinset="3">', [("A", 2)]),
        ('<ol data-nl-list><i data-nl-product="A" aria-posinset="0">', [("A", 0)]),
        ('<i data-nl-landing="L" data-nl-index="3">', [("L", 3)]),
        ('<ol data-nl-list><i data-nl-landing="L">', [("L", None)]),
        (
            '<ol data-nl-list><i data-nl-product="10"></i><i data-nl-product="9"></i>'
            '<i data-nl-product="constructor">',
            [("10", 0), ("9", 1), ("constructor", 2)],
        ),
    ],
)
def test_rank(reader, markup, ranks):
    page = reader(markup)
    assert page.ranks() == ranks
    assert page.complaints == []


@pytest.mark.parametrize("index", ["", "-1", "1.5", "first", "99999999999"])
def test_an_invalid_index_is_reported(reader, index):
    page = reader(f'<ol data-nl-list><i data-nl-product="A" data-nl-index="{index}">')
    assert page.ranks() == [("A", 0)]
    assert page.complaints == [("i", "data-nl-index")]
