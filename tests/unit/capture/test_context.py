"""Page and query of an item: the closest context, the default, and the settings."""

import pytest

SEARCH = 'data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair"'


@pytest.mark.parametrize(
    ("markup", "page", "query"),
    [
        ('<i data-nl-product="A">', None, None),
        (f'<i data-nl-product="A" {SEARCH}>', "SEARCH_RESULT_PAGE", "chair"),
        (f'<div {SEARCH}><p><i data-nl-product="A">', "SEARCH_RESULT_PAGE", "chair"),
        (
            f'<div {SEARCH}><p data-nl-query="sofa"><i data-nl-product="A">',
            "SEARCH_RESULT_PAGE",
            "sofa",
        ),
        (f'<div {SEARCH}><p data-nl-query=""><i data-nl-product="A">', "SEARCH_RESULT_PAGE", ""),
        (
            f'<div {SEARCH}><p data-nl-page="CATEGORY_PAGE"><i data-nl-product="A">',
            "CATEGORY_PAGE",
            "chair",
        ),
        ('<i data-nl-landing="L">', "PRODUCT_PAGE", None),
        ('<i data-nl-suggestion="s">', "AUTOCOMPLETE", None),
        (f'<div {SEARCH}><i data-nl-landing="L">', "SEARCH_RESULT_PAGE", "chair"),
        (f'<div {SEARCH}><i data-nl-suggestion="s">', "SEARCH_RESULT_PAGE", "chair"),
    ],
)
def test_closest_context_or_default(reader, markup, page, query):
    context = reader(markup).context("i")
    assert (context["page"], context["query"]) == (page, query)


@pytest.mark.parametrize(
    ("kind", "page"),
    [("product", "CATEGORY_PAGE"), ("suggestion", "AUTOCOMPLETE"), ("landing", "PRODUCT_PAGE")],
)
def test_settings_apply_without_context(reader, kind, page):
    opened = reader(f'<i data-nl-{kind}="A">', page="CATEGORY_PAGE", query="tables")
    context = opened.context("i")
    assert (context["page"], context["query"], context["index"]) == (page, "tables", None)
    assert context["querySource"] == "page"


def test_the_query_of_a_suggestion_is_the_typed_text(reader):
    page = reader(
        f'<div {SEARCH}><i data-nl-suggestion="s"></i><b data-nl-product="A"></b>', typed="ch"
    )
    assert page.context("i")["query"] == "ch"
    assert page.context("b")["query"] == "chair"


def test_an_unknown_page_is_reported(reader):
    page = reader(
        '<div data-nl-page="CATEGORY_PAGE"><p data-nl-page="HOME"><i data-nl-product="A">'
    )
    assert page.context("i")["page"] is None
    assert page.complaints == [("p", "data-nl-page")]
