"""Suggestions of ARIA comboboxes, and the typed query."""

import pytest

from tests.browser.page import DECIDED_MS, run_timers
from tests.browser.summaries import summarize
from tests.polling import eventually

BOX = '<input id="box" type="search" role="combobox" aria-controls="list" data-nl-suggestions>'


@pytest.fixture
def captured(ledger):
    """Return summaries of the views and clicks of suggestions."""
    return lambda page: summarize(ledger.wait_for_all(page), "VIEW_SUGGESTION", "CLICK")


HIDDEN_TEXT = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip: rect(0 0 0 0)"


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<span style="text-transform: uppercase">oak chair</span>', "oak chair"),
        (f'oak chair<span style="{HIDDEN_TEXT}"> in Tables</span>', "oak chair"),
        ('oak chair<span style="display: none"> in Tables</span>', "oak chair"),
        ('oak chair<i aria-hidden="true">→</i>', "oak chair"),
        ("<svg width='9' height='9'><title>Lens</title></svg> oak chair", "oak chair"),
        ("<div>oak chair</div><div>12 found</div>", "oak chair 12 found"),
        ("<b>oa</b>k chair", "oak chair"),
        ("<mark style='display: contents'>oak</mark>\n  chair", "oak chair"),
    ],
)
def test_text_is_that_of_the_markup(show, captured, markup, text):
    page = show(f'{BOX}<ul id="list" role="listbox"><li role="option">{markup}</li></ul>')
    assert captured(page) == [("VIEW_SUGGESTION", text, 0, None)]
    page.click("[role=option]")
    assert captured(page)[1:] == [("CLICK_SUGGESTION", text, 0, None)]


WRITES = """
<input id="box" type="search" role="combobox" aria-controls="list">
<ul id="list" role="listbox" data-nl-list="s" hidden>
<li role="option" data-nl-suggestion="chaise">chaise</li>
<li role="option" data-nl-suggestion="chair">chair</li></ul><button>Elsewhere</button>
<script>
box.addEventListener("focus", () => { list.hidden = false; });
box.addEventListener("input", () => { list.hidden = false; });
box.addEventListener("blur", () => { list.hidden = true; });
list.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
    box.value = event.target.textContent;
    SAY;
    list.hidden = true;
});
</script>
"""

COUNT_VIEWS = """() => {
    window.seen = 0;
    window.queries = [];
    neuralens("on", "event", (event) => {
        if (event.event === "VIEW_SUGGESTION" && event.query) {
            seen += 1;
            queries.push(event.query);
        }
    });
}"""


@pytest.mark.parametrize(
    "say",
    [
        "",
        "box.dispatchEvent(new Event('input', { bubbles: true }))",
        "box.setAttribute('value', box.value)",
    ],
)
def test_text_written_by_a_widget_is_not_typed(show, captured, say):
    page = show(WRITES.replace("SAY", say))
    page.evaluate(COUNT_VIEWS)
    page.fill("#box", "cha")
    page.wait_for_function("() => seen >= 2")
    page.click("text=chaise")
    first = captured(page)
    # Whether the list was open for long enough before the text depends on the machine.
    assert [each for each in first if each[3]] == [
        ("VIEW_SUGGESTION", "chaise", 0, "cha"),
        ("VIEW_SUGGESTION", "chair", 1, "cha"),
        ("CLICK_SUGGESTION", "chaise", 0, "cha"),
    ]
    page.click("button")
    page.focus("#box")
    assert captured(page) == first


def test_initial_text_is_the_query(show, captured):
    page = show(WRITES.replace("SAY", "").replace('id="box"', 'id="box" value="cha"'))
    page.focus("#box")
    page.click("text=chaise")
    assert captured(page)[-1] == ("CLICK_SUGGESTION", "chaise", 0, "cha")


