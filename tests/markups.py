"""Markup cases, and what browser and audit capture of each.

Each is a body; its events are written as the audit writes them. ORDER stands for an order's number
that no other test has. What is wrong is the attribute that the tracker complains of.
"""

from dataclasses import dataclass, field

SEARCH = 'data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair"'
ON_SEARCH = 'page SEARCH_RESULT_PAGE, query "chair"'


@dataclass(frozen=True)
class Markup:
    """A body, its events, and its invalid attributes."""

    body: str
    events: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


MARKUPS = {
    "products in shadow trees, one in the other": Markup(
        f'<div {SEARCH}><section><template shadowrootmode="open"><div data-nl-list="l">'
        '<p data-nl-product="A">A</p><p data-nl-product="B">B</p></div>'
        '<div><template shadowrootmode="open"><p data-nl-product="C">C</p></template></div>'
        "</template></section></div>",
        [
            f'VIEW_PRODUCT, "A", index 0, {ON_SEARCH}',
            f'CLICK_PRODUCT, "A", index 0, {ON_SEARCH}',
            f'VIEW_PRODUCT, "B", index 1, {ON_SEARCH}',
            f'CLICK_PRODUCT, "B", index 1, {ON_SEARCH}',
            f'VIEW_PRODUCT, "C", {ON_SEARCH}',
            f'CLICK_PRODUCT, "C", {ON_SEARCH}',
        ],
    ),
    "shadow tree that is ignored": Markup(
        '<div data-nl-ignore><div><template shadowrootmode="open"><p data-nl-product="A">A</p>'
        '</template></div></div><p data-nl-product="B">B</p>',
        ['VIEW_PRODUCT, "B"', 'CLICK_PRODUCT, "B"'],
    ),
    "templates that are no open shadow tree": Markup(
        '<div><template shadowrootmode="closed"><p data-nl-product="A">A</p></template></div>'
        '<div><template><p data-nl-product="B">B</p></template></div>'
        '<ul><template shadowrootmode="open"><p data-nl-product="C">C</p></template></ul>'
        '<p data-nl-product="D">D</p>',
        ['VIEW_PRODUCT, "D"', 'CLICK_PRODUCT, "D"'],
    ),
    "products that are options": Markup(
        '<ul role="listbox"><li role="option" data-nl-product="A">A</li>'
        '<li role="option" data-nl-product="B">B</li></ul>',
        [
            'VIEW_PRODUCT, "A", index 0',
            'CLICK_PRODUCT, "A", index 0',
            'VIEW_PRODUCT, "B", index 1',
            'CLICK_PRODUCT, "B", index 1',
        ],
    ),
    "landing and product on one element": Markup(
        '<p data-nl-landing="L" data-nl-product="A">A</p>',
        ['LAND_PRODUCT_PAGE, "L", page PRODUCT_PAGE'],
    ),
    "landing inside an order": Markup(
        '<div data-nl-purchase="ORDER"><p data-nl-product="A">A</p>'
        '<p data-nl-landing="L">L</p></div>',
        ['PURCHASE, "A"'],
    ),
    "action on an order line": Markup(
        '<ol data-nl-purchase="ORDER"><li data-nl-product="A">A '
        '<button type="button" data-nl-action="favorite">F</button></li></ol>',
        ['PURCHASE, "A"'],
    ),
    "ignored order line": Markup(
        '<ol data-nl-purchase="ORDER"><li data-nl-product="A">A</li>'
        '<li data-nl-ignore><b data-nl-product="gift">Gift</b></li></ol>',
        ['PURCHASE, "A"'],
    ),
    "order line that is ignored itself": Markup(
        '<ol data-nl-purchase="ORDER"><li data-nl-product="A">A</li>'
        '<li data-nl-ignore data-nl-product="gift">Gift</li></ol>',
        ['PURCHASE, "A"'],
    ),
    "order of ignored lines alone": Markup(
        '<ol data-nl-purchase="ORDER"><li data-nl-ignore data-nl-product="gift">Gift</li></ol>',
        wrong=["data-nl-purchase"],
    ),
    "ignored order": Markup(
        '<div data-nl-ignore><ol data-nl-purchase="ORDER"><li data-nl-product="A">A</li></ol></div>'
    ),
    "list in a list, offset on the outer": Markup(
        '<div data-nl-list="outer" data-nl-offset="24"><p data-nl-product="A">A</p>'
        '<div data-nl-list="inner"><p data-nl-product="B">B</p></div></div>',
        [
            'VIEW_PRODUCT, "A", index 24',
            'CLICK_PRODUCT, "A", index 24',
            'VIEW_PRODUCT, "B", index 24',
            'CLICK_PRODUCT, "B", index 24',
        ],
    ),
    "index on a landing": Markup(
        '<p data-nl-landing="L" data-nl-index="3">L</p>',
        ['LAND_PRODUCT_PAGE, "L", index 3, page PRODUCT_PAGE'],
    ),
    "empty product and suggestion on one element": Markup(
        '<p data-nl-product="" data-nl-suggestion="oak">oak</p>',
        [
            'VIEW_SUGGESTION, "oak", page AUTOCOMPLETE',
            'CLICK_SUGGESTION, "oak", page AUTOCOMPLETE',
        ],
        wrong=["data-nl-product"],
    ),
    "action where landing and product are one": Markup(
        '<p data-nl-landing="L" data-nl-product="A">A '
        '<button type="button" data-nl-action="share">S</button></p>',
        ['LAND_PRODUCT_PAGE, "L", page PRODUCT_PAGE', 'SHARE, "L", page PRODUCT_PAGE'],
    ),
    "product and suggestion on one element": Markup(
        '<p data-nl-product="A" data-nl-suggestion="oak">oak</p>',
        ['VIEW_PRODUCT, "A"', 'CLICK_PRODUCT, "A"'],
    ),
    "action on the product itself": Markup(
        '<button type="button" data-nl-product="A" data-nl-action="favorite">A</button>',
        ['VIEW_PRODUCT, "A"', 'FAVORITE, "A"'],
    ),
    "action that is switched off": Markup(
        '<p data-nl-product="A">A <button type="button" data-nl-action="favorite" '
        'aria-pressed="true">F</button></p>',
        ['VIEW_PRODUCT, "A"', 'CLICK_PRODUCT, "A"'],
    ),
    "form with an action": Markup(
        '<article data-nl-landing="L"><form data-nl-action="add-to-cart"><button>B</button></form>'
        "</article>",
        ['LAND_PRODUCT_PAGE, "L", page PRODUCT_PAGE', 'ADD_TO_CART, "L", page PRODUCT_PAGE'],
    ),
    "ignored action": Markup(
        '<p data-nl-product="A">A <span data-nl-ignore>'
        '<button type="button" data-nl-action="share">S</button></span></p>',
        ['VIEW_PRODUCT, "A"', 'CLICK_PRODUCT, "A"'],
    ),
    "product in a landing": Markup(
        f'<article data-nl-landing="L" {SEARCH}><p data-nl-product="A">A '
        '<button type="button" data-nl-action="share">S</button></p></article>',
        [
            f'LAND_PRODUCT_PAGE, "L", {ON_SEARCH}',
            f'VIEW_PRODUCT, "A", {ON_SEARCH}',
            f'CLICK_PRODUCT, "A", {ON_SEARCH}',
            f'SHARE, "A", {ON_SEARCH}',
        ],
    ),
    "one product twice in a list": Markup(
        f'<ol {SEARCH} data-nl-list="l"><li data-nl-product="A">A</li>'
        '<li data-nl-product="B">B</li><li data-nl-product="A">A again</li></ol>',
        [
            f'VIEW_PRODUCT, "A", index 0, {ON_SEARCH}',
            f'CLICK_PRODUCT, "A", index 0, {ON_SEARCH}',
            f'VIEW_PRODUCT, "B", index 1, {ON_SEARCH}',
            f'CLICK_PRODUCT, "B", index 1, {ON_SEARCH}',
            f'CLICK_PRODUCT, "A", index 0, {ON_SEARCH}',
        ],
    ),
    "one product in two lists": Markup(
        '<ol data-nl-list="a"><li data-nl-product="A">A</li></ol>'
        '<ol data-nl-list="b"><li data-nl-product="B">B</li><li data-nl-product="A">A</li></ol>',
        [
            'VIEW_PRODUCT, "A", index 0',
            'CLICK_PRODUCT, "A", index 0',
            'VIEW_PRODUCT, "B", index 0',
            'CLICK_PRODUCT, "B", index 0',
            'VIEW_PRODUCT, "A", index 1',
            'CLICK_PRODUCT, "A", index 1',
        ],
    ),
    "empty query stops the search for one": Markup(
        f'<main {SEARCH}><section data-nl-query=""><p data-nl-product="A">A</p></section></main>',
        [
            'VIEW_PRODUCT, "A", page SEARCH_RESULT_PAGE',
            'CLICK_PRODUCT, "A", page SEARCH_RESULT_PAGE',
        ],
    ),
    "unknown page inside a known one": Markup(
        f'<main {SEARCH}><p data-nl-page="HOME" data-nl-product="A">A</p></main>',
        ['VIEW_PRODUCT, "A", query "chair"', 'CLICK_PRODUCT, "A", query "chair"'],
        wrong=["data-nl-page"],
    ),
    "rank in words": Markup(
        '<ol data-nl-list><li data-nl-product="A" data-nl-index="first">A</li></ol>',
        ['VIEW_PRODUCT, "A", index 0', 'CLICK_PRODUCT, "A", index 0'],
        wrong=["data-nl-index"],
    ),
    "options of a declared box": Markup(
        '<div data-nl-suggestions><input role="combobox" aria-controls="box">'
        '<ul role="listbox" id="box"><li role="option">oak <b>table</b></li>'
        '<li role="option" data-nl-product="A">A</li><li role="option">oak chair</li></ul></div>',
        [
            'VIEW_SUGGESTION, "oak table", index 0, page AUTOCOMPLETE',
            'CLICK_SUGGESTION, "oak table", index 0, page AUTOCOMPLETE',
            'VIEW_PRODUCT, "A", index 0',
            'CLICK_PRODUCT, "A", index 0',
            'VIEW_SUGGESTION, "oak chair", index 1, page AUTOCOMPLETE',
            'CLICK_SUGGESTION, "oak chair", index 1, page AUTOCOMPLETE',
        ],
    ),
    "options of a box elsewhere": Markup(
        '<input data-nl-suggestions aria-owns="none box">'
        '<div id="box"><p role="option" aria-posinset="3">oak</p></div><p role="option">elm</p>',
        [
            'VIEW_SUGGESTION, "oak", index 2, page AUTOCOMPLETE',
            'CLICK_SUGGESTION, "oak", index 2, page AUTOCOMPLETE',
        ],
    ),
    "options that nothing declares": Markup('<ul role="listbox"><li role="option">oak</li></ul>'),
    "text of an option": Markup(
        '<div data-nl-suggestions role="listbox"><div role="option">\n oak\t &amp;\n'
        "<!-- no text --><i>elm</i>  ash</div></div>",
        [
            'VIEW_SUGGESTION, "oak & elm ash", index 0, page AUTOCOMPLETE',
            'CLICK_SUGGESTION, "oak & elm ash", index 0, page AUTOCOMPLETE',
        ],
    ),
    "what a template holds": Markup(
        '<ol data-nl-list><template><li data-nl-product="T">T</li></template>'
        '<li data-nl-product="A">A</li></ol>',
        ['VIEW_PRODUCT, "A", index 0', 'CLICK_PRODUCT, "A", index 0'],
    ),
    "tags that the parser moves": Markup(
        '<table data-nl-list><div data-nl-product="A">A</div><tr><td data-nl-product="B">B</table>',
        [
            'VIEW_PRODUCT, "A"',
            'CLICK_PRODUCT, "A"',
            'VIEW_PRODUCT, "B", index 0',
            'CLICK_PRODUCT, "B", index 0',
        ],
    ),
    "tags that are not closed": Markup(
        '<ul data-nl-list><li data-nl-product="A">A<li data-nl-product="B">B'
        '<p data-nl-product="C">C<p data-nl-product="D">D</ul>',
        [
            'VIEW_PRODUCT, "A", index 0',
            'CLICK_PRODUCT, "A", index 0',
            'VIEW_PRODUCT, "B", index 1',
            'CLICK_PRODUCT, "B", index 1',
            'VIEW_PRODUCT, "C", index 2',
            'CLICK_PRODUCT, "C", index 2',
            'VIEW_PRODUCT, "D", index 3',
            'CLICK_PRODUCT, "D", index 3',
        ],
    ),
    "spaces around values": Markup(
        '<div data-nl-page=" CATEGORY_PAGE "><ol data-nl-list><li data-nl-product=" A ">A</li>'
        '<li data-nl-product="  ">B</li><li data-nl-product="C" data-nl-index=" 7 ">C</li></ol>'
        "</div>",
        [
            'VIEW_PRODUCT, "A", index 0, page CATEGORY_PAGE',
            'CLICK_PRODUCT, "A", index 0, page CATEGORY_PAGE',
            'VIEW_PRODUCT, "C", index 7, page CATEGORY_PAGE',
            'CLICK_PRODUCT, "C", index 7, page CATEGORY_PAGE',
        ],
        wrong=["data-nl-product"],
    ),
    "list that is a shadow host": Markup(
        '<x-grid data-nl-list><template shadowrootmode="open"><p data-nl-product="A">A</p>'
        '<slot></slot></template><p data-nl-product="B">B</p></x-grid>',
        [
            'VIEW_PRODUCT, "A", index 0',
            'CLICK_PRODUCT, "A", index 0',
            'VIEW_PRODUCT, "B", index 1',
            'CLICK_PRODUCT, "B", index 1',
        ],
    ),
    "what no slot renders": Markup(
        '<div><template shadowrootmode="open"><slot name="n">'
        '<p data-nl-product="F">F</p></slot><slot name="o"><p data-nl-product="G">G</p></slot>'
        '</template><p data-nl-product="A" data-nl-index="0">A</p>'
        '<p data-nl-product="B" slot="n">B</p></div>',
        [
            'VIEW_PRODUCT, "G"',
            'CLICK_PRODUCT, "G"',
            'VIEW_PRODUCT, "B"',
            'CLICK_PRODUCT, "B"',
        ],
    ),
    "order with a line in a shadow tree": Markup(
        '<div data-nl-purchase="ORDER"><p data-nl-product="A">A</p><div>'
        '<template shadowrootmode="open"><p data-nl-product="B">B</p></template></div></div>',
        ['PURCHASE, "A" "B"'],
    ),
    "one product in two contexts": Markup(
        f'<p {SEARCH} data-nl-product="A">A</p><p data-nl-product="A">A</p>',
        [
            f'VIEW_PRODUCT, "A", {ON_SEARCH}',
            f'CLICK_PRODUCT, "A", {ON_SEARCH}',
            'VIEW_PRODUCT, "A"',
            'CLICK_PRODUCT, "A"',
        ],
    ),
    "query with an e-mail address": Markup(
        '<p data-nl-query="chair for jane@example.org" data-nl-product="A">A</p>',
        ['VIEW_PRODUCT, "A", query "chair for"', 'CLICK_PRODUCT, "A", query "chair for"'],
    ),
    "controls that do nothing": Markup(
        '<div data-nl-product="A"><fieldset disabled><legend><button data-nl-action="favorite">'
        'F</button></legend><button data-nl-action="share">S</button></fieldset>'
        '<button aria-disabled="true" data-nl-action="share">S</button>'
        '<i aria-pressed="true" data-nl-action="favorite">F</i></div>',
        ['VIEW_PRODUCT, "A"', 'CLICK_PRODUCT, "A"', 'FAVORITE, "A"'],
    ),
    "option that is disabled": Markup(
        '<ul data-nl-suggestions role="listbox"><li role="option" aria-disabled="true">oak</li>'
        '<li role="option">elm</li></ul>',
        [
            'VIEW_SUGGESTION, "oak", index 0, page AUTOCOMPLETE',
            'VIEW_SUGGESTION, "elm", index 1, page AUTOCOMPLETE',
            'CLICK_SUGGESTION, "elm", index 1, page AUTOCOMPLETE',
        ],
    ),
    "attributes twice, and in capitals": Markup(
        '<p DATA-NL-PRODUCT="A" data-nl-product="B" Data-Nl-Index="4">A</p>',
        ['VIEW_PRODUCT, "A", index 4', 'CLICK_PRODUCT, "A", index 4'],
        wrong=["data-nl-product"],
    ),
    "unknown action": Markup(
        '<p data-nl-product="A">A <button type="button" data-nl-action="buy">B</button></p>',
        ['VIEW_PRODUCT, "A"', 'CLICK_PRODUCT, "A"'],
        wrong=["data-nl-action"],
    ),
    "action of nothing": Markup(
        '<button type="button" data-nl-action="share">S</button>', wrong=["data-nl-action"]
    ),
    "landing without an id": Markup('<p data-nl-landing="">L</p>', wrong=["data-nl-landing"]),
    "order without a number": Markup(
        '<ol data-nl-purchase=""><li data-nl-product="A">A</li></ol>', wrong=["data-nl-purchase"]
    ),
}
