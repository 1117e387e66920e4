"""On hostile or broken pages no event is lost unnecessarily, and the page is unaffected."""

import pytest

from tests.browser.ledger import CONTROL
from tests.browser.runtimes import skip_if_needed
from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "id", "index")

BODY = """
<main data-nl-list="a">
<button data-nl-product="A">Chair</button>
<form data-nl-product="B" data-nl-action="add-to-cart" action="/cart">
<button type="submit">Buy table</button>
</form>
</main>
"""
ALL = [
    ("ADD_TO_CART", "B", 1),
    ("CLICK_PRODUCT", "A", 0),
    ("VIEW_PRODUCT", "A", 0),
    ("VIEW_PRODUCT", "B", 1),
]
# What a page may have done before the tracker starts, without an effect on events.
OBSTACLES = {
    "stops propagation": """
        for (const type of ["click", "submit", "keydown", "pointerdown", "visibilitychange"]) {
            document.addEventListener(type, (event) => event.stopImmediatePropagation(), true);
        }""",
    "storage throws": """
        Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("denied", "SecurityError"); } });""",
    "storage is absent": """
        Object.defineProperty(window, "localStorage", { value: null });""",
    "storage is full": """
        Storage.prototype.setItem = () => {
            throw new DOMException("full", "QuotaExceededError");
        };""",
    "storage does nothing": """
        for (const name of ["getItem", "setItem", "removeItem"]) {
            Storage.prototype[name] = () => null;
        }""",
    "beacons throw": """
        Navigator.prototype.sendBeacon = () => { throw new TypeError("no"); };""",
    "beacons are refused": """
        Navigator.prototype.sendBeacon = () => false;""",
    "no beacons": """
        delete Navigator.prototype.sendBeacon;""",
    "no idle callbacks": """
        delete window.requestIdleCallback;""",
    "console throws": """
        for (const name of Object.keys(console)) {
            console[name] = () => { throw new Error("no console"); };
        }""",
    "additions to arrays": """
        Array.prototype.last = function () { return this[this.length - 1]; };
        String.prototype.shout = function () {};""",
    "additions to objects": """
        Object.prototype.each = function () {};""",
    "its own words": """
        for (const name of ["$", "_", "items", "state", "Tracker", "start"]) {
            window[name] = "the page's";
        }""",
    "events of its own": """
        addEventListener("load", () => {
            for (const type of ["click", "pointerdown", "pointerup", "keydown", "submit", "input"])
                for (const target of [window, document]) {
                    target.dispatchEvent(new KeyboardEvent(type, { key: "Enter" }));
                }
        });""",
    "no randomness": """
        Math.random = () => 0.5;""",
    "no cryptography": """
        Object.defineProperty(window, "crypto", { value: undefined });""",
    "the current script throws": """
        Object.defineProperty(document, "currentScript", {
            get() { throw new Error("no script"); } });""",
    "JSON is replaced later": """
        addEventListener("load", () => { JSON.stringify = () => "{}"; });""",
    "frozen prototypes": """
        for (const type of [Array, Function, String, Promise]) Object.freeze(type.prototype);""",
    "frozen objects": """
        Object.freeze(Object.prototype);""",
}
# What makes tracking impossible.
DISABLED = {
    "no IntersectionObserver": "delete window.IntersectionObserver",
    "no MutationObserver": "delete window.MutationObserver",
    "no PerformanceObserver": "delete window.PerformanceObserver",
    "no fetch and no beacons": "delete window.fetch; delete Navigator.prototype.sendBeacon",
    "keys throw": "Object.keys = () => { throw new Error('no keys'); }",
    "keys throw later": """
        addEventListener("load", () => {
            Object.keys = () => { throw new Error("no keys"); };
        });""",
    "JSON throws": """
        JSON.stringify = JSON.parse = () => { throw new Error("no JSON"); };""",
    "searching throws": """
        for (const name of ["closest", "matches", "querySelectorAll"]) {
            Element.prototype[name] = () => { throw new Error("no such thing"); };
        }""",
    "time throws": """
        Date.now = performance.now = () => { throw new Error("no time"); };""",
    "timers throw": """
        const wait = window.setTimeout;
        window.setTimeout = (act, delay, ...more) => {
            if (delay > 0) throw new Error("no timers");
            return wait(act, delay, ...more);
        };""",
}
# PyScript's core has its own kind of listeners.
PATCHED = {"pyscript": ["addEventListener"]}
# Describes everything that a script could change on a page.
SNAPSHOT = """() => {
    const copy = document.documentElement.cloneNode(true);
    // The heavier runtimes come as scripts of their own.
    for (const script of copy.querySelectorAll("script:not([data-app-id])")) script.remove();
    return {
        globals: Object.getOwnPropertyNames(window).sort(),
        markup: copy.outerHTML,
        prototypes: [Object, Array, String, Function, Promise, Element, Node, Event, History]
            .map((type) => [type.name, Reflect.ownKeys(type.prototype).map(String).sort()]),
        patched: ["fetch", "setTimeout", "XMLHttpRequest", "addEventListener"]
            .filter((name) => !String(window[name]).includes("[native code]")),
        handlers: Object.keys(Object.getPrototypeOf(window)).concat(Object.keys(window))
            .filter((name) => name.startsWith("on") && window[name] !== null),
        cookie: document.cookie.replace(/nl_ack=[^;]*(; )?/, ""),
    };
}"""