CLEARED = """
<input id="box" type="search" role="combobox" aria-controls="list"><button>Clear</button>
<ul id="list" role="listbox" data-nl-list="s"></ul>
<script>
const draw = (text) => {
    list.innerHTML = `<li role="option" data-nl-suggestion="${text}">${text}</li>`;
};
const empty = () => { box.value = ""; };
box.addEventListener("input", () => draw("oak chair"));
document.querySelector("button").addEventListener("click", () => { empty(); draw("lamp"); });
list.addEventListener("mousedown", empty);
</script>
"""


@pytest.fixture
def typed(show):
    """A page with a box that is emptied, after a suggestion for what was typed was seen."""
    page = show(CLEARED)
    page.evaluate(COUNT_VIEWS)
    page.type("#box", "o")
    page.wait_for_function("() => seen >= 1")
    return page


def test_box_that_a_button_empties(typed, captured):
    """What is shown then, such as the history, is no answer to what was typed before."""
    typed.click("button")
    captured(typed)
    typed.click("[role=option]")
    assert captured(typed) == [
        ("VIEW_SUGGESTION", "oak chair", 0, "o"),
        ("VIEW_SUGGESTION", "lamp", 0, None),
        ("CLICK_SUGGESTION", "lamp", 0, None),
    ]


def test_box_that_a_choice_empties(typed, captured):
    typed.click("[role=option]")
    assert ("CLICK_SUGGESTION", "oak chair", 0, "o") in captured(typed)


def test_box_that_a_held_press_empties(typed, captured):
    """The click has what was typed, also when suggestions for the empty box are seen before it."""
    typed.hover("[role=option]")
    typed.mouse.down()
    typed.evaluate(
        """() => {
            neuralens("on", "event", (event) => { window.last = event; });
            const lamp = "<li role=option data-nl-suggestion=lamp>lamp</li>";
            list.insertAdjacentHTML("beforeend", lamp);
        }"""
    )
    typed.wait_for_function("() => window.last?.items[0].id === 'lamp'")
    typed.mouse.up()
    events = captured(typed)
    assert ("VIEW_SUGGESTION", "lamp", 1, None) in events
    assert events[-1] == ("CLICK_SUGGESTION", "oak chair", 0, "o")


def test_unfinished_composition_is_not_the_query(show, captured):
    page = show(WRITES.replace("SAY", ""))
    page.evaluate(
        """() => {
            box.focus();
            const write = (value, isComposing) => {
                box.value = value;
                const event = new InputEvent("input", { bubbles: true, isComposing });
                box.dispatchEvent(event);
            };
            box.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
            write("ㅇ", true);
        }"""
    )
    assert "ㅇ" not in {query for _, _, _, query in captured(page)}


def test_finished_composition_is_the_query(show, context, captured):
    page = show(WRITES.replace("SAY", ""))
    page.evaluate(COUNT_VIEWS)
    page.focus("#box")
    session = context.new_cdp_session(page)
    for text in ("い", "いす"):
        session.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )
    captured(page)
    session.send("Input.insertText", {"text": "椅子"})
    page.wait_for_function("() => queries.includes('椅子')")
    queries = {query for _, _, _, query in captured(page)}
    assert "椅子" in queries
    assert not queries & {"い", "いす"}


@pytest.mark.one_case
@pytest.mark.parametrize(
    "box",
    [
        '<input id="other" type="text" autocomplete="street-address">',
        '<input id="other">',
        '<input id="other" type="email">',
        '<textarea id="other"></textarea>',
        '<p id="other" contenteditable>.</p>',
        '<input id="other" type="password" role="combobox">',
        '<div aria-haspopup="listbox"><input id="other"></div>',
        '<input id="other" role="combobox" aria-controls="streets"><ul id="streets" role="listbox">'
        '<li role="option">12 Baker Street</li></ul>',
    ],
)
def test_other_inputs_are_not_read(show, captured, box):
    page = show(
        box + '<ul data-nl-list="popular" data-nl-query="popular">'
        '<li data-nl-suggestion="lamp">lamp</li></ul>'
    )
    page.click("#other")
    page.type("#other", "12 Baker Street")
    eventually(lambda: captured(page))
    page.click("text=lamp")
    assert captured(page) == [
        ("VIEW_SUGGESTION", "lamp", 0, "popular"),
        ("CLICK_SUGGESTION", "lamp", 0, "popular"),
    ]
    assert "Baker" not in page.evaluate("JSON.stringify({ ...localStorage })")


