"""Interactions while a heavy runtime loads are neither lost nor duplicated, nor sent early."""

import asyncio
import socket
import threading
from uuid import uuid4

import pytest
from neuralens_embed import bundles
from neuralens_embed.snippet import RUNTIMES, Snippet
from neuralens_tracker.vocabulary import EARLY_KEY

from tests.browser.page import collect_messages
from tests.browser.summaries import without_time
from tests.polling import TIMEOUT
from tests.processes import APPLICATION

# Requests that do not depend on the runtime.
WITH_ONE = pytest.mark.parametrize("runtime", ["brython"], indirect=True)
RESULTS = """
<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak chair">
<ul data-nl-list="results" data-nl-offset="24">
<li data-nl-product="A"><a href="/next">Chair A</a></li>
<li data-nl-product="B"><a href="/next">Chair B</a>
<button id="favorite" type="button" data-nl-action="favorite">Remember</button>
<button id="cart" type="button" data-nl-action="add-to-cart">Buy</button>
<form data-nl-action="share" method="dialog"><button>Share</button></form>
<p>Oak</p></li>
</ul>
</main>
<input type="search">
<ul role="listbox"><li data-nl-suggestion="oak table">oak table</li></ul>
"""
CLICK_SOON = """
<script>
new PerformanceObserver((_, observer) => {
    observer.disconnect();
    setTimeout(() => {
        const { early, version } = window.neuralens ?? {};
        sessionStorage.setItem("there", JSON.stringify([early, version].map(Boolean)));
        document.querySelector("[data-nl-product=B] a").click();
    }, 50);
}).observe({ type: "paint", buffered: true });
</script>
"""
NEXT = "<p>Next</p>"
REFUSE_TRACKING = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"
BLOCK_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("blocked", "SecurityError") } })"""
NONCE = "bm9uY2Utb2YtdGhpcy1wYWdl"
LEAVE = """() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""
# The page's script reports its progress to the test by requests.
HIDDEN_AND_SHOWN = """
<main data-nl-landing="A"><p data-nl-product="B">Table</p></main>
<img src="{address}" alt="">
<script>
const look = () => window.neuralens?.early ? fetch("/early") : setTimeout(look, 10);
look();
addEventListener("visibilitychange", () => fetch("/" + document.visibilityState));
</script>
"""


@pytest.fixture(params=["brython", "pyscript"])
def runtime(request):
    return request.param


class Gate:
    """Delays the runtime's script at the shop's server until the gate is opened."""

    def __init__(self, shop, file):
        self._shop, self._path = shop, f"/nl/{file}"
        self._opened = threading.Event()
        self._forward_to_relay = shop._forward_to_relay
        shop._forward_to_relay = self._hold

    async def _hold(self, request, body):
        if request.url.path == self._path:
            await asyncio.to_thread(self._opened.wait, TIMEOUT)
        return await self._forward_to_relay(request, body)

    def open(self):
        self._opened.set()

    def close(self):
        self.open()
        self._shop._forward_to_relay = self._forward_to_relay


@pytest.fixture
def gate(shop, runtime):
    gate = Gate(shop, RUNTIMES[runtime])
    yield gate
    gate.close()


class Stall:
    """A server that does not respond until it is closed, so that a page stays loading."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._opened = []
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        while True:
            opened, _ = self._listener.accept()
            self._opened.append(opened)
            if self.address == "":
                return

    def close(self):
        if self.address == "":
            return
        self.address = ""
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        for each in (*self._opened, self._listener):
            each.close()


@pytest.fixture
def stall():
    stall = Stall()
    yield stall
    stall.close()


@pytest.fixture
def show_early(put, context, gate):
    """Show a page whose runtime is delayed, while ``neuralens.early.js`` runs."""

    def show_early(source, path="/", tab=None, **settings):
        put(source, path, **settings)
        page = tab or context.new_page()
        collect_messages(page)
        page.goto(path)
        wait_for(page, "early")
        return page

    return show_early


def wait_for(page, name):
    page.wait_for_function(f"() => window.neuralens?.{name}", timeout=TIMEOUT * 1000)


@pytest.fixture
def load_runtime(gate, ledger):
    """Load the runtime, and return the events of interactions, without timestamps and views."""

    def load_runtime(page):
        gate.open()
        wait_for(page, "version")
        return interactions(ledger.wait_for_all(page))

    return load_runtime


def stored_keys(page):
    """Return the tracker's keys in storage."""
    keys = page.evaluate("Object.keys(localStorage)")
    return [key for key in keys if key.startswith("nl:")]


