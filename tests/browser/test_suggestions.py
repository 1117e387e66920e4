"""Suggestions are seen when their list is unchanged for a time; they are chosen by mouse or key."""

import pytest

from tests.browser.clock import DISCOVERY_MS

pytestmark = pytest.mark.every_engine
# A search box by the ARIA authoring practices. It shows the list of a test, activates options by
# arrow keys and chooses one by Enter; some widgets write the active option into the box.
WIDGET = """
<script>
window.render = (texts) => {
    const list = document.querySelector("#list");
    list.replaceChildren(...texts.map((text, index) => {
        const option = document.createElement("li");
        option.id = "option-" + index;
        option.setAttribute("role", "option");
        if (!list.hasAttribute("data-bare")) option.dataset.nlSuggestion = text;
        option.innerHTML = "<b>" + text.split(" ")[0] + "</b>" + text.slice(text.indexOf(" "));
        return option;
    }));
    list.hidden = texts.length === 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
};
window.chosen = [];
addEventListener("DOMContentLoaded", () => {
    let active = -1;
    box.addEventListener("keydown", (event) => {
        const options = document.querySelectorAll("[role=option]");
        if (event.key === "ArrowDown") active += 1;
        else if (event.key === "Enter" && active >= 0) chosen.push(options[active].textContent);
        else return;
        event.preventDefault();
        box.setAttribute("aria-activedescendant", options[active].id);
        if (box.dataset.completes) box.value = options[active].textContent;
    });
});
</script>
"""
BOX = '<input id="box" type="search" role="combobox" aria-controls="list" aria-expanded="false">'
LIST = '<ul id="list" role="listbox" data-nl-list="suggestions" hidden></ul>'
COMBOBOX = WIDGET + BOX + LIST
TEXTS = ["oak chair", "oak table"]


@pytest.fixture
def expected(uid):
    """Return the expected events of this shopper on suggestions, with ranks in order."""

    def expected(event, texts, query=None, page="AUTOCOMPLETE"):
        return [
            {"uid": uid, "items": [{"id": text}], "event": event, "page": page, "index": index}
            | ({} if query is None else {"query": query})
            for index, text in enumerate(texts)
        ]

    return expected


@pytest.fixture
def events(ledger):
    """Return the events of a page, without timestamps."""

    def events(page):
        return [
            {name: value for name, value in event.items() if name != "timestamp"}
            for event in ledger.wait_for_all(page)
        ]

    return events


@pytest.fixture
def show(show):
    """Show a page that records the suggestions that were seen, for ``see``."""

    def show_and_list(source, **settings):
        page = show(source, **settings)
        page.evaluate(
            """() => {
                window.seen = [];
                neuralens("on", "event", (event) => {
                    if (event.event === "VIEW_SUGGESTION") seen.push(event);
                });
            }"""
        )
        return page

    return show_and_list


def see(page, count=2):
    """Wait until ``count`` suggestions were seen on this page."""
    page.wait_for_function("(count) => seen.length >= count", arg=count)


def test_typed_seen_and_clicked(show, events, expected):
    page = show(COMBOBOX)
    page.type("#box", "oa")
    page.evaluate("render", TEXTS)
    see(page)
    page.click("#option-1 b")
    clicked = expected("CLICK_SUGGESTION", TEXTS, "oa")[1]
    assert events(page) == [*expected("VIEW_SUGGESTION", TEXTS, "oa"), clicked]
    assert page.console_messages == []


@pytest.mark.one_case
@pytest.mark.parametrize("completes", ["", "true"])
def test_chosen_by_keyboard(show, events, expected, completes):
    """The query is the typed text, even if the widget writes the suggestion into the box."""
    page = show(COMBOBOX)
    page.evaluate("(completes) => { box.dataset.completes = completes; }", completes)
    page.type("#box", "oa")
    page.evaluate("render", TEXTS)
    see(page)
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.press("#box", key)
    assert page.evaluate("chosen") == ["oak table"]
    assert page.input_value("#box") == ("oak table" if completes else "oa")
    clicked = expected("CLICK_SUGGESTION", TEXTS, "oa")[1]
    assert events(page) == [*expected("VIEW_SUGGESTION", TEXTS, "oa"), clicked]


def test_keyboard_choice_with_a_click_by_the_widget_counts_once(show, events, expected):
    page = show(COMBOBOX)
    page.evaluate(
        """() => box.addEventListener("keydown", (event) => {
            if (event.key === "Enter") document.querySelector("#option-0").click();
        })"""
    )
    page.type("#box", "oa")
    page.evaluate("render", TEXTS)
    see(page)
    page.press("#box", "ArrowDown")
    page.press("#box", "Enter")
    clicked = expected("CLICK_SUGGESTION", TEXTS, "oa")[0]
    assert events(page) == [*expected("VIEW_SUGGESTION", TEXTS, "oa"), clicked]


