"""The Brython bundle: translated ahead of time, tree-shaken, one file, without side effects."""

import json

import brotli
import pytest
from neuralens_build import brython, brython_cuts, sources
from neuralens_build.edits import Edit, EditError

from tests.browser.boundary.program import FINDINGS

BUDGET = 160_000
STRICT = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'unsafe-inline'"
TAG = '<script async src="/neuralens.brython.js" data-app-id="APP"></script>'
# Side effects of Brython's own startup on a page.
TRACES = """() => ({
    observers: before.observers ?? 0,
    onload: document.body.onload,
    element: customElements.get("brython-options") ?? null,
    elements: document.querySelectorAll("*").length,
    patched: [RegExp, Set.prototype, Array.prototype, Function.prototype, Object.prototype,
              document, document.body].map((thing) => Reflect.ownKeys(thing).length),
})"""
COUNT_OBSERVERS = """
const Observer = MutationObserver;
window.MutationObserver = function (...args) {
    before.observers = (before.observers ?? 0) + 1;
    return new Observer(...args);
};
"""


def build(program, **changed):
    modules = program("brython") | {
        f"neuralens_tracker.{name}": text for name, text in changed.items()
    }
    return brython.build(modules, "1.2.3")


@pytest.fixture(scope="module")
def bundle(program):
    return build(program)


@pytest.fixture
def page(site, visit, bundle):
    site.put("/neuralens.brython.js", bundle)
    site.put_page(TAG, STRICT)
    return visit()


def test_adapter_under_a_strict_policy(page, findings):
    found = findings(page)
    caught = found.pop("caught")
    assert found == FINDINGS
    assert ["JSON" in caught[0], "constructor" in caught[1], len(caught)] == [True, True, 2]


def test_one_request_and_one_global(page, site, findings, new_globals):
    findings(page)
    page.wait_for_load_state("networkidle")
    # The program itself fetches the page again.
    assert site.requests == ["/", "/neuralens.brython.js", "/"]
    assert new_globals(page) == ["found", "neuralens"]


def test_page_is_unchanged(site, visit, bundle, findings):
    site.put_page("<script>" + COUNT_OBSERVERS + '</script><script src="/none.js"></script>')
    site.put("/none.js", "")
    page = visit()
    untouched = page.evaluate(TRACES)
    site.put("/neuralens.brython.js", bundle)
    site.put_page("<script>" + COUNT_OBSERVERS + "</script>" + TAG)
    page = visit()
    findings(page)
    assert page.evaluate(TRACES) == untouched


def test_brython_of_the_page_is_unaffected(site, visit, bundle, findings):
    site.put("/neuralens.brython.js", bundle)
    site.put_page("<script>window.__BRYTHON__ = {}; window.process = {}</script>" + TAG)
    page = visit()
    assert findings(page)["tag"] == "APP"
    assert page.evaluate("Object.keys(__BRYTHON__)") == []


def test_events_reach_python_and_the_relay(page, site, findings, until):
    findings(page)
    page.click("[data-tile=one]")
    until(page, "'beacon' in found")
    assert json.loads(page.evaluate("found.clicked")) == "one"
    assert json.loads(page.evaluate("found.beacon")) is True
    assert site.wait_for_post() == {"clicked": "one", "é": 0.5}


def test_page_calls_python(page, findings):
    findings(page)
    page.evaluate("neuralens('note', 'é', 1, 2)")
    assert json.loads(page.evaluate("found.noted")) == ["é", 2]
    assert page.evaluate("neuralens('invoke', (text, number) => text + number)") == "a1"
    assert page.evaluate("neuralens('invoke', () => { throw Error('no') })") == "otherwise"


def test_traceback_has_the_lines_of_the_source(page, program, findings):
    findings(page)
    page.evaluate("neuralens('raise')")
    lines = program("brython")["neuralens_tracker.main"].splitlines()
    raising = lines.index('        raise ValueError("out of order")') + 1
    calling = lines.index("    break_down(depth - 1)") + 1
    trace = json.loads(page.evaluate("found.caught"))[-1].splitlines()
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-3:] == [
        f'  File "neuralens_tracker/main.py", line {calling}, in break_down',
        f'  File "neuralens_tracker/main.py", line {raising}, in break_down',
        "ValueError: out of order",
    ]


