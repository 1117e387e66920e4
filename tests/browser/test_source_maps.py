"""Source maps: breakpoints by Python file and line, and the Python lines of what a hook raises.

Set over the Chrome DevTools Protocol, as a browser's developer tools do:
https://chromedevtools.github.io/devtools-protocol/tot/Debugger/.
"""

import ast
import re

import pytest
from neuralens_build import hooks, javascript
from neuralens_embed import bundles

from tests.browser.source_map import SourceMap
from tests.polling import eventually

SCRIPT = "neuralens.js"
# The most possible breakpoints that V8 returns at a time.
MOST_PLACES = 1000
ADDRESS = rf"/nl/{re.escape(SCRIPT)}"
PAGE = """
<div data-nl-list="results" data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak">
  <article data-nl-product="A">
    <a href="#a">A</a><button data-nl-action="favorite">Favorite</button>
  </article>
  <article data-nl-product="B">B</article>
</div>
<form data-nl-suggestions role="search">
  <input type="search"><ul role="listbox"><li role="option">oak chair</li></ul>
</form>
"""
# Its events: views of two products and a suggestion, then two clicks and a call.
EVENTS = (
    *("VIEW_PRODUCT", "VIEW_PRODUCT", "VIEW_SUGGESTION"),
    *("CLICK_PRODUCT", "FAVORITE", "SHARE"),
)
# Functions that the page runs, with a breakpoint on the first line of each; at least one per module
# with behavior.
STOPS = [
    ("main.py", "start"),
    ("main.py", "track_item"),
    ("settings.py", "resolve"),
    ("commands.py", "run"),
    ("hooks.py", "change"),
    ("identity.py", "make_uuid"),
    ("events.py", "find_fault"),
    ("outbox.py", "add"),
    ("outbox.py", "pop_batch"),
    ("delivery.py", "_send"),
    ("capture/items.py", "read"),
    ("capture/items.py", "context"),
    ("capture/clicks.py", "_activate"),
    ("capture/views.py", "_on_intersections"),
    ("capture/views.py", "_sample"),
    ("capture/popups.py", "_capture"),
    ("capture/discovery.py", "start"),
    ("capture/discovery.py", "_dispatch"),
    ("web/storage.py", "write"),
    ("web/transport.py", "send"),
]

javascript_alone = pytest.mark.parametrize("runtime", ["javascript"])


def lines_of(text: str, name: str) -> list[int]:
    """Return the lines of a function's statements, including nested ones."""
    [function] = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return [statement.lineno for statement in function.body]


class Debugger:
    """A tab's debugger, which records the Python file and line of each stop, and resumes."""

    def __init__(self, tab, source_map: SourceMap) -> None:
        self.source_map = source_map
        self.scripts = {}
        self.stops = []
        self.thrown = []
        self._session = tab.context.new_cdp_session(tab)
        self._session.on("Debugger.scriptParsed", self._parsed)
        self._session.on("Debugger.paused", self._paused)
        self._session.send("Debugger.enable")

    def _parsed(self, script) -> None:
        if re.search(ADDRESS, script["url"]):
            self.scripts[script["scriptId"]] = script["sourceMapURL"]

    def _paused(self, event) -> None:
        frames = [
            self.source_map.origin(position["lineNumber"], position["columnNumber"])
            for position in (frame["location"] for frame in event["callFrames"])
            if position["scriptId"] in self.scripts
        ]
        if event["reason"] == "exception":
            # page/hooks.js rethrows it as a string.
            self.thrown.append((event["data"].get("description"), frames))
        elif frames:
            self.stops.append(frames[0])
        self._session.send("Debugger.resume")

    def positions(self) -> list[tuple[int, int]]:
        """Return the row and column of each possible breakpoint."""
        [script] = self.scripts
        positions: list[tuple[int, int]] = []
        row, column = 0, 0
        while True:
            start = {"scriptId": script, "lineNumber": row, "columnNumber": column}
            found = self._session.send("Debugger.getPossibleBreakpoints", {"start": start})
            positions += [
                (position["lineNumber"], position["columnNumber"])
                for position in found["locations"]
            ]
            if len(found["locations"]) < MOST_PLACES:
                return positions
            row, column = positions[-1][0], positions[-1][1] + 1

    def stop_in(self, file: str, function: str) -> tuple[str, int]:
        """Set a breakpoint on the first line of a function where V8 can stop, and return it.

        Lines without code of their own, or whose call was inlined, have no possible breakpoint.
        """
        positions = self.positions()
        origins = {self.source_map.origin(*position) for position in positions}
        lines = lines_of(self.source_map.sources[file], function)
        stop = next((file, line) for line in lines if (file, line) in origins)
        for row, column in positions:
            if self.source_map.origin(row, column) == stop:
                self._session.send(
                    "Debugger.setBreakpointByUrl",
                    {"urlRegex": ADDRESS, "lineNumber": row, "columnNumber": column},
                )
        return stop

    def stop_at_exceptions(self) -> None:
        """Stop at all exceptions, caught or not."""
        self._session.send("Debugger.setPauseOnExceptions", {"state": "all"})