@pytest.fixture(autouse=True)
def possible(request, runtime):
    """Skip obstacles with which the runtime itself does not work."""
    skip_if_needed(runtime, request.node.callspec.params.get("hindrance", ""))


@pytest.fixture
def show_to(show, context):
    """Show a page after a script has run in its tab."""

    def show_to(script, body=BODY, **settings):
        tab = context.new_page()
        tab.add_init_script(f"(() => {{ {script} }})()")
        tab.route("**/cart*", lambda route: route.fulfill(status=204))
        return show(body, tab=tab, **settings)

    return show_to


@pytest.mark.parametrize("hindrance", OBSTACLES)
def test_obstacle(show_to, ledger, hindrance):
    page = show_to(OBSTACLES[hindrance])
    ledger.wait_for_all(page)
    page.click("text=Chair")
    page.click("text=Buy table")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == ALL
    assert [line for line in page.console_messages if not line.startswith("neuralens: ")] == []
    assert not [line for line in page.console_messages if "Illegal invocation" in line]


@pytest.mark.parametrize("hindrance", DISABLED)
def test_disabled(put, context, hindrance):
    """The page is unaffected: no exceptions, no delay, and its own handlers run."""
    script = f"<script>{DISABLED[hindrance]}</script>"
    put(
        f"""{script}<button onclick="this.textContent = 'Pressed'" data-nl-product="A">A</button>
        {BODY}""",
        stub=True,
    )
    tab = context.new_page()
    thrown = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    tab.goto("/")
    tab.evaluate("neuralens('track', 'SHARE', { id: 'A' })")
    tab.wait_for_load_state("networkidle")
    tab.evaluate("neuralens('flush')")
    tab.get_by_role("button").first.click()
    assert tab.get_by_role("button").first.text_content() == "Pressed"
    assert thrown == []


# What a page may have removed, and what is tracked nevertheless.
ACTS = ALL[:2]
REMOVED = {
    "no observer of intersections": ("delete window.IntersectionObserver;", ACTS),
    "no shadow roots": ("delete Element.prototype.attachShadow;", ALL),
    "no proxies": ("window.Proxy = undefined;", ALL),
    "no console": ("delete window.console;", ALL),
    "console without warnings": ("delete console.warn;", ALL),
    "navigation throws": (
        """Object.defineProperty(window, "navigation", {
            get() { throw new Error("no navigation"); } });""",
        ALL,
    ),
}


@pytest.mark.parametrize("hindrance", REMOVED)
def test_removed(show_to, ledger, hindrance):
    script, expected = REMOVED[hindrance]
    page = show_to(script)
    ledger.wait_for(len(expected) - len(ACTS))
    page.click("text=Chair")
    page.click("text=Buy table")
    ledger.wait_for(len(expected))
    assert sorted(select(ledger.entries(), *FIELDS)) == expected
    assert [line for line in page.console_messages if not line.startswith("neuralens: ")] == []