def test_exception_at_the_start_stays_on_the_console(site, visit, program):
    site.put("/neuralens.brython.js", build(program, main="def start(tag):\n    tag.missing(1)\n"))
    site.put_page("")
    page = visit()
    with page.expect_console_message() as messages:
        page.add_script_tag(url="/neuralens.brython.js")
    assert messages.value.type == "error"
    assert 'File "neuralens_tracker/main.py", line 2, in start' in messages.value.text
    assert messages.value.text.splitlines()[-1].startswith("AttributeError: ")


def test_throwing_calls_are_reported_once(page, findings):
    findings(page)
    page.evaluate("neuralens('throw', 1000)")
    caught = json.loads(page.evaluate("found.caught"))
    assert len(caught) == len(set(caught)) == 5
    assert page.evaluate("neuralens('work', 1)") > 0


def test_blocked_storage(site, visit, bundle, findings):
    site.put("/neuralens.brython.js", bundle)
    site.put_page(TAG, "sandbox allow-scripts")
    found = findings(visit())
    assert any("localStorage" in message for message in found.pop("caught"))
    blocked = {"storage": False, "stored": None, "not stored": True, "answer": found["answer"]}
    assert found == FINDINGS | blocked


def test_source_with_the_complete_brython(site, visit, program, findings):
    site.put("/brython.js", brython.read_runtime())
    site.put("/modules.js", brython.build_source(program("brython")))
    site.put_page(
        '<script src="/brython.js"></script><script src="/modules.js"></script>'
        '<script type="text/python">from neuralens_tracker.main import start\n'
        "from browser import document\n"
        'start(document.select_one("[data-app-id]"))</script><i data-app-id="APP"></i>'
    )
    found = findings(visit())
    del found["caught"]
    assert found == FINDINGS


def test_builds_are_reproducible(program, bundle):
    assert build(program) == bundle


def test_budget():
    built = brython.build(sources.read("brython"), "1.2.3").encode()
    assert len(brotli.compress(built)) <= BUDGET


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def start(tag):\n    tag = bytes(3)\n", r"main needs _b_\.bytes, which .* leaves out"),
        ("def start(tag):\n    yield 1\n", r"main needs \$B\.generator, which .* leaves out"),
        ("def start(tag):\n    print(tag)\n", r"main needs _b_\.print, which .* leaves out"),
        ("def start(tag:\n    pass\n", r"was never closed"),
    ],
)
def test_module_that_needs_a_removed_part(program, text, sentence):
    with pytest.raises((brython.BrythonError, SyntaxError), match=sentence):
        build(program, main=text)


def test_another_version_of_brython(program, monkeypatch):
    monkeypatch.setattr(brython, "RUNTIME_SHA256", "0" * 64)
    with pytest.raises(brython.BrythonError, match=r"not that of .*pip install brython==3\.15\.0"):
        build(program)


def test_edit_that_does_not_fit(program, monkeypatch):
    edits = (*brython_cuts.EDITS, Edit("no such text", "", "", "a test"))
    monkeypatch.setattr(brython, "EDITS", edits)
    with pytest.raises(EditError, match=r"brython\.js 3\.15\.0 has 'no such text' 0 times"):
        build(program)


@pytest.mark.parametrize("table", ["SECTIONS", "SEVERED"])
def test_cut_of_an_unknown_definition(program, monkeypatch, table):
    monkeypatch.setitem(getattr(brython_cuts, table), "$B.no_such_name", "a test")
    with pytest.raises(brython.BrythonError, match=r"brython\.js has no \$B\.no_such_name"):
        build(program)


def test_cut_of_a_referenced_definition(program, monkeypatch):
    monkeypatch.delitem(brython_cuts.SEVERED, "$B.make_complex")
    with pytest.raises(brython.BrythonError, match=r"what remains .* refers to \$B\.make_complex"):
        build(program)