@javascript_alone
def test_breakpoints_by_file_and_line_are_hit(show, ledger, context):
    source_map = SourceMap(bundles.read(f"{SCRIPT}.map"))
    tab = context.new_page()
    debugger = Debugger(tab, source_map)
    page = show(PAGE, tab=tab)
    wanted = {debugger.stop_in(f"neuralens_tracker/{file}", name) for file, name in STOPS}
    debugger.scripts.clear()
    already = len(ledger.wait_for_all(page))
    page.reload()
    # The tracker has started completely once there is an event of this page.
    eventually(lambda: len(ledger.entries()) > already, page=page)
    # In a task, because the page ignores clicks if it stops during an evaluation.
    page.evaluate("""setTimeout(() => {
        for (const name of ["a", "button"]) document.querySelector(name).click();
        neuralens("track", "SHARE", { id: "A" });
    })""")
    eventually(lambda: len(ledger.entries()) >= already + len(EVENTS), page=page)
    names = sorted(event.name for event in ledger.wait_for_all(page)[already:])
    assert names == sorted(EVENTS)
    assert len(wanted) == len(STOPS) == 20
    assert set(debugger.stops) == wanted


@javascript_alone
def test_maps_are_linked_only_if_enabled(show, context):
    debugger = Debugger(tab := context.new_page(), SourceMap(bundles.read(f"{SCRIPT}.map")))
    show(PAGE, tab=tab)
    assert list(debugger.scripts.values()) == [""]
    for name in ("neuralens.js", "neuralens.mjs", "neuralens.early.js", "neuralens.stub.js"):
        assert "sourceMappingURL" not in bundles.read(name)


FAILING = """from neuralens_tracker import before


def explode(event):
    raise ValueError("out of order: " + str(event["query"]))


def check(event):
    if event.get("query") == "oak":
        explode(event)
    return event


before(check)
"""


@javascript_alone
def test_an_exception_of_a_hook_has_its_python_lines(show, ledger, context, tmp_path):
    path = tmp_path / "shop_hooks.py"
    path.write_text(FAILING)
    bundle = javascript.build_bundle(SCRIPT, hooks.read(path))

    def answer(route):
        route.fulfill(
            body=bundle.script,
            content_type="text/javascript",
            headers={"SourceMap": f"{SCRIPT}.map"},
        )

    context.route(re.compile(ADDRESS), answer)
    source_map = SourceMap(bundle.source_map)
    assert source_map.sources["shop_hooks.py"] == FAILING
    debugger = Debugger(tab := context.new_page(), source_map)
    page = show("", tab=tab, integrity=False)
    assert list(debugger.scripts.values()) == [f"{SCRIPT}.map"]
    debugger.stop_at_exceptions()
    # In a task, because the debugger does not stop at exceptions in evaluations.
    page.evaluate("""setTimeout(() => {
        neuralens("track", "SHARE", { id: "A", page: "PRODUCT_PAGE", query: "oak" });
    })""")
    assert ledger.wait_for_all(page)[0].id == "A"
    description, frames = debugger.thrown[0]
    assert description.startswith("ValueError: out of order: oak")
    raising = '    raise ValueError("out of order: " + str(event["query"]))'
    assert frames[0] == ("shop_hooks.py", FAILING.splitlines().index(raising) + 1)
    # The stack of the error, position by position.
    (row, column) = re.findall(rf"{ADDRESS}\S*?:(\d+):(\d+)", description)[0]
    assert source_map.origin(int(row) - 1, int(column) - 1) == frames[0]


@javascript_alone
def test_a_pages_own_hook_that_throws_is_called_from_a_python_line(show, context):
    source_map = SourceMap(bundles.read(f"{SCRIPT}.map"))
    page = show("")
    stack = page.evaluate(
        """() => new Promise((resolve) => {
            neuralens("before", (event) => {
                const error = new Error("out of order");
                resolve(error.stack);
                throw error;
            });
            neuralens("track", "SHARE", { id: "A", page: "PRODUCT_PAGE" });
        })"""
    )
    positions = re.findall(rf"{ADDRESS}\S*?:(\d+):(\d+)", stack)
    files = [source_map.origin(int(row) - 1, int(column) - 1)[0] for row, column in positions]
    assert "neuralens_tracker/hooks.py" in files


def test_the_maps_contain_the_source_and_no_absolute_paths():
    for name in ("neuralens.js", "neuralens.mjs", "neuralens.early.js", "neuralens.stub.js"):
        source_map = SourceMap(bundles.read(f"{name}.map"))
        for file, text in source_map.sources.items():
            assert not file.startswith(("/", "..")), file
            if file.endswith(".py"):
                assert text == (javascript.SOURCE.parent / file).read_text("utf-8")
