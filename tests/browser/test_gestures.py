"""One gesture is one event, whatever the page does with it."""

import pytest

from tests.browser.clock import pause_clock
from tests.browser.page import DECIDED_MS, run_timers
from tests.browser.summaries import summarize

SEARCH = '<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair">{}</main>'
ACTS = ("CLICK", "ADD", "FAVORITE", "SHARE")
CLICKED = ("CLICK_PRODUCT", "A", 0, "chair")


@pytest.fixture
def interactions(ledger):
    """Return summaries of interactions, once pending choices are decided."""

    def interactions(page):
        run_timers(page, DECIDED_MS)
        return summarize(ledger.wait_for_all(page), *ACTS)

    return interactions


CAROUSEL = SEARCH.format(
    """<div id="row" data-nl-list="row" style="display: flex">
    <div data-nl-product="A" style="width: 400px; height: 200px">A</div>
    <div data-nl-product="B" style="width: 400px; height: 200px">B</div></div>
    <script>
    let start = null, moved = 0;
    row.addEventListener("pointerdown", (event) => { start = event.clientX; moved = 0; });
    row.addEventListener("pointermove", (event) => {
        if (start !== null) moved = Math.max(moved, Math.abs(event.clientX - start));
    });
    row.addEventListener("click", (event) => {
        start = null;
        if (moved > 10) { event.stopPropagation(); event.preventDefault(); }
    }, true);
    </script>"""
)


@pytest.mark.parametrize("end", [(220, 100), (104, 100)], ids=["away", "and back"])
def test_drag_is_no_click(show, interactions, end):
    page = show(CAROUSEL)
    page.mouse.move(100, 100)
    page.mouse.down()
    page.mouse.move(220, 100, steps=6)
    page.mouse.move(*end, steps=6)
    page.mouse.up()
    assert interactions(page) == []
    page.mouse.click(100, 100)
    assert interactions(page) == [CLICKED]


# Slides that follow the pointer and then snap, so that the pressed one ends off the screen.
SNAP = SEARCH.format(
    """<div style="width: 300px; overflow: hidden">
    <div id="row" data-nl-list="row" style="display: flex; touch-action: pan-y">
    <div data-nl-product="A" style="flex: none; width: 300px; height: 200px">A</div>
    <div data-nl-product="B" style="flex: none; width: 300px; height: 200px">B</div></div></div>
    <script>
    let start = null;
    const shift = (pixels) => { row.style.transform = `translateX(${pixels}px)`; };
    addEventListener("pointerdown", (event) => { start = event.clientX; });
    addEventListener("pointermove", (event) => {
        if (start !== null) shift(event.clientX - start);
    });
    addEventListener("pointerup", () => {
        start = null;
        shift(-300);
        history.replaceState(null, "", "#slide-2");
    });
    </script>"""
)


@pytest.mark.parametrize("way", ["mouse", "touch"])
def test_slide_that_goes_with_the_pointer(show, interactions, chromium, shop, way):
    with chromium.new_context(base_url=shop.url, has_touch=way == "touch") as profile:
        page = show(SNAP, tab=profile.new_page())
        path = [(250, 100), (200, 100), (150, 100), (60, 100)]
        if way == "mouse":
            page.mouse.move(*path[0])
            page.mouse.down()
            for point in path:
                page.mouse.move(*point)
            page.mouse.up()
        else:
            swipe(page, path)
        page.wait_for_url("**#slide-2")
        assert interactions(page) == []


def swipe(page, path):
    session = page.context.new_cdp_session(page)
    for number, (x, y) in enumerate(path):
        touch = {"type": f"touch{'Move' if number else 'Start'}", "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", touch)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


# A control whose page acts on touches, and on clicks of a mouse.
TOUCHED = SEARCH.format(
    """<div data-nl-product="A" style="touch-action: none">
    <button id="like" style="width: 200px; height: 200px" type="button" aria-pressed="false"
    data-nl-action="favorite">Like</button></div>
    <script>
    const act = (event) => {
        event.preventDefault();
        like.ariaPressed = like.ariaPressed !== "true";
    };
    for (const type of ["TYPE", "click"]) like.addEventListener(type, act, { passive: false });
    </script>"""
)
LIKED = ("FAVORITE", "A", None, "chair")