def pending_keys(page):
    """Return the keys of what is stored for the runtime."""
    return [key for key in stored_keys(page) if key.startswith(f"nl:{EARLY_KEY}")]


def leave(page):
    """Simulate that a page is hidden and shown again."""
    page.evaluate(LEAVE)


def interactions(events):
    return [without_time(event) for event in events if not event.name.startswith("VIEW_")]


def ordered(events):
    return sorted(events, key=lambda event: (event["event"], event["items"][0]["id"]))


def names(events):
    return sorted((event["event"], event["items"][0]["id"]) for event in events)


@pytest.fixture
def expected_event(uid):
    """Return the expected event of this shopper on a product of the results."""

    def expected_event(event, product="B", index=25, **changed):
        common = {
            "uid": uid,
            "items": [{"id": product}],
            "event": event,
            "page": "SEARCH_RESULT_PAGE",
            "query": "oak chair",
            "index": index,
        }
        return {name: value for name, value in (common | changed).items() if value is not None}

    return expected_event


def test_click_50_ms_after_the_first_paint(
    show_early, put, show, gate, load_runtime, expected_event
):
    put(RESULTS + CLICK_SOON, "/results")
    put('<main data-nl-landing="C"></main>', "/next")
    page = show_early(NEXT)
    page.goto("/results")
    page.wait_for_url("**/next")
    assert page.evaluate("sessionStorage.there") == "[true,false]"
    clicks = [expected_event("CLICK_PRODUCT")]
    landing = expected_event("LAND_PRODUCT_PAGE", "C", page="PRODUCT_PAGE", query=None, index=None)
    assert ordered(load_runtime(page)) == [*clicks, landing]
    show(NEXT, "/next", tab=page)
    assert ordered(load_runtime(page)) == [*clicks, landing]


def act(page):
    page.click("text=Oak")
    page.click("#favorite")
    page.click("#cart")
    page.click("text=Share")
    page.click("text=oak table")


def test_interactions_while_the_runtime_loads(show_early, load_runtime, expected_event):
    page = show_early(RESULTS)
    page.fill("input", "oak t")
    act(page)
    once = [
        expected_event("ADD_TO_CART"),
        expected_event("CLICK_PRODUCT"),
        expected_event("CLICK_SUGGESTION", "oak table", 0, page="AUTOCOMPLETE", query="oak t"),
        expected_event("FAVORITE"),
        expected_event("SHARE"),
    ]
    assert ordered(load_runtime(page)) == once
    # The query typed early applies to a later choice.
    act(page)
    assert ordered(load_runtime(page)) == ordered(once + once)
    assert page.console_messages == []


def test_context_at_the_time_of_the_click(show_early, load_runtime, expected_event):
    """The page changes after the click; calls change it before."""
    page = show_early(
        '<ul data-nl-list="l"><li data-nl-product="A">A</li><li data-nl-product="B">B</li></ul>',
        page="CATEGORY_PAGE",
        query="oak",
    )
    page.click("text=B")
    page.evaluate("neuralens('page', { page: 'SEARCH_RESULT_PAGE', query: 'ash' })")
    page.click("text=B")
    page.evaluate("document.querySelector('li').remove()")
    page.click("text=B")
    # A reported rank is kept for the page view, although the product before it was removed.
    assert sorted(load_runtime(page), key=lambda event: event["query"]) == [
        expected_event("CLICK_PRODUCT", index=1, query="ash"),
        expected_event("CLICK_PRODUCT", index=1, query="ash"),
        expected_event("CLICK_PRODUCT", index=1, page="CATEGORY_PAGE", query="oak"),
    ]


