"""MicroPython, with PyScript's core and alone: self-hosted, guarded, within its budgets."""

import json

import brotli
import pytest
from neuralens_build import pyscript, pyscript_edits, sources
from neuralens_build.distribution import FIRST_LOAD, LOAD_BUDGETS, MICROPYTHON
from neuralens_build.edits import Edit, EditError

from tests.browser.boundary.program import FINDINGS

WASM_ONLY = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; " + (
    "script-src 'self' 'wasm-unsafe-eval'"
)
WITH_EVAL = WASM_ONLY.replace("'wasm-unsafe-eval'", "'unsafe-eval'")
TAG = '<script async src="/neuralens.pyscript.js" data-app-id="APP"></script>'
TAG_ALONE = TAG.replace(" data-app", ' data-pyscript="alone" data-app')
# Keeps a reference to the memory of the page's WebAssembly instance.
WATCH_MEMORY = """
const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (...args) => {
    const result = await instantiateStreaming(...args);
    window.memory = Object.values(result.instance.exports)
        .find((value) => value instanceof WebAssembly.Memory);
    return result;
};
"""


@pytest.fixture(scope="module")
def files(program):
    return pyscript.build(program("micropython"), "1.2.3")


@pytest.fixture
def serve(site, files):
    """Serve the bundle and a page."""

    def serve(head, policy=None):
        for path, content in files.items():
            site.put(f"/{path}", content)
        site.put_page(head, policy)

    return serve


def heap(page):
    """Return the used size of the JavaScript heap after garbage collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"]


def test_alone_without_eval(site, serve, visit, findings, new_globals):
    serve(TAG_ALONE, WASM_ONLY)
    page = visit()
    found = findings(page)
    caught = found.pop("caught")
    assert found == FINDINGS
    assert ["constructor" in message for message in caught] == [True]
    assert site.requests == [
        "/",
        "/neuralens.pyscript.js",
        "/pyscript/micropython.mjs",
        "/pyscript/micropython.wasm",
        "/",
    ]
    assert new_globals(page) == ["found", "neuralens"]


def test_core_from_the_same_tag(site, serve, visit, findings, new_globals):
    serve(TAG, WITH_EVAL)
    page = visit()
    found = findings(page)
    del found["caught"]
    assert found == FINDINGS
    assert sorted(site.requests[2:-1])[0] == "/pyscript/core-C9KDLldu.js"
    assert set(site.requests) <= {"/", *(f"/{path}" for path in pyscript_files(site))}
    assert new_globals(page) == ["found", "neuralens"]
    assert page.locator("script-py").count() == 0


def pyscript_files(site):
    return [path.removeprefix("/") for path in site.files]


def test_core_forbidden_by_the_policy(site, serve, visit, findings):
    serve(TAG, WASM_ONLY)
    found = findings(visit())
    assert found["tag"] == "APP"
    assert "/pyscript/core.js" not in site.requests


def test_other_python_on_the_page(serve, visit, findings, until):
    serve(
        TAG.replace("async", "defer")
        + '<script type="mpy">from neuralens_tracker.main import note\nnote("mine", 7)</script>'
    )
    page = visit()
    findings(page)
    until(page, "found.mine === '7'")


def test_plain_tags_of_pyscript(site, serve, visit, findings):
    serve(
        '<script type="module" src="/pyscript/core.js"></script>'
        '<script type="mpy" config="/pyscript/pyscript.json" data-app-id="APP">\n'
        "from neuralens_tracker.main import start\n"
        "from pyscript import document\n"
        'start(document.querySelector("[data-app-id]"))\n'
        "</script>"
    )
    found = findings(visit())
    del found["caught"]
    assert found == FINDINGS
    assert set(site.requests) <= {"/", *(f"/{path}" for path in pyscript_files(site))}
    assert "/pyscript/neuralens_tracker/main.py" in site.requests


def test_events_reach_python_and_the_relay(site, serve, visit, findings, until):
    serve(TAG_ALONE, WASM_ONLY)
    page = visit()
    findings(page)
    page.click("[data-tile=one]")
    until(page, "'beacon' in found")
    assert json.loads(page.evaluate("found.clicked")) == "one"
    assert json.loads(page.evaluate("found.beacon")) is True
    assert site.wait_for_post() == {"clicked": "one", "é": 0.5}


def test_page_calls_python(serve, visit, findings):
    serve(TAG_ALONE, WASM_ONLY)
    page = visit()
    findings(page)
    page.evaluate("neuralens('note', 'é', 1, 2)")
    assert json.loads(page.evaluate("found.noted")) == ["é", 2]
    assert page.evaluate("neuralens('invoke', (text, number) => text + number)") == "a1"
    assert page.evaluate("neuralens('invoke', () => { throw Error('no') })") == "otherwise"
    page.evaluate("neuralens('note', 1715644800123)")
    assert json.loads(page.evaluate("found.noted")) == [1715644800123, 0]


def test_exception_in_python_is_reported_with_its_line(serve, visit, program, findings):
    serve(TAG_ALONE, WASM_ONLY)
    page = visit()
    findings(page)
    page.evaluate("neuralens('raise')")
    lines = program("micropython")["neuralens_tracker.main"].splitlines()
    raising = lines.index('        raise ValueError("out of order")') + 1
    trace = json.loads(page.evaluate("found.caught"))[-1].splitlines()
    assert trace[-2:] == [
        f'  File "neuralens_tracker/main.py", line {raising}, in break_down',
        "ValueError: out of order",
    ]


def test_throwing_calls_are_harmless_and_leak_nothing(serve, visit, findings, until):
    serve(f"<script>{WATCH_MEMORY}</script>" + TAG_ALONE)
    page = visit()
    findings(page)

    def throw_and_work():
        page.evaluate("neuralens('throw', 1000)")
        page.evaluate("neuralens('work', 300)")
        return page.evaluate("memory.buffer.byteLength"), heap(page)

    throw_and_work()
    program, objects = throw_and_work()
    for _ in range(5):
        program_now, objects_now = throw_and_work()
    # After 20,000 throwing calls: not a page of memory more, and less than 10 bytes per call.
    assert program_now == program
    assert objects_now - objects < 200_000
    assert len(json.loads(page.evaluate("found.caught"))) == 4
    page.click("[data-tile=one]")
    until(page, "found.clicked === '\"one\"'")


def test_blocked_storage(serve, visit, findings):
    serve(TAG_ALONE, "sandbox allow-scripts")
    found = findings(visit())
    assert any("localStorage" in message for message in found.pop("caught"))
    blocked = {"storage": False, "stored": None, "not stored": True, "answer": found["answer"]}
    assert found == FINDINGS | blocked


def test_loader_inside_its_folder(site, serve, visit, findings, files):
    serve(TAG_ALONE.replace('src="/', 'src="/pyscript/'), WASM_ONLY)
    site.put("/pyscript/neuralens.pyscript.js", files["neuralens.pyscript.js"])
    assert findings(visit())["tag"] == "APP"


def test_exception_at_the_start_stays_on_the_console(site, serve, visit, program):
    modules = program("micropython")
    modules["neuralens_tracker.main"] = "def start(tag):\n    None.missing\n"
    serve("")
    built = pyscript.build(modules, "1.2.3")
    site.put("/neuralens.pyscript.js", built["neuralens.pyscript.js"])
    page = visit()
    with page.expect_console_message() as messages:
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.dataset.pyscript = "alone";
                script.src = "/neuralens.pyscript.js";
                document.head.append(script);
            }"""
        )
    assert messages.value.type == "error"
    assert 'File "neuralens_tracker/main.py", line 2, in start' in messages.value.text