def test_enter_without_a_suggestion(show, events):
    page = show(COMBOBOX)
    page.type("#box", "oa")
    page.press("#box", "Enter")
    assert events(page) == []


@pytest.mark.chromium_alone
@pytest.mark.parametrize(("setting", "time"), [(None, 400), (40, 40)])
def test_time_until_a_list_is_seen(stop_clock, setting, time):
    clock = stop_clock(COMBOBOX, suggestion_ms=setting)
    clock.page.evaluate("render", TEXTS)
    assert clock.run_for(time - 1) == []
    assert clock.run_for(DISCOVERY_MS) == TEXTS


@pytest.mark.chromium_alone
def test_list_that_changes_too_early(stop_clock):
    clock = stop_clock(COMBOBOX, suggestion_ms=400)
    for turn in range(5):
        clock.page.evaluate("render", [f"{text} {turn}" for text in TEXTS])
        assert clock.run_for(399) == []
    assert clock.run_for(DISCOVERY_MS) == [f"{text} 4" for text in TEXTS]


def test_option_that_changes_its_text(show, events, expected):
    """Some frameworks reuse elements and change their content."""
    page = show(
        COMBOBOX.replace("<ul", "<ul data-bare").replace("<input", "<input data-nl-suggestions")
    )
    page.evaluate("render", ["oak chair"])
    see(page, 1)
    page.evaluate("document.querySelector('#option-0 b').firstChild.data = 'ash'")
    see(page, 2)
    assert events(page) == expected("VIEW_SUGGESTION", ["oak chair"]) + expected(
        "VIEW_SUGGESTION", ["ash chair"]
    )


def test_once_for_the_same_query(show, events, expected):
    """Showing or rendering it again is not a new view; a different query is."""
    page = show(COMBOBOX)
    page.type("#box", "oa")
    page.evaluate("render", TEXTS)
    see(page)
    page.evaluate("render", [])
    first = events(page)
    assert first == expected("VIEW_SUGGESTION", TEXTS, "oa")
    page.evaluate("render", TEXTS)
    assert events(page) == first
    page.evaluate("document.querySelector('#list').hidden = true")
    assert events(page) == first
    page.evaluate("document.querySelector('#list').hidden = false")
    assert events(page) == first
    page.type("#box", "k")
    page.evaluate("render", TEXTS)
    see(page, 4)
    assert events(page) == first + expected("VIEW_SUGGESTION", TEXTS, "oak")


STATIC = """
<input id="box" type="search">
<ul id="list" data-nl-list="popular" HIDDEN>
  <li data-nl-suggestion="lamp">lamp</li>
  <li data-nl-ignore data-nl-suggestion="ad">an advertisement</li>
  <li data-nl-suggestion="rug" data-nl-index="7">rug</li>
</ul>
"""


@pytest.mark.parametrize(
    ("hidden", "reveal"),
    [
        ("", "0"),
        ("hidden", "list.hidden = false"),
        ('style="display: none"', "list.style.display = ''; box.focus()"),
        ('style="visibility: hidden"', "list.style.visibility = ''; box.click()"),
    ],
    ids=["shown", "attribute", "display", "visibility"],
)
def test_list_in_the_markup(show, events, uid, hidden, reveal):
    page = show(STATIC.replace("HIDDEN", hidden))
    if hidden:
        assert events(page) == []
    page.evaluate(f"() => {{ const list = document.querySelector('#list'); {reveal}; }}")
    common = {"uid": uid, "event": "VIEW_SUGGESTION", "page": "AUTOCOMPLETE"}
    assert events(page) == [
        common | {"items": [{"id": "lamp"}], "index": 0},
        common | {"items": [{"id": "rug"}], "index": 7},
    ]


def test_links_that_wrap(show, events):
    """The center of the box around both lines of one is in another."""
    page = show(
        """<p data-nl-list="popular" style="font: 20px monospace; width: 14ch">
        <a data-nl-suggestion="oak chair">oak chair</a>,
        <a data-nl-suggestion="oak table">oak table</a></p>"""
    )
    assert [event["items"][0]["id"] for event in events(page)] == ["oak chair", "oak table"]


def test_page_from_the_markup(show, events, expected):
    markup = COMBOBOX.replace("<ul", '<ul data-nl-page="CATEGORY_PAGE" data-nl-query="given"')
    page = show(markup, page="SEARCH_RESULT_PAGE")
    page.evaluate("render", TEXTS)
    see(page)
    assert events(page) == expected("VIEW_SUGGESTION", TEXTS, "given", "CATEGORY_PAGE")