def test_calls_while_the_runtime_loads(show_early, load_runtime, expected_event, uid):
    page = show_early(RESULTS, page="CATEGORY_PAGE")
    page.click("text=Oak")
    page.evaluate(
        """(uid) => {
        window.heard = [];
        neuralens("on", "event", (event) => heard.push(event.items[0].id));
        neuralens("before", (event) => event.items[0].id === "no" ? null : event);
        neuralens("before", (event) => ({ ...event, query: event.event }));
        neuralens("track", "SHARE", { id: "1" });
        neuralens("identify", uid + "-2");
        neuralens("geo", { region: "Uri" });
        neuralens("track", "SHARE", { id: "no" });
        neuralens("track", "SHARE", { id: "2", index: 7, page: "PRODUCT_PAGE" });
        neuralens("consent", "granted");
        neuralens("track", "PURCHASE", { ids: ["3", 4] });
        }""",
        uid,
    )
    changed = {"uid": f"{uid}-2", "geo": {"region": "Uri"}}
    first, *rest = load_runtime(page)
    assert first == expected_event("SHARE", "1", page="CATEGORY_PAGE", index=None, query="SHARE")
    assert rest == [
        expected_event("SHARE", "2", 7, page="PRODUCT_PAGE", query="SHARE", **changed),
        expected_event(
            "PURCHASE",
            items=[{"id": "3"}, {"id": "4"}],
            page="CATEGORY_PAGE",
            index=None,
            query="PURCHASE",
            **changed,
        ),
        expected_event("CLICK_PRODUCT", query="CLICK_PRODUCT", **changed),
    ]
    assert page.evaluate("heard.slice(0, 4)") == ["1", "2", "3", "B"]


def test_calls_of_a_page_that_is_unloaded(show_early, show, gate, load_runtime, expected_event):
    page = show_early(RESULTS, page="CATEGORY_PAGE", query="oak")
    page.evaluate(
        """() => {
        neuralens("track", "SHARE", { id: 1 });
        neuralens("track", "PURCHASE", { ids: ["2", "3"], page: "PRODUCT_PAGE", query: "ash" });
        neuralens("track", "SHARE", {});
        neuralens("track", "SHARE");
        neuralens("track", "SHAKE", { id: "4" });
        }"""
    )
    gate.open()
    expected = [
        expected_event(
            "PURCHASE",
            items=[{"id": "2"}, {"id": "3"}],
            page="PRODUCT_PAGE",
            query="ash",
            index=None,
        ),
        expected_event("SHARE", "1", page="CATEGORY_PAGE", query="oak", index=None),
    ]
    show(NEXT, "/next", tab=page)
    assert ordered(load_runtime(page)) == expected
    assert pending_keys(page) == []
    page.reload()
    assert ordered(load_runtime(page)) == expected


def test_landing_and_purchase_of_a_page_that_is_unloaded(
    show_early, put, show, load_runtime, expected_event
):
    order = uuid4().hex
    body = f"""
    <main data-nl-landing="A" data-nl-index="3"></main>
    <ul data-nl-purchase="{order}"><li data-nl-product="B"></li><li data-nl-product="C"></li></ul>
    <div data-nl-ignore><p data-nl-landing="D"></p>
    <ul data-nl-purchase="SECRET"><li data-nl-product="E"></li></ul></div>
    """
    page = show_early(body)
    page = show_early(body, tab=page)
    put(NEXT, "/next")
    page.goto("/next")
    expected = [("LAND_PRODUCT_PAGE", "A"), ("LAND_PRODUCT_PAGE", "A"), ("PURCHASE", "B")]
    assert names(load_runtime(page)) == expected
    show(body, tab=page)
    seen = load_runtime(page)
    assert names(seen) == [expected[0], *expected]
    fields = {"query": None, "page": None, "index": None}
    assert expected_event("PURCHASE", items=[{"id": "B"}, {"id": "C"}], **fields) in seen
    assert expected_event("LAND_PRODUCT_PAGE", "A", 3, page="PRODUCT_PAGE", query=None) in seen


def test_page_that_is_unloaded_when_the_runtime_starts(show_early, put, gate, load_runtime):
    """There are so many tiles that the landing is not processed immediately."""
    page = show_early('<i data-nl-product="P"></i>' * 3000 + '<main data-nl-landing="A"></main>')
    gate.open()
    wait_for(page, "version")
    put(NEXT, "/next")
    page.goto("/next")
    assert names(load_runtime(page)) == [("LAND_PRODUCT_PAGE", "A")]


@WITH_ONE
def test_hidden_and_shown_again_while_loading(put, shop, ledger, bare_browser, stall):
    put(HIDDEN_AND_SHOWN.format(address=stall.address))
    shop.put("/other", "<p>Other</p>")
    bare_browser.open("/")
    shop.wait_for_request("/early")
    other = bare_browser.open("/other")
    shop.wait_for_request("/hidden")
    bare_browser.close(other)
    shop.wait_for_request("/visible")
    stall.close()
    # Views are captured after the page was processed.
    ledger.wait_for(2)
    assert names(ledger.entries()) == [("LAND_PRODUCT_PAGE", "A"), ("VIEW_PRODUCT", "B")]


