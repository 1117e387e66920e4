"""A click, key press or submit on a product or its controls is exactly one event."""

import re

import pytest

from tests.browser.summaries import without_time
from tests.polling import eventually

RESULTS = """
<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak chair">
  <ul data-nl-list="results" data-nl-offset="24">
    <li data-nl-product="A"><a href="#a">Chair A</a></li>
    <li data-nl-product="B">
      <a id="link" href="#b"><svg width="40" height="40"><circle r="20" /></svg><b>Chair</b> B</a>
      <p id="text">A text that is no link</p>
      <label id="label"><input id="compare" type="checkbox"> Compare</label>
      <button id="plain" type="button">Look closer</button>
    </li>
  </ul>
</main>
"""
# What a page may do to an event before and after the tracker sees it.
INTERFERENCE = """([method, targets]) => {
    for (const target of targets)
        for (const type of ["click", "auxclick", "keydown", "submit"])
            window[target].addEventListener(type, (event) => event[method](), true);
}"""


@pytest.fixture
def interactions(ledger):
    """Return the events of interactions in order, without timestamps, and without views."""

    def interactions(page):
        return [
            without_time(event)
            for event in ledger.wait_for_all(page)
            if not event["event"].startswith(("VIEW_", "LAND_"))
        ]

    return interactions


@pytest.fixture
def expected(uid):
    """Return the expected event of this shopper on a product of the results."""

    def expected(event, product, index):
        return {
            "uid": uid,
            "items": [{"id": product}],
            "event": event,
            "page": "SEARCH_RESULT_PAGE",
            "query": "oak chair",
            "index": index,
        }

    return expected


def test_click_on_a_child_of_a_tile(show, interactions, expected):
    page = show(RESULTS)
    targets = ["#link b", "circle", "#text", "#plain"]
    for target in targets:
        page.click(target)
    page.click("[data-nl-product=A]")
    assert interactions(page) == [
        *[expected("CLICK_PRODUCT", "B", 25) for _ in targets],
        expected("CLICK_PRODUCT", "A", 24),
    ]
    assert page.console_messages == []


LINKED = """<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak chair"><div data-nl-list>
{}</div></main>"""


@pytest.mark.every_engine
@pytest.mark.one_case
@pytest.mark.parametrize(
    "markup",
    [
        '<a href="#b"><article data-nl-product="B">Chair</article></a>',
        '<div role="link" tabindex="0"><p>New</p><p data-nl-product="B">Chair</p></div>',
        '<button><b data-nl-product="B">Chair</b></button>',
        '<div data-nl-landing="A"><a href="#b"><b data-nl-product="B">Chair</b></a></div>',
    ],
    ids=["link", "role", "button", "in a landing"],
)
def test_link_around_a_tile(show, interactions, expected, markup):
    """Keys, and screen readers, activate the link and not what is in it."""
    page = show(LINKED.format(markup))
    page.locator("a, button, [role=link]").press("Enter")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 0)]


def test_link_around_two_tiles(show, interactions):
    """It is about neither of them."""
    tiles = '<b data-nl-product="A">Chair</b><b data-nl-product="B">Table</b>'
    page = show(LINKED.format(f'<a href="#set">{tiles}</a>'))
    page.locator("a").press("Enter")
    assert interactions(page) == []


def test_click_outside_any_tile(show, interactions):
    page = show(RESULTS + "<a id='elsewhere' href='#elsewhere'>Elsewhere</a>")
    page.click("#elsewhere")
    page.mouse.click(990, 790)
    assert interactions(page) == []


def test_tile_in_a_shadow_tree(show, interactions, expected):
    page = show(RESULTS)
    page.evaluate(
        """() => {
            const tile = document.createElement("div");
            const shade = tile.attachShadow({ mode: "open" });
            shade.innerHTML = "<div data-nl-product='S'><i id='inside'>S</i></div>";
            document.querySelector("ul").append(tile);
        }"""
    )
    page.click("#inside")
    assert [(event["event"], event["items"]) for event in interactions(page)] == [
        ("CLICK_PRODUCT", [{"id": "S"}])
    ]