@pytest.mark.one_case
@pytest.mark.parametrize(
    "box",
    [
        '<input id="box" type="search">',
        '<input id="box" type="text" role="searchbox">',
        '<input id="box" role="combobox">',
        '<input id="box" type="text" aria-controls="list">',
        '<input id="box" aria-owns="list">',
        '<div role="combobox" aria-owns="list"><input id="box"></div>',
        '<div data-nl-suggestions><input id="box"></div>',
        '<input id="box" data-nl-suggestions>',
        '<textarea id="box" role="combobox"></textarea>',
        '<div id="box" role="combobox" contenteditable style="height: 20px"></div>',
    ],
)
def test_search_boxes_are_read(show, captured, box):
    page = show(
        f'{box}<ul id="list" role="listbox" data-nl-list="s">'
        '<li role="option" data-nl-suggestion="oak chair">oak chair</li></ul>',
        suggestion_ms=3000,
    )
    page.click("#box")
    page.keyboard.type("oa")
    page.click("[role=option]")
    assert captured(page) == [("CLICK_SUGGESTION", "oak chair", 0, "oa")]


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("opacity: 0", "opacity: 1"),
        ("max-height: 0; overflow: hidden", ""),
        ("visibility: hidden", ""),
        ("transform: scale(0)", ""),
        ("position: absolute; left: -9999px", ""),
        ("clip-path: inset(50%)", ""),
        ("position: fixed; top: 2000px", "position: fixed; top: 20px"),
    ],
)
def test_invisible_list(show, captured, style, shown):
    page = show(
        f'<input id="box" type="search"><ul id="list" role="listbox" style="{style}">'
        '<li data-nl-suggestion="lamp">lamp</li></ul>'
    )
    page.type("#box", "la")
    assert captured(page) == []
    page.evaluate("(style) => { list.style = style; }", shown)
    assert captured(page) == [("VIEW_SUGGESTION", "lamp", 0, "la")]


OPTION = '<li id="one" role="option">oak chair</li><li id="two" role="option">oak table</li>'
FORMS = {
    "inside": '<div data-nl-suggestions><input id="box" role="combobox">'
    f'<ul role="listbox">{OPTION}</ul></div>',
    "ARIA 1.0": '<input id="box" role="combobox" aria-owns="list" data-nl-suggestions>'
    f'<ul id="list" role="listbox">{OPTION}</ul>',
    "ARIA 1.1": '<div role="combobox" aria-owns="list" data-nl-suggestions>'
    '<input id="box" aria-controls="list"></div>'
    f'<ul id="list" role="listbox">{OPTION}</ul>',
    "wrapper in a portal": '<div data-nl-suggestions><input id="box" aria-controls="panel"></div>'
    f'<section id="panel"><ul role="listbox">{OPTION}</ul></section>',
    "groups": f'{BOX}<div id="list" role="listbox"><ul role="group" aria-label="Chairs">'
    '<li id="one" role="option">oak chair</li></ul><ul role="group"><li id="two" role="option">'
    "oak table</li></ul></div>",
    "in a shadow tree": '<div data-nl-suggestions><template shadowrootmode="open"><style>ul'
    ' { margin: 0 }</style><input id="box" type="search" aria-controls="list">'
    f'<ul id="list" role="listbox">{OPTION}</ul></template></div>',
    "slotted into a shadow tree": '<div data-nl-suggestions><input id="box" role="combobox"><div>'
    '<template shadowrootmode="open"><div role="listbox"><slot></slot></div></template>'
    f"{OPTION}</div></div>",
    "slotted into a slot": '<div data-nl-suggestions><input id="box" role="combobox"><div>'
    '<template shadowrootmode="open"><div><template shadowrootmode="open"><div role="listbox">'
    f"<slot></slot></div></template><slot></slot></div></template>{OPTION}</div></div>",
    "controlled elements": f'<input id="box" type="search" data-nl-suggestions>'
    f'<ul role="listbox">{OPTION}</ul>'
    "<script>box.ariaControlsElements = [document.querySelector('ul')];</script>",
    "cyclic": '<div id="a" aria-owns="b"><div id="b" aria-owns="a" data-nl-suggestions>'
    f'<input id="box" role="combobox"></div><ul role="listbox">{OPTION}</ul></div>',
}