@pytest.mark.one_case
@pytest.mark.parametrize("kind", ["touchstart", "touchend"])
def test_action_on_touch(show, interactions, chromium, shop, kind):
    """The page prevents the click that would follow."""
    with chromium.new_context(base_url=shop.url, has_touch=True) as profile:
        page = show(TOUCHED.replace("TYPE", kind), tab=profile.new_page())
        for expected in ([LIKED], [LIKED], [LIKED, LIKED]):
            page.tap("#like")
            assert interactions(page) == expected
        page.click("#like")
        page.click("#like")
        assert interactions(page) == [LIKED, LIKED, LIKED]


def test_second_tap_that_the_page_prevents(show, interactions, chromium, shop):
    """As many do against the zoom by a double tap: then no click follows, and nothing happens."""
    with chromium.new_context(base_url=shop.url, has_touch=True) as profile:
        page = show(
            TOUCHED.replace("TYPE", "never").replace("aria-pressed", "title")
            + """<script>
            window.clicks = 0;
            let taps = 0;
            like.addEventListener("click", () => { clicks += 1; });
            document.addEventListener("touchend", (event) => {
                taps += 1;
                if (taps === 2) event.preventDefault();
            }, { passive: false });
            </script>""",
            tab=profile.new_page(),
        )
        page.tap("#like")
        page.tap("#like")
        assert (len(interactions(page)), page.evaluate("clicks")) == (1, 1)


def test_swipe_on_a_control(show, interactions, chromium, shop):
    """The page prevents whatever the browser would do after it."""
    with chromium.new_context(base_url=shop.url, has_touch=True) as profile:
        page = show(
            TOUCHED.replace("TYPE", "never")
            + """<script>for (const type of ["touchmove", "touchend"])
            like.addEventListener(type, (event) => event.preventDefault(), { passive: false });
            </script>""",
            tab=profile.new_page(),
        )
        swipe(page, [(30, 100), (60, 100), (120, 100)])
        assert interactions(page) == []


# A control whose page acts before the click, and changes it at once.
ACTED_ON_PRESS = SEARCH.format(
    """<section data-nl-list="one"><div data-nl-product="A">
    <button id="add" type="button" aria-pressed="false" data-nl-action="add-to-cart">Add</button>
    </div></section>
    <script>add.addEventListener("TYPE", (event) => { AFTER; });</script>"""
)
ADDED = ("ADD_TO_CART", "A", 0, "chair")
TOGGLED = "add.ariaPressed = add.ariaPressed !== 'true'"


@pytest.mark.one_case
@pytest.mark.parametrize(
    "after", ["add.outerHTML = '<b>Added</b>'", "add.disabled = true", TOGGLED]
)
@pytest.mark.parametrize("kind", ["pointerdown", "mouseup", "keydown"])
def test_action_on_press(show, interactions, kind, after):
    page = show(ACTED_ON_PRESS.replace("TYPE", kind).replace("AFTER", after))
    for _ in range(2 if after == TOGGLED else 1):
        if kind == "keydown":
            page.press("#add", "Enter")
        else:
            page.click("#add")
        # The second time, it is switched off.
        assert interactions(page) == [ADDED]


def test_press_of_the_right_button(show, interactions):
    """The control's tile is selected, but not the control itself."""
    page = show(ACTED_ON_PRESS.replace("<div", '<div role="radio" aria-checked="true"'))
    page.click("#add", button="right")
    assert interactions(page) == []


def test_action_that_changes_on_press(show, interactions):
    """The control becomes the one that takes the product out again."""
    page = show(
        ACTED_ON_PRESS.replace("TYPE", "pointerdown").replace(
            "AFTER", "add.dataset.nlAction = 'favorite'"
        )
    )
    page.click("#add")
    assert interactions(page) == [ADDED]


@pytest.mark.every_engine
def test_control_that_is_removed_on_press(show, interactions):
    """Firefox sends the click to what is around it."""
    page = show(
        ACTED_ON_PRESS.replace("TYPE", "pointerdown").replace("AFTER", "add.outerHTML = 'Added'")
    )
    page.click("#add")
    assert interactions(page) == [ADDED]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_action_on_a_key_that_the_page_prevents(show, interactions, key):
    page = show(
        ACTED_ON_PRESS.replace("TYPE", "keydown").replace("AFTER", "event.preventDefault()")
    )
    page.press("#add", key)
    assert interactions(page) == [ADDED]


def test_action_on_press_that_is_confirmed(show, interactions):
    page = show(
        ACTED_ON_PRESS.replace("TYPE", "mousedown")
        .replace("AFTER", "add.parentElement.textContent = 'Added'")
        .replace("<div", "<div data-nl-confirm")
    )
    page.click("#add")
    assert interactions(page) == []
    page.evaluate("neuralens('confirm', 'ADD_TO_CART', 'A')")
    assert interactions(page) == [ADDED]