def test_only_one_global_is_added(show, ledger, put, context, runtime):
    page = show(BODY)
    ledger.wait_for_all(page)
    after = page.evaluate(SNAPSHOT)
    without = context.new_page()
    put(BODY, "/without")
    without.route("**/nl/*.js?v=*", lambda route: route.abort())
    without.goto("/without")
    before = without.evaluate(SNAPSHOT)
    added = set(after.pop("globals")) - set(before.pop("globals"))
    assert added == {"neuralens"}
    assert after.pop("patched") == before.pop("patched") + PATCHED.get(runtime, [])
    assert after == before


def test_a_page_without_items_sends_nothing(show, ledger, shop):
    page = show("<p>Nothing</p>")
    page.click("text=Nothing")
    # Unloading it flushes the queue, and the next page sends a control tile afterwards.
    page = show("<p>Next</p>", "/next", tab=page)
    assert ledger.wait_for_all(page) == []
    posted = [event["items"][0]["id"] for batch in shop.batches for event in batch["events"]]
    assert [name for name in posted if not name.startswith(CONTROL)] == []


def test_form_whose_fields_have_the_names_of_its_methods(show, ledger):
    form = '<form data-nl-product="F"><input name="getAttribute"></form>'
    page = show(form + BODY)
    page.click("text=Chair")
    events = [event for event in ALL if event[0] != "ADD_TO_CART"]
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == sorted(
        [*events, ("VIEW_PRODUCT", "F", None)]
    )
    assert page.console_messages == []


def test_form_of_the_trackers_name(show, ledger):
    page = show('<form id="neuralens"><input name="version"></form>' + BODY)
    page.wait_for_function("typeof neuralens.version === 'string'")
    page.click("text=Chair")
    events = [event for event in ALL if event[0] != "ADD_TO_CART"]
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == events
    assert page.console_messages == []


def test_shadow_root_where_functions_have_other_methods(show, runtime):
    skip_if_needed(runtime, "methods of functions")
    page = show(BODY)
    assert (
        page.evaluate(
            """() => {
            const { bind, call } = Function.prototype;
            Function.prototype.bind = Function.prototype.call = () => { throw new Error("own"); };
            try {
                return document.createElement("div").attachShadow({ mode: "open" }).mode;
            } finally {
                Object.assign(Function.prototype, { bind, call });
            }
        }"""
        )
        == "open"
    )
    assert page.console_messages == []


def test_document_that_is_written_anew(show, ledger):
    """``document.open`` removes all listeners, those of the window, too."""
    page = show(BODY)
    events = [event for event in ALL if event[0].startswith("VIEW_")]
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == events
    page.evaluate("document.open(); document.write('<p data-nl-product=C>Rug</p>')")
    page.click("text=Rug")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [
        ("CLICK_PRODUCT", "C", None),
        *events,
        ("VIEW_PRODUCT", "C", None),
    ]
    assert page.console_messages == []


def test_nothing_is_prevented(show, ledger):
    """The page's own listeners receive every event unchanged, and default actions happen."""
    page = show(BODY + '<a data-nl-product="C" href="#there">Sofa</a>')
    page.evaluate(
        """() => {
            window.heard = [];
            for (const type of ["click", "submit"]) {
                document.addEventListener(type, (event) => {
                    heard.push([type, event.defaultPrevented]);
                    if (type === "submit") event.preventDefault();
                });
            }
        }"""
    )
    page.click("text=Sofa")
    page.click("text=Buy table")
    assert page.evaluate("heard") == [["click", False], ["click", False], ["submit", False]]
    assert page.url.endswith("#there")


def test_two_tags_count_once(show, ledger, tag):
    page = show(f"{BODY}{tag()}{tag()}")
    page.click("text=Chair")
    seen = sorted(select(ledger.wait_for_all(page), *FIELDS))
    assert seen == [event for event in ALL if event[0] != "ADD_TO_CART"]


def test_corrupt_storage(show_to, ledger):
    """Another script, or an older version, may have written anything."""
    page = show_to(
        """if (window === top) {
            localStorage.setItem("nl:uid", "{");
            for (const text of ["{", "null", "[]", '{"eid":1}', '"\\\\ud800"', "", "{}"]) {
                localStorage.setItem("nl:e:" + text, text);
            }
            localStorage.setItem("not ours", "{");
        }""",
    )
    page.click("text=Chair")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [
        event for event in ALL if event[0] != "ADD_TO_CART"
    ]
    assert page.evaluate("localStorage.getItem('not ours')") == "{"