@pytest.mark.one_case
@pytest.mark.parametrize("form", list(FORMS))
def test_variants_of_the_pattern(show, captured, form):
    page = show(FORMS[form].replace('aria-owns="b"', 'aria-owns="b a list"'))
    if form == "cyclic":
        page.evaluate(
            "document.querySelector('ul').id = 'list'; b.setAttribute('aria-owns', 'a list')"
        )
    page.type("#box", "oa")
    captured(page)
    if "elements" in form:
        page.evaluate("box.ariaActiveDescendantElement = two")
    else:
        page.locator("#box").evaluate("(box) => box.setAttribute('aria-activedescendant', 'two')")
    page.press("#box", "Enter")
    page.click("#one")
    told_once = [event for event in captured(page) if event[3] == "oa"]
    assert told_once == [
        ("VIEW_SUGGESTION", "oak chair", 0, "oa"),
        ("VIEW_SUGGESTION", "oak table", 1, "oa"),
        ("CLICK_SUGGESTION", "oak table", 1, "oa"),
        ("CLICK_SUGGESTION", "oak chair", 0, "oa"),
    ]


ITEM = '<div id="{0}" role="{1}" style="padding: 9px"><b data-nl-suggestion="oak {0}">{0}</b></div>'


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("popup", "part"), [("listbox", "option"), ("grid", "row"), ("grid", "gridcell")]
)
def test_widget_with_a_template_for_items(show, captured, popup, part):
    """What a shop can write is inside what the widget marks, such as a row."""
    page = show(
        f'''<input id="box" type="search" role="combobox" aria-controls="list">
        <div id="list" role="{popup}" data-nl-list="s">'''
        + ITEM.format("chair", part)
        + ITEM.format("table", part)
        + "</div>"
    )
    page.type("#box", "oa")
    captured(page)
    page.evaluate("box.setAttribute('aria-activedescendant', 'table')")
    page.press("#box", "Enter")
    expected = [("CLICK_SUGGESTION", "oak table", 1, "oa")]
    if part == "option":
        page.click("#chair", position={"x": 3, "y": 3})
        expected.append(("CLICK_SUGGESTION", "oak chair", 0, "oa"))
    assert [event for event in captured(page) if event[0].startswith("CLICK")] == expected


def test_slotted_option_whose_text_changes(show, captured):
    page = show(
        '<div data-nl-suggestions><input id="box" role="combobox"><div>'
        '<template shadowrootmode="open"><div role="listbox"><slot></slot></div></template>'
        f"{OPTION}</div></div>"
    )
    captured(page)
    page.evaluate("two.firstChild.data = 'oak desk'")
    assert captured(page)[2:] == [("VIEW_SUGGESTION", "oak desk", 1, None)]


def test_roving_focus(show, captured):
    page = show(
        f'{BOX}<ul id="list" role="listbox">{OPTION.replace("role", "tabindex=-1 role")}</ul>'
    )
    page.type("#box", "oa")
    page.focus("#two")
    page.keyboard.press("Enter")
    assert ("CLICK_SUGGESTION", "oak table", 1, "oa") in captured(page)