def test_shadow_tree_in_a_tile(show, interactions, expected):
    page = show(RESULTS)
    page.evaluate(
        """() => {
            const shade = document.querySelector("#text").attachShadow({ mode: "open" });
            shade.innerHTML = "<i id='inside'>A card of its own</i>";
        }"""
    )
    page.click("#inside")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)]


def test_control_that_is_a_shadow_host(show, interactions, expected):
    page = show(RESULTS)
    page.evaluate(
        """() => {
            const host = document.querySelector("#text");
            host.dataset.nlAction = "share";
            host.attachShadow({ mode: "open" }).innerHTML = "<button id='deep'>Share</button>";
        }"""
    )
    page.click("#deep")
    page.focus("#deep")
    page.keyboard.press("Enter")
    assert interactions(page) == [expected("SHARE", "B", 25)] * 2


@pytest.mark.parametrize(
    ("method", "early"),
    [
        # The exception is a listener on the window that precedes the tracker's and calls
        # stopImmediatePropagation.
        ("stopImmediatePropagation", ["document"]),
        ("stopPropagation", ["window", "document"]),
        ("preventDefault", ["window", "document"]),
    ],
)
def test_page_that_interferes(show, context, interactions, expected, method, early):
    context.add_init_script(f"({INTERFERENCE})({[method, early]})")
    page = show(RESULTS + "<form data-nl-product='F' data-nl-action='add-to-cart'></form>")
    page.evaluate(INTERFERENCE, [method, ["window", "document"]])
    page.click("#link")
    page.click("[data-nl-product=A] a", button="middle")
    page.evaluate("document.querySelector('form').dispatchEvent(new Event('submit'))")
    # The tab that the middle click opens hides the page, which then flushes its queue: batches in
    # quick succession may arrive in any order.
    middle, clicked, submitted = sorted(
        interactions(page), key=lambda event: event["items"][0]["id"]
    )
    assert clicked == expected("CLICK_PRODUCT", "B", 25)
    assert middle == expected("CLICK_PRODUCT", "A", 24)
    assert (submitted["event"], submitted["items"]) == ("ADD_TO_CART", [{"id": "F"}])


def test_click_with_a_modifier(show, interactions, expected):
    page = show(RESULTS)
    modifiers = ["Control", "Meta", "Shift", "Alt"]
    for modifier in modifiers:
        page.click("#link", modifiers=[modifier])
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25) for _ in modifiers]


def test_middle_click_counts(show, context, interactions, expected):
    page = show(RESULTS)
    with context.expect_page() as opened:
        page.click("#link", button="middle")
    opened.value.close()
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)]


def test_middle_click_on_a_link_in_a_drawing(show, interactions):
    page = show(
        """<div data-nl-product="A"><svg width="40" height="40"><a xlink:href="#a">
        <circle r="20" /></a></svg></div>"""
    )
    page.mouse.click(12, 12, button="middle")
    assert [event["event"] for event in interactions(page)] == ["CLICK_PRODUCT"]


def test_right_click_does_not_count(show, interactions):
    page = show(RESULTS)
    page.click("#link", button="right")
    assert interactions(page) == []


def test_click_on_a_label_counts_once(show, interactions, expected):
    page = show(RESULTS)
    page.click("#label", position={"x": 60, "y": 8})
    assert page.is_checked("#compare")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)]


def test_every_click_counts(show, interactions, expected):
    page = show(RESULTS)
    for _ in range(3):
        page.click("#text")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)] * 3


def test_clicks_by_scripts_do_not_count(show, interactions, expected):
    page = show(RESULTS)
    page.evaluate("for (const time of [1, 2]) document.querySelector('#text').click()")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)]