@WITH_ONE
def test_consent_pending(show_early, show, gate, load_runtime):
    page = show_early(RESULTS, consent="pending")
    page.click("text=Oak")
    page.evaluate("neuralens('track', 'SHARE', { id: '1' })")
    leave(page)
    assert stored_keys(page) == []
    gate.open()
    show(NEXT, tab=page)
    assert load_runtime(page) == []


def test_consent_granted_while_loading(show_early, load_runtime):
    page = show_early(RESULTS, consent="pending")
    page.click("text=Oak")
    page.evaluate("neuralens('consent', 'granted')")
    page.click("#favorite")
    assert len(pending_keys(page)) == 2
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B"), ("FAVORITE", "B")]
    assert pending_keys(page) == []


def test_consent_granted_on_a_page_that_is_unloaded(show_early, show, gate, load_runtime):
    page = show_early(RESULTS, consent="pending")
    page.click("text=Oak")
    page.evaluate("neuralens('consent', 'granted')")
    gate.open()
    show(NEXT, tab=page, consent="pending")
    # On that page, consent is known when the tracker has started.
    page.evaluate("neuralens('consent', 'granted')")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]
    assert pending_keys(page) == []


@WITH_ONE
@pytest.mark.parametrize("refusal", ["setting", "call", "signal"])
def test_consent_denied(show_early, show, context, gate, load_runtime, refusal):
    if refusal == "signal":
        context.add_init_script(REFUSE_TRACKING)
    page = show_early(RESULTS, consent="denied" if refusal == "setting" else None)
    if refusal == "call":
        page.evaluate("neuralens('track', 'SHARE', { id: '1' })")
        page.evaluate("neuralens('consent', 'denied')")
    page.click("text=Oak")
    leave(page)
    assert stored_keys(page) == []
    gate.open()
    wait_for(page, "version")
    assert stored_keys(page) == []
    show(NEXT, tab=page, respect_gpc=False)
    assert load_runtime(page) == []


@WITH_ONE
@pytest.mark.parametrize("source", ["setting", "call"])
def test_misspelled_consent(show_early, context, gate, load_runtime, source):
    """It prevents storage, and is reported once, by the runtime."""
    if source == "setting":
        context.add_init_script("window.neuralensConfig = { consent: 'pendign' }")
    page = show_early(RESULTS)
    if source == "call":
        page.evaluate("neuralens('consent', 'declined')")
    page.click("text=Oak")
    leave(page)
    assert stored_keys(page) == []
    assert page.console_messages == []
    gate.open()
    wait_for(page, "version")
    assert stored_keys(page) == []
    assert page.console_messages == ["neuralens: consent must be one of granted, pending, denied"]
    page.evaluate("neuralens('consent', 'granted')")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]


@WITH_ONE
def test_query_is_stored_without_personal_data(show_early, load_runtime):
    page = show_early('<p data-nl-product="A">Oak</p>', query="oak for ann@example.com")
    page.click("text=Oak")
    kept = page.evaluate("JSON.stringify({ ...localStorage })")
    assert "oak for" in kept
    assert "ann" not in kept
    assert [event["query"] for event in load_runtime(page)] == ["oak for"]


@WITH_ONE
def test_entries_of_version_0_1_0(show_early, load_runtime):
    page = show_early("<p>Nothing</p>")
    page.evaluate(
        """() => {
        const fields = { page: "PRODUCT_PAGE", query: null, index: 3, ids: "A" };
        const kept = ["b1e7f6d0-0000-4000-8000-000000000000", Date.now(), "SHARE", fields, ""];
        localStorage.setItem("nl:k:" + kept[0], JSON.stringify(kept));
        }"""
    )
    (event,) = load_runtime(page)
    assert (event["event"], event["items"], event["index"]) == ("SHARE", [{"id": "A"}], 3)
    assert pending_keys(page) == []


@WITH_ONE
def test_consent_withdrawn_while_loading(show_early, show, gate, load_runtime):
    page = show_early(RESULTS)
    page.click("text=Oak")
    assert len(pending_keys(page)) == 1
    page.evaluate("neuralens('consent', 'denied')")
    gate.open()
    wait_for(page, "version")
    assert stored_keys(page) == []
    show(NEXT, tab=page)
    assert load_runtime(page) == []