def test_focus_in_the_list(show, captured):
    """The list itself has the focus, and the active option is only known to the widget."""
    page = show(
        f"""{BOX}<div id="list" role="listbox" tabindex="-1">{OPTION}</div><script>
        box.addEventListener("keydown", () => list.focus());
        list.addEventListener("keydown", () => {{ box.value = two.textContent; }});
        </script>"""
    )
    page.fill("#box", "oa")
    page.press("#box", "ArrowDown")
    page.keyboard.press("Enter")
    run_timers(page, DECIDED_MS)
    assert captured(page)[-1] == ("CLICK_SUGGESTION", "oak table", 1, "oa")


# The widget chooses by Enter, shows the choice elsewhere, and removes its list.
CHOOSES = """<script>
box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    TAKE
    list.remove();
});
</script>"""


def test_active_descendant_of_the_combobox_around_the_box(show, captured):
    page = show(
        f"""<div role="combobox" aria-owns="list" aria-activedescendant="two" data-nl-suggestions>
        <input id="box" type="text"><ul id="list" role="listbox">{OPTION}</ul></div>"""
        + CHOOSES.replace("TAKE", "box.value = '';")
    )
    page.type("#box", "oa")
    page.press("#box", "Enter")
    run_timers(page, DECIDED_MS)
    assert captured(page)[-1] == ("CLICK_SUGGESTION", "oak table", 1, "oa")


@pytest.mark.parametrize(
    ("selected", "take", "is_chosen"),
    [
        (["two"], "box.value = ''; event.preventDefault();", True),
        (["two"], "box.remove(); event.preventDefault();", True),
        (["two"], "box.value = '';", False),
        (["two"], "event.preventDefault();", False),
        (["one", "two"], "box.value = ''; event.preventDefault();", False),
    ],
    ids=["emptied", "removed", "not handled", "free text", "several values"],
)
def test_selected_option_that_is_not_named_as_active(show, captured, selected, take, is_chosen):
    """The widget selects an option while the shopper types, or has had it selected before."""
    page = show(f'{BOX}<ul id="list" role="listbox">{OPTION}</ul>{CHOOSES.replace("TAKE", take)}')
    for name in selected:
        page.evaluate(f"{name}.ariaSelected = 'true'")
    page.type("#box", "oa")
    page.press("#box", "Enter")
    run_timers(page, DECIDED_MS)
    chosen = [event for event in captured(page) if event[0].startswith("CLICK")]
    assert chosen == [("CLICK_SUGGESTION", "oak table", 1, "oa")] * is_chosen


def test_enter_elsewhere_after_a_choice(show, captured):
    """The box still has the text that was chosen before."""
    page = show(f'{BOX}<ul id="list" role="listbox">{OPTION}</ul><p tabindex="0" id="p">Next</p>')
    page.fill("#box", "oa")
    page.evaluate("box.value = two.textContent")
    page.press("#p", "Enter")
    run_timers(page, DECIDED_MS)
    assert [event for event in captured(page) if event[0].startswith("CLICK")] == []


def test_disabled_option(show, captured):
    page = show(
        f'{BOX}<ul id="list" role="listbox">'
        '<li id="one" role="option" aria-disabled="true">sold out</li></ul>',
        suggestion_ms=3000,
    )
    page.evaluate("document.querySelector('#box').setAttribute('aria-activedescendant', 'one')")
    page.press("#box", "Enter")
    page.click("#one", force=True)
    assert captured(page) == []


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_option_that_stands_for_one_without_a_role(show, captured, key):
    """Virtual lists repeat their rows as hidden options, for assistive technology alone."""
    page = show(
        """<input id="box" type="search" role="combobox" aria-controls="list"><div data-nl-list="s">
        <div id="list" role="listbox" style="width: 0; height: 0; overflow: hidden">
        <div role="option" id="o1">oak table</div><div role="option"></div></div>
        <p data-nl-suggestion="oak chair">oak chair</p>
        <p data-nl-suggestion="oak table">oak table</p></div>
        <script>box.addEventListener("keydown", (event) => {
            if (event.key === "Tab") box.value = "oak table";
        });</script>"""
    )
    views = [("VIEW_SUGGESTION", "oak chair", 0, "oa"), ("VIEW_SUGGESTION", "oak table", 1, "oa")]
    page.locator("#box").press_sequentially("oa")
    assert captured(page)[-2:] == views
    page.evaluate("box.setAttribute('aria-activedescendant', 'o1')")
    page.press("#box", key)
    run_timers(page, DECIDED_MS)
    assert captured(page)[-1] == ("CLICK_SUGGESTION", "oak table", 1, "oa")