def test_native_control_by_keyboard(show, interactions, expected):
    page = show(RESULTS)
    presses = [("#link", "Enter"), ("#plain", "Enter"), ("#plain", " "), ("#compare", " ")]
    for target, key in presses:
        page.focus(target)
        page.keyboard.press(key)
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25) for _ in presses]


def test_choice_in_a_native_select(show, interactions):
    """Chromium can let the page style the options, which then get the keys themselves."""
    page = show(
        """<style>select, ::picker(select) { appearance: base-select }</style>
        <li data-nl-product="A"><select id="size"><option>S<option>M<option>L</select></li>"""
    )
    page.focus("#size")
    for key in (" ", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("() => size.value === 'M'")
    assert interactions(page) == []


CUSTOM = """
<ul data-nl-list="results">
  <li data-nl-product="A" role="link" tabindex="0">A tile that is a link itself</li>
  <li data-nl-product="B"><span id="opener" tabindex="0">A part that takes the focus</span></li>
</ul>
"""
# Some widgets respond to Enter with a click by script.
CLICKING = """document.addEventListener("keydown", (event) => event.target.click())"""


@pytest.mark.parametrize("script", ["", CLICKING], ids=["goes on", "clicks"])
def test_custom_control_by_keyboard(show, interactions, uid, script):
    page = show(CUSTOM + f"<script>{script}</script>")
    for target in ("[role=link]", "#opener"):
        page.focus(target)
        page.keyboard.press("Enter")
    assert interactions(page) == [
        {"uid": uid, "items": [{"id": product}], "event": "CLICK_PRODUCT", "index": index}
        for index, product in enumerate("AB")
    ]


def test_other_keys_activate_nothing(show, interactions):
    page = show(CUSTOM)
    page.focus("[role=link]")
    for key in (" ", "Tab", "ArrowDown", "a", "Escape"):
        page.keyboard.press(key)
    assert interactions(page) == []


def test_text_that_is_written_into_a_tile(show, interactions):
    page = show('<div data-nl-product="A"><p contenteditable>A note</p></div>')
    page.focus("p")
    page.keyboard.press("Enter")
    assert interactions(page) == []


def wait_for_interactions(ledger):
    """Wait for the events of interactions on an unloaded page, without views."""

    def interactions():
        return [without_time(each) for each in ledger.entries() if each.name != "VIEW_PRODUCT"]

    return eventually(interactions)


def test_click_arrives_and_its_default_action_happens(show, ledger, expected):
    """The link leads to a page without a tracker, and the event is not lost."""
    page = show(RESULTS.replace("#b", "/b?from=a"))
    page.evaluate(
        "window.addEventListener('click', (event) => sessionStorage.prevented ="
        " event.defaultPrevented)"
    )
    page.route("**/b?from=a", lambda route: route.fulfill(body="the product's page"))
    page.click("#link")
    page.wait_for_url("**/b?from=a")
    assert page.evaluate("sessionStorage.prevented") == "false"
    assert wait_for_interactions(ledger) == [expected("CLICK_PRODUCT", "B", 25)]


def test_click_while_the_document_is_loading(put, context, runtime, ledger, expected):
    """A third-party script blocks the parser after the tile.

    The heavy runtimes are loaded later; what stands in for them keeps the click.
    """
    held = []
    context.route("**/slow.js", lambda route: held.append(route))
    put(RESULTS + "<script src='/slow.js'></script><p id='end'>The end</p>")
    page = context.new_page()
    page.goto("/", wait_until="commit")
    page.wait_for_function("() => window.neuralens && (neuralens.version || neuralens.early)")
    page.click("#text")
    page.evaluate("neuralens('flush')")
    if runtime == "javascript":
        assert wait_for_interactions(ledger) == [expected("CLICK_PRODUCT", "B", 25)]
    assert page.evaluate("document.readyState") == "loading"
    held[0].fulfill(body="", content_type="text/javascript")
    page.wait_for_selector("#end", state="attached")
    assert wait_for_interactions(ledger) == [expected("CLICK_PRODUCT", "B", 25)]


ACTIONS = """
<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak chair">
  <ul data-nl-list="results" data-nl-offset="24">
    <li data-nl-product="A">A</li>
    <li data-nl-product="B">
      <button id="cart" type="button" data-nl-action="add-to-cart"><b>Add to cart</b></button>
      <a id="share" href="#share" data-nl-action="share">Share</a>
      <button id="favorite" type="button" data-nl-action="favorite" aria-pressed="false">
        <i>Heart</i></button>
      <span id="custom" role="button" tabindex="0" data-nl-action="favorite">Keep</span>
      <label id="label" data-nl-action="favorite"><input type="checkbox"> Keep this one</label>
    </li>
  </ul>
</main>
"""


def test_action_replaces_the_click(show, interactions, expected):
    page = show(ACTIONS)
    events = {
        "#cart": "ADD_TO_CART",
        "#cart b": "ADD_TO_CART",
        "#share": "SHARE",
        "#favorite i": "FAVORITE",
        "#label": "FAVORITE",
    }
    for target in events:
        page.click(target)
    assert interactions(page) == [expected(event, "B", 25) for event in events.values()]


@pytest.mark.every_engine
def test_action_on_a_label_counts_once(show, interactions, expected):
    """The click of its checkbox follows, in Firefox with another timestamp."""
    page = show(ACTIONS)
    page.click("#label")
    assert interactions(page) == [expected("FAVORITE", "B", 25)]


def test_action_by_keyboard(show, interactions, expected):
    page = show(ACTIONS)
    for target in ("#cart", "#custom"):
        for key in ("Enter", " "):
            page.focus(target)
            page.keyboard.press(key)
    assert (
        interactions(page)
        == [expected("ADD_TO_CART", "B", 25)] * 2 + [expected("FAVORITE", "B", 25)] * 2
    )


@pytest.mark.parametrize(
    "markup",
    [
        '<input type="checkbox" id="f" data-nl-action="share"><label for="f">Share</label>',
        '<label>Share <button type="button" data-nl-action="share">now</button></label>',
        '<form id="f" data-nl-action="share"></form><button form="f">Share</button>',
    ],
    ids=["checkbox", "button", "form"],
)
def test_what_stands_for_a_control(show, interactions, markup):
    """A click on a label is one on its control, one on a button is about its form."""
    page = show(
        f'<div data-nl-product="A">{markup}</div>'
        "<script>addEventListener('submit', (event) => event.preventDefault())</script>"
    )
    page.locator("label, button").first.click(position={"x": 5, "y": 8})
    assert [event["event"] for event in interactions(page)] == ["SHARE"]


def test_every_add_to_cart_counts(show, interactions, expected):
    page = show(ACTIONS)
    for _ in range(2):
        page.click("#cart")
    assert interactions(page) == [expected("ADD_TO_CART", "B", 25)] * 2


def test_toggle_that_is_switched_off(show, interactions, expected):
    """The state before the click counts, although the page changes it during the click."""
    page = show(ACTIONS)
    page.evaluate(
        """() => favorite.addEventListener("click", () => favorite.setAttribute(
            "aria-pressed", favorite.getAttribute("aria-pressed") !== "true"))"""
    )
    for _ in range(3):
        page.click("#favorite")
    assert page.get_attribute("#favorite", "aria-pressed") == "true"
    assert interactions(page) == [expected("FAVORITE", "B", 25)] * 2


@pytest.mark.one_case
@pytest.mark.parametrize(
    "markup",
    [
        '<span id="f" role="switch" aria-checked="false" tabindex="0" data-nl-action="favorite">'
        "F</span>",
        '<input id="f" type="checkbox" data-nl-action="favorite">',
        '<label data-nl-action="favorite"><input type="checkbox"> <b id="f">F</b></label>',
        '<label data-nl-action="favorite"><input id="f" type="checkbox"> F</label>',
        '<input id="c" type="checkbox"><label id="f" for="c" data-nl-action="favorite">F</label>',
        '<form><input required><label data-nl-action="favorite"><input id="f" type="checkbox">'
        "</label></form>",
    ],
    ids=["switch", "checkbox", "label", "in a label", "label elsewhere", "in an invalid form"],
)
def test_switch_that_is_switched_off(show, interactions, markup):
    page = show(
        f'<div data-nl-product="A">{markup}</div>'
        """<script>f.onclick = () => {
            if (f.matches("span")) f.setAttribute("aria-checked", f.ariaChecked !== "true");
        };</script>"""
    )
    for _ in range(3):
        page.click("#f")
    assert [event["event"] for event in interactions(page)] == ["FAVORITE"] * 2


FORMS = """
<main data-nl-page="CATEGORY_PAGE">
  <ul data-nl-list="chairs">
    <li data-nl-product="A">
      <form id="whole" action="/cart" data-nl-action="add-to-cart">
        <input name="quantity" value="1"> <button>Add</button>
      </form>
    </li>
    <li data-nl-product="B">
      <form id="part" action="/cart">
        <input name="quantity" value="1"> <button data-nl-action="add-to-cart">Add</button>
      </form>
    </li>
  </ul>
</main>
<script>addEventListener("submit", (event) => event.preventDefault())</script>
"""


@pytest.mark.parametrize("way", ["button", "Enter", "script"])
def test_form_is_submitted(show, interactions, uid, way):
    page = show(FORMS)
    for form in ("#whole", "#part"):
        if way == "button":
            page.click(f"{form} button")
        elif way == "Enter":
            page.focus(f"{form} input")
            page.keyboard.press("Enter")
        else:
            page.evaluate("(form) => document.querySelector(form + ' button').click()", form)
    assert interactions(page) == [
        {
            "uid": uid,
            "items": [{"id": product}],
            "event": "ADD_TO_CART",
            "page": "CATEGORY_PAGE",
            "index": index,
        }
        for index, product in enumerate("AB")
    ]


@pytest.mark.parametrize("control", ["button", 'input type="submit"', 'input type="image"'])
def test_invalid_form_is_no_event(show, interactions, control):
    """The browser submits neither, until they are filled in."""
    forms = FORMS.replace('value="1"', "required")
    page = show(forms.replace("<button", f'<{control} class="submit"'))
    for form in ("#whole", "#part"):
        page.click(f"{form} .submit")
    assert interactions(page) == []
    for form in ("#whole", "#part"):
        page.fill(f"{form} [required]", "1")
        page.click(f"{form} .submit")
    assert [event["event"] for event in interactions(page)] == ["ADD_TO_CART"] * 2


def test_submitter_of_an_invalid_form_elsewhere(show, interactions):
    page = show(
        """<form id="options" action="/cart"><input name="size" required></form>
        <div data-nl-product="A">
        <button form="options" data-nl-action="add-to-cart">Add</button></div>
        <script>addEventListener("submit", (event) => event.preventDefault())</script>"""
    )
    page.click("button")
    assert interactions(page) == []
    page.fill("input", "L")
    page.click("button")
    assert [event["event"] for event in interactions(page)] == ["ADD_TO_CART"]


@pytest.mark.parametrize(
    ("markup", "events"),
    [
        ('formnovalidate data-nl-action="favorite"', ["FAVORITE"]),
        ("formnovalidate data-nl-ignore", []),
    ],
)
@pytest.mark.parametrize("click_count", [1, 2])
def test_submitter_that_is_not_the_forms_action(show, interactions, markup, events, click_count):
    page = show(FORMS.replace("<button>Add", f'<button id="other" {markup}>Add', 1))
    page.click("#other", click_count=click_count)
    assert [event["event"] for event in interactions(page)] == events


def test_action_that_navigates(show, ledger, uid):
    page = show(FORMS.replace("event.preventDefault()", "0"))
    page.route("**/cart?*", lambda route: route.fulfill(body="the cart"))
    page.click("#whole button")
    page.wait_for_url("**/cart?quantity=1")
    (added,) = wait_for_interactions(ledger)
    assert (added["event"], added["items"]) == ("ADD_TO_CART", [{"id": "A"}])


def test_actions_in_a_landing(show, interactions, uid):
    page = show(
        """<article data-nl-landing="L" data-nl-query="oak chair">
          <p id="text">A product's page</p>
          <form data-nl-action="add-to-cart"><button>Add</button></form>
          <button id="favorite" data-nl-action="favorite">Keep</button>
          <a id="share" href="#" data-nl-action="share">Share</a>
        </article>
        <script>addEventListener("submit", (event) => event.preventDefault())</script>"""
    )
    for target in ("#text", "form button", "#favorite", "#share"):
        page.click(target)
    expected = {
        "uid": uid,
        "items": [{"id": "L"}],
        "page": "PRODUCT_PAGE",
        "query": "oak chair",
    }
    assert interactions(page) == [
        expected | {"event": event} for event in ("ADD_TO_CART", "FAVORITE", "SHARE")
    ]


def test_product_inside_a_landing(show, interactions, uid):
    page = show(
        """<article data-nl-landing="L">
          <section data-nl-list="set"><div data-nl-product="P">
            <b>A part</b> <button data-nl-action="add-to-cart">Add the part</button>
          </div></section>
        </article>"""
    )
    page.click("b")
    page.click("button")
    assert [(event["event"], event["items"], event["index"]) for event in interactions(page)] == [
        ("CLICK_PRODUCT", [{"id": "P"}], 0),
        ("ADD_TO_CART", [{"id": "P"}], 0),
    ]


def test_ignored(show, interactions, expected):
    page = show(
        RESULTS.replace(
            "</li>\n  </ul>",
            """<div data-nl-ignore><i id="ad">An advertisement</i>
            <button id="cart" type="button" data-nl-action="add-to-cart">Add</button></div></li>
            <li data-nl-ignore data-nl-product="C"><i id="whole">Sponsored</i></li></ul>
            <form data-nl-ignore data-nl-product="D" data-nl-action="share"
             onsubmit="event.preventDefault()"><button id="submit">Share</button></form>""",
        )
    )
    for target in ("#ad", "#cart", "#whole", "#submit"):
        page.click(target)
    page.click("#text")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)]
    assert page.console_messages == []