def test_runtime_waits_for_the_page(put, context, runtime):
    """The runtime's script is loaded after the load event, with its hash and settings."""
    put(RESULTS, pyscript="alone" if runtime == "pyscript" else None)
    page = context.new_page()
    page.goto("/")
    wait_for(page, "version")
    timing = page.evaluate(
        """(file) => ({
        began: performance.getEntriesByType("resource")
            .filter(({ name }) => name.startsWith(`${location.origin}/nl/${file}?v=`))
            .map((entry) => entry.startTime),
        loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
        integrity: document.querySelector(`head > [src*="/nl/${file}?v="]`).integrity,
        core: performance.getEntriesByType("resource").filter(({ name }) => /core/.test(name)),
        })""",
        RUNTIMES[runtime],
    )
    assert len(timing["began"]) == 1
    assert timing["began"][0] >= timing["loaded"] > 0
    assert timing["integrity"] == bundles.integrity(RUNTIMES[runtime])
    assert timing["core"] == []


@WITH_ONE
def test_runtime_with_a_wrong_hash(show_early, shop, runtime, gate, load_runtime):
    page = show_early(RESULTS)
    html, headers = shop.pages["/"]
    integrity = f'data-integrity="{bundles.integrity(RUNTIMES[runtime])}"'
    assert integrity in html
    shop.pages["/"] = html.replace(integrity, 'data-integrity="sha384-' + "A" * 64 + '"'), headers
    gate.open()
    with page.expect_console_message(lambda line: "integrity" in line.text):
        page.goto("/")
    page.click("text=Oak")
    assert page.evaluate("neuralens.version") is None
    shop.pages["/"] = html, headers
    page.goto("/")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]


def test_policy(show_early, load_runtime, until, runtime):
    evaluation = "" if runtime == "brython" else " 'wasm-unsafe-eval'"
    policy = f"default-src 'none'; connect-src 'self'; img-src data:; script-src 'self'{evaluation}"
    page = show_early(RESULTS, headers={"Content-Security-Policy": policy})
    page.click("text=Oak")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]
    assert page.console_messages == []


@WITH_ONE
def test_policy_with_only_a_nonce(show_early, load_runtime):
    """The runtime's script gets the nonce, too."""
    policy = f"script-src 'nonce-{NONCE}' 'unsafe-eval'"
    page = show_early(RESULTS, nonce=NONCE, headers={"Content-Security-Policy": policy})
    page.click("text=Oak")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]


@pytest.mark.parametrize("company", ["twice", "stub", "tracker"])
def test_plain_tag_with_other_tags(shop, context, gate, load_runtime, runtime, company):
    plain = (
        '<script async src="/nl/neuralens.early.js" data-src="/nl/{}" data-integrity="{}"'
        f' data-app-id="{APPLICATION}"></script>'
    ).format(RUNTIMES[runtime], bundles.integrity(RUNTIMES[runtime]))
    around = {
        "twice": plain,
        "stub": f"<script>{bundles.read('neuralens.stub.js')}</script>",
        "tracker": Snippet(APPLICATION).render().replace("async", ""),
    }[company]
    shop.put("/", f"<!doctype html>{around}{plain}<body>{RESULTS}")
    page = context.new_page()
    page.goto("/")
    wait_for(page, "version" if company == "tracker" else "early")
    page.click("text=Oak")
    page.evaluate("neuralens('track', 'SHARE', { id: '1' })")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B"), ("SHARE", "1")]


def test_storage_blocked(show_early, context, load_runtime):
    context.add_init_script(BLOCK_STORAGE)
    page = show_early(RESULTS)
    page.click("text=Oak")
    page.evaluate("neuralens('track', 'SHARE', { id: '1' })")
    leave(page)
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B"), ("SHARE", "1")]


@WITH_ONE
def test_unreadable_configuration(show_early, context, load_runtime):
    context.add_init_script("window.neuralensConfig = { toJSON() { throw new Error('no') } }")
    page = show_early(RESULTS)
    page.click("text=Oak")
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]


@WITH_ONE
def test_storage_written_by_others(show_early, load_runtime, uid):
    page = show_early(RESULTS)
    page.click("text=Oak")
    page.evaluate(
        """() => {
        const known = localStorage.getItem(Object.keys(localStorage)[0]);
        const wrong = ["{", "1", "null", "[]", "{}", '{"event":5}', "[1,2,3,4,5]",
            '["x",1,"SHARE",{"id":"1"},{}]', '[{},1,"SHARE",{"id":"1"},null]',
            '{"event":{"eid":"x"},"key":5}', known.replace("CLICK_PRODUCT", "CLICK")];
        wrong.forEach((text, index) => localStorage.setItem("nl:k:" + index, text));
        }"""
    )
    assert names(load_runtime(page)) == [("CLICK_PRODUCT", "B")]
    assert pending_keys(page) == []