def test_option_without_a_text(show, captured):
    """An option that is still loading is no suggestion, and no mistake in the markup."""
    page = show(
        f"""{BOX}<ul id="list" role="listbox"><li role="option"><i></i></li>
        <li role="option">oak chair</li></ul>"""
    )
    assert captured(page) == [("VIEW_SUGGESTION", "oak chair", 0, None)]
    page.evaluate("document.querySelector('i').textContent = 'oak armchair'")
    page.evaluate("box.focus()")
    assert captured(page)[1:] == [("VIEW_SUGGESTION", "oak armchair", 0, None)]
    assert page.console_messages == []


@pytest.mark.one_case
@pytest.mark.parametrize("key", ["ArrowDown", "Enter"])
def test_widget_without_aria_that_writes_the_active_item(show, captured, key):
    """The active item is not marked up, but its text is in the box without having been typed."""
    page = show(
        """<input id="box" type="search"><ul id="list" data-nl-list="s">
        <li data-nl-suggestion="oak chair">oak chair</li>
        <li data-nl-suggestion="oak table">oak table</li></ul>
        <script>
        let index = -1;
        box.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown") index += 1;
            if (event.key === "KEY" && index >= 0) box.value = list.children[index].textContent;
            if (event.key === "Enter") list.innerHTML = "";
        });
        </script>""".replace("KEY", key)
    )
    page.type("#box", "oa")
    html = page.inner_html("#list")
    page.press("#box", "Enter")
    page.evaluate("(html) => { list.innerHTML = html; }", html)
    page.press("#box", "ArrowDown")
    page.press("#box", "ArrowDown")
    page.press("#box", "Enter")
    # The tracker waits for what the widget fills in.
    run_timers(page, DECIDED_MS)
    assert [event for event in captured(page) if event[0].startswith("CLICK")] == [
        ("CLICK_SUGGESTION", "oak table", 1, "oa")
    ]


def test_listbox_of_five_thousand(show, captured):
    options = "".join(f'<li role="option">option {index}</li>' for index in range(5000))
    page = show(
        f'{BOX}<ul id="list" role="listbox" style="height: 100px; overflow: auto; margin: 0">'
        f"{options}</ul>"
    )
    page.type("#box", "o")
    eventually(lambda: captured(page))
    assert len(captured(page)) < 30
    page.locator("[role=option]").nth(4000).click()
    assert ("CLICK_SUGGESTION", "option 4000", 4000, "o") in captured(page)
    assert page.console_messages == []


def test_duplicate_element_ids(show, captured):
    page = show(f'<ul id="list" hidden></ul>{BOX}<ul id="list" role="listbox">{OPTION}</ul>')
    page.type("#box", "oa")
    page.click("#two")
    assert page.console_messages == []


def test_option_that_is_removed_in_its_handler(show, captured):
    page = show(
        f'{BOX}<ul id="list" role="listbox">{OPTION}</ul>'
        "<script>addEventListener('click', (event) => event.target.remove(), true)</script>"
    )
    page.type("#box", "oa")
    captured(page)
    page.click("#two")
    assert ("CLICK_SUGGESTION", "oak table", 1, "oa") in captured(page)
    assert page.console_messages == []
