"""A shop's hooks in Python on each runtime: compiled, translated, or as source."""

import re
from pathlib import Path

import pytest
from neuralens_build import brython, hooks, javascript, pyscript, sources

HOOKS = '''"""Hooks of a shop."""

from typing import Any

from neuralens_tracker import before, geo, on, track
from neuralens_tracker.vocabulary import SHARE, VIEW_PRODUCT

counts: dict[str, int] = {"delivered": 0}


def id_of(event: dict[str, Any]) -> Any:
    """Return the id of an event's item."""
    return event["items"][0]["id"]


def change(event: dict[str, Any]) -> Any:
    """Drop one product, change another, leave a third."""
    if id_of(event) == "dropped":
        return None
    elif id_of(event) == "changed":
        event["query"] = "changed"
    return event


def fail(event: dict[str, Any]) -> dict[str, Any]:
    """Raise for one product, when it was changed already."""
    if id_of(event) == "failing":
        event["query"] = "lost"
        raise ValueError("out of order")
    return event


def answer(event: dict[str, Any]) -> None:
    """Share what was seen."""
    if event["event"] == VIEW_PRODUCT and id_of(event) == "shared":
        track(SHARE, {"id": "shared"})


def count(batch: dict[str, Any]) -> None:
    """Count what was delivered, in the place of the next events."""
    counts["delivered"] = counts["delivered"] + len(batch["events"])
    geo({"region": "delivered " + str(counts["delivered"])})


geo({"region": "none yet"})
before(change)
before(fail)
before(lambda event: event)
on("event", answer)
on("delivered", count)
'''
FAILING = HOOKS.splitlines().index('        raise ValueError("out of order")') + 1
# Only the bundles, not the beacons, because routes block on the test.
SCRIPTS = re.compile(r"/nl/(?!events)")
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}
TILES = "".join(
    f'<article data-nl-product="{name}">{name}</article>'
    for name in ("plain", "dropped", "changed", "failing", "shared")
)


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Return the files of a runtime's bundle with hooks."""
    built = {}

    def build(runtime, source):
        if (runtime, source) not in built:
            path = tmp_path_factory.mktemp("shop") / "shop_hooks.py"
            path.write_text(source)
            read = hooks.read(path)
            own = {read.name: read.source}
            if runtime == "javascript":
                files = {"neuralens.js": javascript.build_bundle("neuralens.js", read).script}
            elif runtime == "brython":
                text = brython.build({**sources.read("brython"), **own}, "1", read.name)
                files = {"neuralens.brython.js": text.encode()}
            else:
                files = pyscript.build({**sources.read("micropython"), **own}, "1", read.name)
            built[runtime, source] = files
        return built[runtime, source]

    return build


@pytest.fixture
def show_with(build, context, show, runtime):
    """Show a page with a bundle that includes the hooks."""

    def show_with(source, body, **settings):
        files = build(runtime, source)

        def answer(route):
            name = route.request.url.partition("/nl/")[2].partition("?")[0]
            if name not in files:
                return route.continue_()
            return route.fulfill(body=files[name], content_type=TYPES[Path(name).suffix])

        context.route(SCRIPTS, answer)
        return show(body, integrity=False, **settings)

    return show_with


def test_hooks_change_drop_and_track(show_with, ledger):
    page = show_with(HOOKS, TILES)
    events = [event for event in ledger.wait_for_all(page) if event.id != "none"]
    seen = {event.id: event for event in events if event.name == "VIEW_PRODUCT"}
    assert sorted(seen) == ["changed", "failing", "plain", "shared"]
    assert seen["changed"]["query"] == "changed"
    assert seen["failing"].get("query") is None
    assert seen["plain"]["geo"] == {"region": "none yet"}
    assert [event.id for event in events if event.name == "SHARE"] == ["shared"]


def test_a_raising_hook_is_reported_once_with_its_line(show_with, ledger):
    page = show_with(HOOKS, TILES)
    page.evaluate("neuralens('track', 'SHARE', { id: 'failing' })")
    events = ledger.wait_for_all(page)
    assert sorted(event.name for event in events if event.id == "failing") == [
        "SHARE",
        "VIEW_PRODUCT",
    ]
    assert [line for line in page.console_messages if "hook" in line] == [
        f"neuralens: a hook raised ValueError: out of order (shop_hooks.py, line {FAILING})"
    ]


def test_hooks_precede_the_calls_of_the_page(show_with, ledger):
    calls = "<script>" + "".join(
        f"neuralens('track', 'SHARE', {{ id: '{name}' }});" for name in ("dropped", "changed")
    )
    page = show_with(HOOKS, calls + "</script>", stub=True)
    events = ledger.wait_for_all(page)
    assert [(event.id, event["query"]) for event in events] == [("changed", "changed")]


def test_listeners_keep_state(show_with, ledger):
    page = show_with(HOOKS, TILES)
    first = len(ledger.wait_for_all(page))
    # The page learns of a delivery later than the sandbox, and empties its journal then.
    page.wait_for_function(
        "() => !Object.keys(localStorage).some((name) => name.startsWith('nl:e:'))"
    )
    page.evaluate("neuralens('track', 'SHARE', { id: 'last' })")
    last = ledger.wait_for_all(page)[-1]
    # The control tiles of the ledger are delivered, too.
    assert last["geo"]["region"].startswith("delivered ")
    assert int(last["geo"]["region"].split()[1]) > first


STOPPING = '''from neuralens_tracker import before


def fail() -> None:
    """Raise at the import."""
    raise ValueError("no luck")


before(fail())
'''


def test_hooks_that_fail_at_import_do_not_affect_the_tracker(show_with, ledger):
    page = show_with(STOPPING, TILES)
    assert len(ledger.wait_for_all(page)) == 5
    assert [line for line in page.console_messages if "stopped" in line] == [
        "neuralens: shop_hooks.py stopped: ValueError: no luck (shop_hooks.py, line 6)"
    ]


# The same file for engines without typing, with a marker at its end.
PLAIN = HOOKS.replace("from typing import Any\n\n", "").replace("Any", "object")
PLAIN += 'track(SHARE, {"id": "ready"})\n'
PYSCRIPT = """<script type="module" src="/nl/pyscript/core.js"></script>
<script type="mpy" config="/nl/pyscript/pyscript.json" src="/shop_hooks.py"></script>"""
BRYTHON = """<script src="/brython.js"></script><script src="/modules.js"></script>
<script type="text/python" src="/shop_hooks.py"></script>"""


@pytest.mark.parametrize("runtime", ["javascript"])
@pytest.mark.parametrize(
    ("loading", "file"),
    # PyScript does not pass the file name of a script to MicroPython.
    [(PYSCRIPT, "<stdin>"), (BRYTHON, "shop_hooks.py")],
    ids=["pyscript", "brython"],
)
def test_the_same_file_in_a_pages_own_python(show, shop, ledger, loading, file):
    shop.put("/shop_hooks.py", PLAIN)
    shop.put("/brython.js", brython.read_runtime())
    shop.put("/modules.js", brython.build_source(sources.read("brython")))
    page = show(loading, stub=True)
    ledger.wait_for(1)
    page.evaluate(
        "for (const id of ['dropped', 'changed', 'failing']) neuralens('track', 'SHARE', { id })"
    )
    events = [(event.id, event.get("query")) for event in ledger.wait_for_all(page)]
    assert events == [("ready", None), ("changed", "changed"), ("failing", None)]
    assert [line for line in page.console_messages if "hook" in line] == [
        f"neuralens: a hook raised ValueError: out of order ({file}, line {FAILING - 2})"
    ]