def test_press_that_is_released_elsewhere(show, interactions):
    page = show(
        ACTED_ON_PRESS.replace("TYPE", "pointerdown").replace("AFTER", "add.disabled = true")
    )
    page.mouse.move(*center(page, "#add"))
    page.mouse.down()
    page.mouse.move(400, 300, steps=5)
    page.mouse.up()
    assert interactions(page) == []


def test_press_that_enables_its_control(show, interactions):
    """It moves the focus, so that a field tells its new value."""
    page = show(
        ACTED_ON_PRESS.replace("TYPE", "never").replace(
            "aria-pressed", "aria-disabled='true' title"
        )
        + """<input id="size">
        <script>size.addEventListener("change", () => { add.ariaDisabled = "false"; });</script>"""
    )
    page.type("#size", "M")
    page.mouse.click(*center(page, "#add"))
    assert interactions(page) == [ADDED]


def test_key_after_a_drag_without_a_click(show, interactions):
    """The browser itself drags a picture: no click comes, and the next act is one."""
    page = show(
        SEARCH.format(
            """<div data-nl-list="a"><p data-nl-product="A"><a href="#a">
            <img draggable="true" style="width: 90px; height: 90px; background: red"></a></p></div>
            <div style="height: 200px"></div>"""
        )
    )
    page.mouse.move(50, 50)
    page.mouse.down()
    page.mouse.move(80, 120, steps=4)
    page.mouse.move(100, 200, steps=4)
    page.mouse.up()
    assert interactions(page) == []
    page.focus("a")
    page.keyboard.press("Enter")
    assert interactions(page) == [CLICKED]


def test_small_movement_is_a_click(show, interactions):
    page = show(CAROUSEL)
    page.mouse.move(100, 100)
    page.mouse.down()
    page.mouse.move(104, 102)
    page.mouse.up()
    assert interactions(page) == [CLICKED]


def test_double_click_is_one_event(show, interactions):
    page = show(
        SEARCH.format('<div data-nl-list="a"><p data-nl-product="A"><a href="#a">A</a></p></div>')
    )
    page.dblclick("a")
    assert interactions(page) == [("CLICK_PRODUCT", "A", 0, "chair")]


# A widget that chooses the pressed option, and empties its list or keeps it.
PRESS = """
<input id="box" type="search" role="combobox" aria-controls="list">
<ul id="list" role="listbox" data-nl-list="suggestions">
<li role="option" data-nl-suggestion="oak chair">oak chair</li>
<li role="option" data-nl-suggestion="oak table">oak table</li></ul>
<script>
list.addEventListener("TYPE", (event) => {
    event.preventDefault();
    box.value = event.target.textContent;
    AFTER;
});
</script>
"""

RENDERED_AGAIN = "list.innerHTML += '';"


@pytest.mark.one_case
@pytest.mark.parametrize("way", ["mouse", "touch"])
@pytest.mark.parametrize("after", ["list.innerHTML = ''", "list.hidden = true", ""])
@pytest.mark.parametrize("kind", ["pointerdown", "mousedown", "mouseup"])
def test_chosen_on_press(show, interactions, chromium, shop, kind, after, way):
    with chromium.new_context(base_url=shop.url, has_touch=way == "touch") as profile:
        page = show(PRESS.replace("TYPE", kind).replace("AFTER", after), tab=profile.new_page())
        page.type("#box", "oa")
        option = page.locator("[role=option]").nth(1)
        if way == "mouse":
            box = option.bounding_box()
            page.mouse.click(box["x"] + 5, box["y"] + 5)
        else:
            option.tap()
        page.wait_for_function("() => document.querySelector('#box').value === 'oak table'")
        assert interactions(page) == [("CLICK_SUGGESTION", "oak table", 1, "oa")]


@pytest.mark.parametrize("kind", ["mousedown", "mouseup"])
def test_chosen_on_press_by_a_widget_for_several_values(show, interactions, kind):
    """It empties the box and offers all options again, the chosen one among them."""
    page = show(PRESS.replace("TYPE", kind).replace("AFTER", "box.value = '';" + RENDERED_AGAIN))
    page.type("#box", "oa")
    page.mouse.click(*center(page, "[role=option]"))
    assert interactions(page) == [("CLICK_SUGGESTION", "oak chair", 0, "oa")]