def test_page_of_the_tag_does_not_apply_to_suggestions(show, events, expected):
    page = show(COMBOBOX, page="SEARCH_RESULT_PAGE")
    page.evaluate("render", TEXTS)
    see(page)
    assert events(page) == expected("VIEW_SUGGESTION", TEXTS)


BARE = LIST.replace("<ul", "<ul data-bare")


@pytest.mark.one_case
@pytest.mark.parametrize(
    "markup",
    [
        "<div data-nl-suggestions>" + BOX.replace("aria-controls", "title") + BARE + "</div>",
        BOX.replace("<input", "<input data-nl-suggestions") + BARE,
        BOX.replace("aria-controls", "data-nl-suggestions aria-owns") + BARE,
        f"<div data-nl-suggestions role='none'>{BOX}</div>{BARE}",
        BOX.replace('aria-controls="list"', 'data-nl-suggestions aria-controls="hint list"') + BARE,
    ],
    ids=["held", "controlled", "owned", "controlled from inside", "one of several"],
)
def test_widget_with_unchanged_markup(show, events, expected, markup):
    page = show(WIDGET + markup)
    page.type("#box", "oa")
    page.evaluate("render", TEXTS)
    before = page.evaluate("document.body.outerHTML")
    see(page)
    assert page.evaluate("document.body.outerHTML") == before
    page.press("#box", "ArrowDown")
    page.press("#box", "Enter")
    page.click("#option-1")
    assert events(page) == [
        *expected("VIEW_SUGGESTION", TEXTS, "oa"),
        *expected("CLICK_SUGGESTION", TEXTS, "oa"),
    ]


def test_undeclared_listbox(show, events):
    page = show(WIDGET + BOX + BARE + "<div data-nl-suggestions></div>")
    page.type("#box", "oa")
    page.evaluate("render", TEXTS)
    page.click("#option-1")
    assert events(page) == []


def test_position_from_aria(show, events, expected):
    """A virtualized list gives the ranks by aria-posinset, from 1."""
    page = show(
        """<div data-nl-suggestions><input role="combobox"><ul role="listbox">
        <li role="option" aria-posinset="8"> oak
          <em>chair</em> </li>
        <li role="option" aria-posinset="9">oak table</li></ul></div>"""
    )
    assert [(event["items"][0]["id"], event["index"]) for event in events(page)] == [
        ("oak chair", 7),
        ("oak table", 8),
    ]


def test_products_in_the_listbox(show, events, uid):
    page = show(
        """<div data-nl-suggestions data-nl-page="AUTOCOMPLETE">
        <input id="box" role="combobox"><ul role="listbox" data-nl-list="found" hidden>
        <li role="option">oak chair</li>
        <li id="product" role="option" data-nl-product="P">A product</li>
        <li role="option">oak table</li></ul></div>"""
    )
    page.type("#box", "oa")
    page.evaluate("document.querySelector('ul').hidden = false")
    page.click("#product")
    found = sorted(events(page), key=lambda event: (event["event"], event["index"]))
    suggestion = {"uid": uid, "event": "VIEW_SUGGESTION", "page": "AUTOCOMPLETE", "query": "oa"}
    product = {"uid": uid, "items": [{"id": "P"}], "page": "AUTOCOMPLETE", "index": 0}
    assert found == [
        product | {"event": "CLICK_PRODUCT"},
        product | {"event": "VIEW_PRODUCT"},
        suggestion | {"items": [{"id": "oak chair"}], "index": 0},
        suggestion | {"items": [{"id": "oak table"}], "index": 1},
    ]


def test_password_is_never_read(show, ledger):
    page = show(COMBOBOX + '<form><input id="secret" type="password"></form>')
    page.type("#box", "oa")
    page.type("#secret", "opensesame")
    page.evaluate("render", TEXTS)
    see(page)
    page.click("#option-0")
    events = ledger.wait_for_all(page)
    assert [event["event"] for event in events] == ["VIEW_SUGGESTION"] * 2 + ["CLICK_SUGGESTION"]
    assert "opensesame" not in repr(events)
    assert "opensesame" not in page.evaluate("JSON.stringify(localStorage)")


def test_suggestion_without_a_value(show, events, expected):
    page = show(COMBOBOX)
    page.evaluate("render", ["", *TEXTS])
    see(page)
    assert events(page) == expected("VIEW_SUGGESTION", TEXTS)
    assert len(page.console_messages) == 1
    assert page.console_messages[0].startswith("neuralens: data-nl-suggestion must be text: <li ")