@pytest.mark.parametrize(
    ("markup", "line"),
    [
        (
            """<div data-nl-product="A"><button data-nl-action="buy">Buy</button></div>""",
            "neuralens: data-nl-action must be one of add-to-cart, favorite, share:"
            """ <button data-nl-action="buy">Buy</button>""",
        ),
        (
            """<button data-nl-action="share">Share</button>""",
            "neuralens: data-nl-action must be inside [data-nl-product],[data-nl-landing]:"
            """ <button data-nl-action="share">Share</button>""",
        ),
        (
            """<div data-nl-product=""><button>Look</button></div>""",
            "neuralens: data-nl-product must be text:"
            """ <div data-nl-product=""><button>Look</button></div>""",
        ),
    ],
    ids=["unknown action", "action without an owner", "no id"],
)
def test_wrong_markup_is_reported_once(show, interactions, expected, markup, line):
    page = show(RESULTS + markup)
    page.click("main ~ * button, main ~ button")
    page.click("main ~ * button, main ~ button")
    page.click("#text")
    assert interactions(page) == [expected("CLICK_PRODUCT", "B", 25)]
    assert len(page.console_messages) == 1
    # MicroPython's dicts are unordered, and so are the listed values.
    assert sorted(re.findall(r"[^\s,:]+", page.console_messages[0])) == sorted(
        re.findall(r"[^\s,:]+", line)
    )