def test_chosen_soon_after_another_press(show, interactions):
    """The time that a widget has after the first press does not end the second one."""
    page = show(PRESS.replace("TYPE", "mouseup").replace("AFTER", "list.innerHTML = ''"))
    page.type("#box", "oa")
    # By then the tracker knows the list.
    assert interactions(page) == []
    pause_clock(page)
    page.mouse.click(*center(page, "#box"))
    page.clock.run_for(300)
    page.mouse.move(*center(page, "[role=option]"))
    page.mouse.down()
    page.clock.run_for(100)
    page.mouse.up()
    page.clock.resume()
    assert interactions(page) == [("CLICK_SUGGESTION", "oak chair", 0, "oa")]


def test_chosen_on_press_by_a_widget_that_takes_the_focus(show, interactions):
    """The combobox around the box has the focus then, and the box is empty."""
    widget = PRESS.replace('role="combobox" aria-controls="list"', "")
    after = "box.value = ''; list.innerHTML = ''; box.parentElement.focus()"
    page = show(
        '<div role="combobox" tabindex="0" aria-controls="list">'
        + widget.replace("TYPE", "mousedown").replace("AFTER", after)
        + "</div>"
    )
    page.type("#box", "oa")
    page.mouse.click(*center(page, "[role=option]"))
    assert interactions(page) == [("CLICK_SUGGESTION", "oak chair", 0, "oa")]


def test_press_during_which_a_list_is_rendered_again(show, interactions):
    page = show(
        PRESS.replace("TYPE", "mouseup")
        .replace("box.value", "box.title")
        .replace("AFTER", RENDERED_AGAIN)
    )
    page.type("#box", "oa")
    page.mouse.click(*center(page, "[role=option]"))
    assert interactions(page) == []


def test_chosen_on_press_with_navigation(show, put, ledger):
    """The press itself navigates to another page."""
    put("<p>found</p>", "/found")
    page = show(PRESS.replace("TYPE", "mousedown").replace("AFTER", "location.assign('/found')"))
    page.type("#box", "oa")
    page.locator("[role=option]").first.dispatch_event("pointerdown", {"button": 0})
    page.locator("[role=option]").first.dispatch_event("mousedown", {"button": 0})
    page.wait_for_url("**/found")
    page.wait_for_function("() => window.neuralens && neuralens.version")
    assert summarize(ledger.wait_for_all(page), *ACTS) == [
        ("CLICK_SUGGESTION", "oak chair", 0, "oa")
    ]


def test_press_that_shows_the_product(show, ledger):
    """A router that navigates on press shows the product's page before the pointer is released."""
    page = show(
        SEARCH.format('<div data-nl-list="l"><p data-nl-product="A"><a href="/a">A</a></p></div>')
        + """<script>
        addEventListener("mousedown", (event) => {
            history.pushState(null, "", "/a");
            document.querySelector("main").outerHTML = '<h1 data-nl-landing="A">A</h1>';
        });
        </script>"""
    )
    seen = ("VIEW_PRODUCT", "A", 0, "chair")
    assert summarize(ledger.wait_for_all(page)) == [seen]
    page.mouse.move(*center(page, "a"))
    page.mouse.down()
    landed = ("LAND_PRODUCT_PAGE", "A", 0, "chair")
    assert summarize(ledger.wait_for_all(page)) == [seen, CLICKED, landed]
    page.mouse.up()
    run_timers(page, DECIDED_MS)
    assert len(ledger.wait_for_all(page)) == 3


def test_press_that_closes_the_list(show, interactions):
    """The box loses focus, so the list is removed before a click: nothing was chosen."""
    page = show(
        PRESS.replace("TYPE", "never").replace("AFTER", "")
        + "<script>box.addEventListener('blur', () => { list.hidden = true; })</script>"
    )
    page.type("#box", "oa")
    page.mouse.click(*center(page, "[role=option]"))
    assert interactions(page) == []


def center(page, selector):
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_press_that_scrolls_the_list(show, interactions):
    page = show(PRESS.replace("TYPE", "never").replace("AFTER", ""))
    page.type("#box", "oa")
    page.mouse.move(*center(page, "[role=option]"))
    page.mouse.down()
    page.mouse.move(400, 300, steps=5)
    page.mouse.up()
    assert interactions(page) == []


ACTIVE = """
<input id="box" type="search" role="combobox" aria-controls="list" aria-activedescendant="one">
<ul id="list" role="listbox" data-nl-list="s" STYLE>
<li id="one" role="option" data-nl-suggestion="oak chair">oak chair</li></ul>
"""
COMPOSE = """([isComposing, keyCode]) => {
    box.dispatchEvent(new KeyboardEvent("keydown", {
        key: "Enter", isComposing, keyCode, bubbles: true, composed: true }));
}"""


