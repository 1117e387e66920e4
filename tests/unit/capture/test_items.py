"""The item of an element, and its id."""

import pytest


@pytest.mark.parametrize(
    ("attributes", "kind", "name"),
    [
        ('data-nl-product="A"', "data-nl-product", "A"),
        ('data-nl-suggestion="oak"', "data-nl-suggestion", "oak"),
        ('data-nl-landing="L"', "data-nl-landing", "L"),
        ('data-nl-landing="L" data-nl-product="A"', "data-nl-landing", "L"),
        ('data-nl-product="A" data-nl-suggestion="oak"', "data-nl-product", "A"),
        ('data-nl-product="" data-nl-suggestion="oak"', "data-nl-suggestion", "oak"),
        ('data-nl-product="constructor"', "data-nl-product", "constructor"),
    ],
)
def test_kind_and_id(reader, attributes, kind, name):
    item = reader(f"<p {attributes}>").read("p")
    assert (item.kind, item.id, item.ids) == (kind, name, [name])


@pytest.mark.parametrize("attributes", ["", 'data-nl-list="l"', 'role="option"', "data-nl-index=1"])
def test_no_item(reader, attributes):
    page = reader(f"<p {attributes}>")
    assert page.read("p") is None
    assert page.complaints == []


@pytest.mark.parametrize("around", ["data-nl-ignore", "data-nl-ignore=false", "data-nl-purchase=7"])
@pytest.mark.parametrize("kind", ["product", "suggestion", "landing"])
def test_nothing_inside_is_an_item(reader, around, kind):
    page = reader(f'<div {around}><div><p data-nl-{kind}="A"></p></div></div>')
    assert page.read("p") is None


@pytest.mark.parametrize("kind", ["data-nl-product", "data-nl-suggestion", "data-nl-landing"])
def test_an_empty_id_is_reported(reader, kind):
    page = reader(f"<p {kind}>")
    assert page.read("p") is None
    assert page.complaints == [("p", kind)]


def test_the_item_around_an_element(reader):
    page = reader('<p data-nl-product="A"><b><i data-nl-product="B"><u></u></i></b></p>')
    found = [page.items.closest_item(page.find(tag)).id for tag in ("p", "b", "i", "u")]
    assert found == ["A", "A", "B", "B"]
    assert page.items.closest_item(page.find("body")) is None


def test_views_of_a_product_are_distinguished_by_list(reader):
    page = reader(
        '<p data-nl-product="A"></p><ol data-nl-list="l"><li data-nl-product="A"></ol>'
        '<ul data-nl-list="m"><b data-nl-product="A"></b></ul><i data-nl-landing="A"></i>'
    )
    keys = [page.items.key_of(page.read(tag)) for tag in ("p", "li", "b", "i")]
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("markup", "subject"),
    [
        ('<p data-nl-product="A"><b data-nl-action="share"></b></p>', "A"),
        ('<p data-nl-landing="L"><b data-nl-action="add-to-cart"></b></p>', "L"),
        ('<p data-nl-landing="L" data-nl-product="A"><b data-nl-action="share"></b></p>', "L"),
        ('<p data-nl-landing="L"><i data-nl-product="A"><b data-nl-action="share"></b></i>', "A"),
        ('<b data-nl-product="A" data-nl-action="favorite"></b>', "A"),
        ('<p data-nl-product="A"><b data-nl-action="favorite" aria-pressed="true"></b>', None),
        ('<p data-nl-product="A"><b data-nl-action="favorite" aria-pressed="false"></b>', "A"),
        ('<p data-nl-purchase="7"><i data-nl-product="A"><b data-nl-action="share"></b></i>', None),
    ],
)
def test_the_subject_of_an_action(reader, markup, subject):
    page = reader(markup)
    item = page.items.read_subject(page.find("[data-nl-action]"))
    assert (item and item.id) == subject
    assert page.complaints == []


@pytest.mark.parametrize(
    "markup",
    ['<p data-nl-product="A"><b data-nl-action="buy"></b>', '<b data-nl-action="share"></b>'],
)
def test_an_invalid_action_is_reported(reader, markup):
    page = reader(markup)
    assert page.items.read_subject(page.find("b")) is None
    assert page.complaints == [("b", "data-nl-action")]
