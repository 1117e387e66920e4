"""Options of listboxes that are declared by ``data-nl-suggestions``."""

import pytest

OPTION = '<p role="option">oak</p>'


@pytest.mark.parametrize(
    ("markup", "is_suggestion"),
    [
        (f"<div data-nl-suggestions>{OPTION}</div>", True),
        (f'<div data-nl-suggestions role="listbox">{OPTION}</div>', True),
        (f'<input data-nl-suggestions aria-controls="box"><div id="box">{OPTION}</div>', True),
        (f'<input data-nl-suggestions aria-owns="a box"><div id="box">{OPTION}</div>', True),
        (
            '<div data-nl-suggestions><input aria-controls="box"></div>'
            f'<div id="box"><div>{OPTION}</div></div>',
            True,
        ),
        (f'<input data-nl-suggestions><div id="box">{OPTION}</div>', False),
        (f'<input aria-controls="box"><div id="box">{OPTION}</div>', False),
        (f'<input data-nl-suggestions aria-controls="null"><div id="box">{OPTION}</div>', False),
        (f"<div data-nl-suggestions data-nl-ignore>{OPTION}</div>", False),
        ("<div data-nl-suggestions><p>oak</p></div>", False),
    ],
)
def test_declared(reader, markup, is_suggestion):
    page = reader(markup)
    item = page.read("p")
    found = item and (item.kind, item.id)
    assert found == (("data-nl-suggestion", "oak") if is_suggestion else None)
    assert page.complaints == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (" oak ", "oak"),
        ("oak\n   chair", "oak chair"),
        ("<b>oak</b> <i>chair</i>", "oak chair"),
        ("<div>oak</div><div>chair</div>", "oak chair"),
        ("oak<br>chair", "oak chair"),
        ("oak <span hidden>in Tables</span>", "oak"),
        ("oak &amp; elm", "oak & elm"),
    ],
)
def test_text(reader, content, text):
    page = reader(f'<div data-nl-suggestions><li role="option">{content}</li></div>')
    assert page.read("li").id == text


def test_a_product_in_a_listbox_is_a_product(reader):
    page = reader('<div data-nl-suggestions><p role="option" data-nl-product="A">oak</p></div>')
    assert page.read("p").kind == "data-nl-product"


@pytest.mark.parametrize("name", ["product", "suggestion"])
def test_an_option_around_an_item_is_none_itself(reader, name):
    page = reader(
        f'<div data-nl-suggestions><li role="option"><p data-nl-{name}="A">oak</p> 99</li></div>'
    )
    assert page.read("li") is None
    assert page.read("p").id == "A"


def test_an_option_with_an_explicit_value(reader):
    page = reader('<div data-nl-suggestions><p role="option" data-nl-suggestion="7">oak</p></div>')
    assert page.read("p").id == "7"