def test_enter_that_ends_a_composition(show, interactions):
    page = show(ACTIVE.replace("STYLE", ""))
    page.type("#box", "oa")
    page.evaluate(COMPOSE, [True, 13])
    page.evaluate(COMPOSE, [False, 229])
    assert interactions(page) == []
    page.press("#box", "Enter")
    assert interactions(page) == [("CLICK_SUGGESTION", "oak chair", 0, "oa")]


@pytest.mark.parametrize(
    "hidden",
    [
        "hidden",
        'style="display: none"',
        'style="visibility: hidden"',
        'style="opacity: 0"',
        'style="max-height: 0; overflow: hidden"',
        'style="position: absolute; left: -9999px"',
        'style="clip-path: inset(50%)"',
    ],
)
def test_option_of_a_hidden_list(show, interactions, hidden):
    page = show(ACTIVE.replace("STYLE", hidden))
    page.type("#box", "free text")
    page.press("#box", "Enter")
    assert interactions(page) == []


# ArrowDown activates an option; Tab chooses it or restores the typed text, depending on the widget.
TAB = """
<input id="box" type="search" role="combobox" aria-controls="list" aria-expanded="true">
<button>Next</button>
<ul id="list" role="listbox" data-nl-list="s">
<li id="one" role="option" data-nl-suggestion="oak chair">oak chair</li></ul>
<script>
let typed = "";
box.addEventListener("input", () => { typed = box.value; });
box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
        one.setAttribute("aria-selected", "true");
        box.setAttribute("aria-activedescendant", "one");
        if ("WRITES") box.value = "oak chair";
    } else if (event.key === "Tab") {
        TAKE;
        list.hidden = true;
    }
});
</script>
"""


@pytest.mark.parametrize(
    ("writes", "take", "chosen"),
    [
        ("", "box.value = 'oak chair'", True),
        ("", "setTimeout(() => { box.value = 'oak chair'; })", True),
        ("", "", False),
        ("", "box.value = ''", False),
        ("yes", "box.value = typed", False),
        ("", "box.value = ''; event.preventDefault()", True),
        ("", "event.preventDefault(); return", False),
    ],
    ids=["takes", "takes later", "does not", "clears", "puts back", "takes elsewhere", "moves"],
)
def test_tab_that_chooses_an_option(show, interactions, writes, take, chosen):
    page = show(TAB.replace("WRITES", writes).replace("TAKE", take))
    page.type("#box", "oa")
    page.press("#box", "ArrowDown")
    page.press("#box", "Tab")
    assert interactions(page) == [("CLICK_SUGGESTION", "oak chair", 0, "oa")] * chosen


BUSY = SEARCH.format(
    """<section data-nl-list="one"><div data-nl-product="A">
    <button id="aria" aria-disabled="true" data-nl-action="add-to-cart">Add</button>
    <button id="busy" aria-busy="true" data-nl-action="add-to-cart">Add</button>
    <a id="link" href="#" aria-disabled="true" data-nl-action="favorite"><b>Keep</b></a>
    <span data-nl-action="share"><button id="inner" aria-disabled="true">Share</button></span>
    <fieldset aria-disabled="true"><span id="held" data-nl-action="share">Share</span></fieldset>
    <button id="off" disabled data-nl-action="add-to-cart"><b>Add</b></button></div></section>"""
)


def test_busy_control(show, interactions):
    page = show(BUSY)
    for target in ("#aria", "#busy", "#link b", "#inner", "#held"):
        page.click(target, force=True)
    page.mouse.click(*center(page, "#off b"))
    page.focus("#aria")
    page.keyboard.press("Enter")
    assert interactions(page) == []


def test_busy_list(show, interactions):
    """A list that loads more, or a frame that awaits the response to another control in it."""
    page = show(BUSY.replace("<section", '<section aria-busy="true"').replace('"aria"', '"free"'))
    page.click("#busy")
    page.evaluate("document.querySelector('#free').removeAttribute('aria-disabled')")
    page.click("#free")
    assert interactions(page) == [("ADD_TO_CART", "A", 0, "chair")]


