"""Well-known autocomplete widgets from npm, unmodified: views, queries and choices."""

import pytest

from tests.browser.bundling import bundle
from tests.browser.clock import pause_clock
from tests.browser.page import run_timers
from tests.browser.summaries import summarize

# Each widget, and the number of ArrowDown presses to the second suggestion.
WIDGETS = {
    "accessible_autocomplete": 2,
    "algolia": 2,
    "algolia_template": 2,
    "autocomplete_js": 2,
    "awesomplete": 2,
    "combobox_nav": 2,
    "downshift": 2,
    "headlessui": 1,
    "jquery_ui": 2,
    "mui": 2,
    "react_aria": 2,
    "select2": 1,
    "tom_select": 1,
    "typeahead": 2,
}
SEEN = [
    ("VIEW_SUGGESTION", f"oak {what}", n, "oa") for n, what in enumerate(["chair", "table", "desk"])
]
CHOSEN = ("CLICK_SUGGESTION", "oak table", 1, "oa")
OPTION = "[role=option]:visible, [data-nl-suggestion]:visible"


@pytest.fixture
def open_list(show_timed):
    """Show a page with a widget, type into its box, and wait until its list was seen."""

    def open_list(widget):
        script = f"<script>{bundle(f'widgets/{widget}.js')}</script>"
        page = show_timed(script)
        page.evaluate(
            """() => {
                window.seen = 0;
                neuralens("on", "event", ({ event }) => { seen += event === "VIEW_SUGGESTION"; });
            }"""
        )
        if widget == "select2":
            page.locator(".select2-selection").press("Enter")
        page.locator("input:visible:not([readonly])").last.click()
        # Otherwise, on a busy machine, the list after the first letter could be seen.
        pause_clock(page)
        page.keyboard.type("oa")
        page.clock.resume()
        page.locator(OPTION, has_text="oak table").first.wait_for()
        page.wait_for_function("() => seen >= 3")
        return page

    return open_list


@pytest.mark.one_case
@pytest.mark.parametrize("widget", list(WIDGETS))
def test_by_mouse(open_list, ledger, widget):
    page = open_list(widget)
    page.locator(OPTION, has_text="oak table").first.click()
    ledger.wait_for_all(page)
    page.mouse.click(900, 700)
    assert summarize(ledger.wait_for_all(page)) == [*SEEN, CHOSEN]


@pytest.mark.one_case
@pytest.mark.parametrize("widget", list(WIDGETS))
def test_by_keyboard(open_list, ledger, widget):
    page = open_list(widget)
    for _ in range(WIDGETS[widget]):
        page.keyboard.press("ArrowDown")
        run_timers(page, 50)
    page.keyboard.press("Enter")
    assert summarize(ledger.wait_for_all(page)) == [*SEEN, CHOSEN]