def test_builds_are_reproducible(program, files):
    assert pyscript.build(program("micropython"), "1.2.3") == files


def test_budgets():
    built = pyscript.build(sources.read("micropython"), "1.2.3")
    sizes = {path: len(brotli.compress(content)) for path, content in built.items()}
    alone = sum(
        sizes[path]
        for path in (
            "neuralens.pyscript.js",
            "pyscript/micropython.mjs",
            "pyscript/micropython.wasm",
        )
    )
    core = sum(size for path, size in sizes.items() if path.startswith("pyscript/core"))
    assert alone <= LOAD_BUDGETS[MICROPYTHON]
    assert alone + core <= LOAD_BUDGETS[FIRST_LOAD]


def test_plain_tags_name_every_module(files):
    configuration = json.loads(files["pyscript/pyscript.json"])
    assert {f"pyscript/{path.removeprefix('./')}" for path in configuration["files"]} == {
        path for path in files if path.endswith(".py")
    }


def test_another_version(program, monkeypatch):
    monkeypatch.setitem(pyscript.PACKAGES, "@pyscript/core", "0.0.1")
    wrong = r"core is 0\.7\.31, not 0\.0\.1: run npm install"
    with pytest.raises(pyscript.PyScriptError, match=wrong):
        pyscript.build(program("micropython"), "1.2.3")


@pytest.mark.parametrize("table", ["CORE", "MICROPYTHON"])
def test_edit_that_does_not_fit(program, monkeypatch, table):
    edits = (*getattr(pyscript, table), Edit("no such text", "", "", "a test"))
    monkeypatch.setattr(pyscript, table, edits)
    with pytest.raises(EditError, match="has 'no such text' 0 times, not once"):
        pyscript.build(program("micropython"), "1.2.3")


def test_new_global(program, monkeypatch):
    monkeypatch.setattr(pyscript, "GLOBALS", pyscript_edits.GLOBALS[1:])
    with pytest.raises(EditError, match=r"sets the globals proxy_js_ref: add them to GLOBALS"):
        pyscript.build(program("micropython"), "1.2.3")