def test_form_in_a_busy_list(show, interactions):
    page = show(
        SEARCH.format(
            """<section data-nl-list="one" aria-busy="true"><div data-nl-product="A">
            <form data-nl-action="add-to-cart"><button id="add">Add</button></form></div>
            <div data-nl-product="B" aria-busy="true">
            <form data-nl-action="add-to-cart"><button id="busy">Add</button></form></div></section>
            <script>addEventListener("submit", (event) => event.preventDefault());</script>"""
        )
    )
    page.click("#busy")
    page.click("#add")
    assert interactions(page) == [("ADD_TO_CART", "A", 0, "chair")]


def test_busy_form(show, interactions):
    page = show(
        SEARCH.format(
            """<div data-nl-list="one"><form data-nl-product="A" data-nl-action="add-to-cart">
            <button id="add">Add</button></form></div>
            <script>
            document.querySelector("form").addEventListener("submit", (event) => {
                event.preventDefault();
                if (add.getAttribute("aria-disabled") === "true") return;
                add.setAttribute("aria-disabled", "true");
            });
            </script>"""
        )
    )
    for _ in range(3):
        page.click("#add", force=True)
    assert interactions(page) == [("ADD_TO_CART", "A", 0, "chair")]


CONFIRM = SEARCH.format(
    """<section data-nl-list="one"><div data-nl-product="A">
    <button data-nl-action="add-to-cart" data-nl-confirm="{}">Add</button></div></section>"""
)


@pytest.mark.parametrize(
    "word",
    [
        "neuralens('confirm', 'ADD_TO_CART', 'A')",
        "neuralens('track', 'ADD_TO_CART', { id: 'A' })",
    ],
)
def test_action_that_is_confirmed(show, interactions, word):
    page = show(CONFIRM.format(""))
    page.click("button")
    assert interactions(page) == []
    page.evaluate(word)
    assert interactions(page) == [ADDED]
    page.evaluate("neuralens('confirm', 'ADD_TO_CART', 'A')")
    assert interactions(page) == [ADDED]


def test_two_actions_that_are_confirmed_together(show, interactions):
    page = show(CONFIRM.format(""))
    for _ in range(2):
        page.click("button")
    # In one task, because a call some seconds later would be another action.
    page.evaluate(
        """() => {
            for (const time of [1, 2]) neuralens("confirm", "ADD_TO_CART", "A");
            neuralens("track", "ADD_TO_CART", { id: "A" });
        }"""
    )
    assert interactions(page) == [ADDED] * 2


def test_action_that_is_never_confirmed(show, interactions):
    page = show(CONFIRM.format("50"))
    page.click("button")
    assert interactions(page) == []
    page.evaluate("neuralens('confirm', 'ADD_TO_CART', 'A')")
    assert interactions(page) == []


def test_confirmation_of_another_action(show, interactions):
    page = show(CONFIRM.format(""))
    page.click("button")
    page.evaluate("neuralens('confirm', 'ADD_TO_CART', 'B')")
    page.evaluate("neuralens('confirm', 'FAVORITE', 'A')")
    assert interactions(page) == []


BUTTON = SEARCH.format(
    """<section data-nl-list="one"><div data-nl-product="A">
    <button data-nl-action="add-to-cart">Add</button></div></section>
    <script>document.querySelector("button").addEventListener("TYPE", () => {
        setTimeout(() => neuralens("track", "ADD_TO_CART", { id: "A" }), DELAY); });</script>"""
)


@pytest.mark.parametrize("delay", ["0", "300"])
def test_action_that_the_shop_tracks_too(show, interactions, delay):
    page = show(BUTTON.replace("TYPE", "click").replace("DELAY", delay))
    page.click("button")
    assert interactions(page) == [ADDED]


def test_action_that_the_shop_tracks_before_the_click(show, interactions):
    """The call is the event, and has no context; the click adds none."""
    page = show(BUTTON.replace("TYPE", "mousedown").replace("DELAY", "0"))
    page.hover("button")
    page.mouse.down()
    page.evaluate("new Promise((resolve) => setTimeout(resolve))")
    page.mouse.up()
    assert interactions(page) == [("ADD_TO_CART", "A", None, None)]


def test_two_interactions_are_two_events(show, interactions):
    page = show(BUTTON.replace("TYPE", "click").replace("DELAY", "100"))
    for _ in range(2):
        page.click("button")
        interactions(page)
    assert interactions(page) == [ADDED] * 2


def test_each_call_counts(show, interactions):
    """Calls are not deduplicated: a repetition may be a second interaction."""
    page = show("")
    page.evaluate("for (const time of [1, 2]) neuralens('track', 'FAVORITE', { id: 'A' })")
    assert interactions(page) == [("FAVORITE", "A", None, None)] * 2
