"""Hostile pages: the tracker does not rely on anything that a page can replace."""

from uuid import uuid4

import pytest
from markupsafe import Markup

from tests.browser.page import VIEW_MS, collect_messages, round_trip, run_timers
from tests.browser.runtimes import skip_if_needed
from tests.browser.summaries import summarize
from tests.polling import eventually

SHOP = """
<style>a, button, input, [role=option] { position: fixed; left: 10px; height: 20px; width: 90px }
</style>
<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair">
<div data-nl-list="l"><p data-nl-product="A"><a href="#a" style="top: 10px">A</a></p></div>
<form data-nl-product="B" data-nl-action="add-to-cart">
  FIELDS
  <button style="top: 50px">Buy</button></form></main>
<input style="top: 90px" type="search" role="combobox" aria-controls="list" data-nl-suggestions>
<ul id="list" role="listbox"><li role="option" style="top: 130px">oak chair</li></ul>
<div data-nl-landing="L"></div>
<script>addEventListener("submit", (event) => event.preventDefault())</script>
"""
# Properties shadowed by named elements: fields shadow a form's, images the document's.
FIELDS = """
    getAttribute closest parentElement tagName matches isConnected getRootNode contains
    querySelectorAll nodeType getBoundingClientRect checkVisibility getClientRects children
    childNodes shadowRoot addEventListener id textContent
"""
IMAGES = """
    querySelectorAll getElementById visibilityState readyState documentElement addEventListener
    createElement cookie prerendering activeElement URL baseURI head nodeType contains getRootNode
"""
# What a page has done before the tracker starts.
HOSTILE = {
    "names": "",
    "Prototype.js": """
        Array.prototype.toJSON = String.prototype.toJSON = Object.prototype.toJSON =
            function () { return "a text"; };
        Array.from = (list) => {
            const made = [];
            for (let i = 0; i < list.length; i++) made[i] = list[i];
            return made;
        };
        Function.prototype.bind = function (self) {
            const f = this;
            return (...values) => f.apply(self, values);
        };
    """,
    "collections": """
        const broken = function () { throw new Error("replaced"); };
        window.Map = window.Set = window.WeakMap = window.WeakSet = broken;
        Array.from = Object.entries = Object.fromEntries = broken;
    """,
}
HOSTILE["all of them"] = "".join(f"{{ {script} }}" for script in HOSTILE.values())


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_whole_journey(put, context, ledger, runtime, kind):
    """The mouse is moved by coordinates, because such pages break Playwright, too."""
    if runtime == "brython" and HOSTILE["Prototype.js"] in HOSTILE[kind]:
        pytest.skip("Brython itself does not run there, see test_extended_prototypes")
    fields = "".join(f'<input name="{name}" type="hidden">' for name in FIELDS.split())
    images = "".join(f'<img name="{name}" hidden>' for name in IMAGES.split())
    script = f"<script>{HOSTILE[kind]}</script>"
    put(images + script + SHOP.replace("FIELDS", fields), stub=True)
    page = context.new_page()
    page.goto("/")
    # Two products, a suggestion and the landing.
    ledger.wait_for(4, 30)
    page.mouse.click(50, 20)
    page.mouse.click(50, 60)
    page.mouse.click(50, 100)
    page.keyboard.type("oa")
    page.mouse.click(50, 140)
    expected = {
        ("VIEW_PRODUCT", "A", 0, "chair"),
        ("VIEW_PRODUCT", "B", None, "chair"),
        ("CLICK_PRODUCT", "A", 0, "chair"),
        ("ADD_TO_CART", "B", None, "chair"),
        ("CLICK_SUGGESTION", "oak chair", 0, "oa"),
        ("LAND_PRODUCT_PAGE", "L", None, None),
    }
    # Besides these, the suggestion may be seen once more, with the query as typed so far.
    eventually(lambda: expected <= set(summarize(ledger.entries())))


TILE = '<p data-nl-product="A">A</p>'


@pytest.mark.parametrize("runtime", ["brython"])
def test_extended_prototypes(put, context):
    """Brython, whose loops include inherited properties, reports that, and does not throw."""
    put(f"<script>{HOSTILE['Prototype.js']}</script>{TILE}")
    page = context.new_page()
    collect_messages(page)
    with page.expect_console_message(lambda line: line.text.startswith("neuralens: ")):
        page.goto("/")
    assert len(page.console_messages) == 1


def test_base_of_another_host(show, ledger):
    page = show('<base href="https://cdn.example/">' + TILE)
    assert summarize(ledger.wait_for_all(page)) == [("VIEW_PRODUCT", "A", None, None)]


def test_frame_without_an_address(put, tag, context, ledger):
    """Its location has no origin, but the document has that of its page."""
    document = f"<!doctype html>{tag()}{TILE}"
    put(str(Markup('<iframe srcdoc="{}"></iframe>').format(str(document))))
    context.new_page().goto("/")
    assert [event.id for event in ledger.wait_for(1)] == ["A"]


def test_variable_that_shadows_a_class(show, ledger, runtime):
    skip_if_needed(runtime, "a variable that shadows a class")
    page = show(TILE, before="var URL = '/shop';")
    assert summarize(ledger.wait_for_all(page)) == [("VIEW_PRODUCT", "A", None, None)]


def test_fetch_that_throws_once(show, context, ledger):
    context.add_init_script(
        """Navigator.prototype.sendBeacon = () => { throw new Error("no beacons"); };
        const real = fetch;
        window.fetch = (...values) => {
            if (String(values[0]).includes("events") && !window.thrown) {
                window.thrown = true;
                throw new Error("not yet");
            }
            return real(...values);
        };"""
    )
    page = show(TILE)
    assert [event.id for event in ledger.wait_for(1, 20)] == ["A"]
    assert page.evaluate("thrown")


# How tag managers insert the snippet: INERT is an inert copy of the tag, SRC and TEXT the script's.
WAYS = {
    "a script without attributes": """INERT<script>
        const script = document.createElement("script");
        script.src = SRC;
        document.head.append(script);</script>""",
    "the text, evaluated": "INERT<script>fetch(SRC).then((a) => a.text()).then(eval);</script>",
    "settings in the configuration": """<script>
        neuralensConfig = SETTINGS;
        const script = document.createElement("script");
        script.src = SRC;
        document.head.append(script);</script>""",
    "no application anywhere": """<script>
        const script = document.createElement("script");
        script.src = SRC;
        document.head.append(script);</script>""",
}


@pytest.mark.parametrize("way", list(WAYS))
def test_tag_manager(shop, tag, context, ledger, uid, runtime, way):
    if runtime != "javascript" and "INERT" not in WAYS[way]:
        pytest.skip("which runtime to load, the tag alone says")
    snippet = str(tag())
    source = snippet[snippet.index('src="') + 5 :].split('"')[0]
    inert = snippet.replace("<script", '<script type="text/plain"').replace("async", "")
    settings = f"{{ appId: 'test-app', uid: '{uid}', viewMs: 150 }}"
    page_source = (
        WAYS[way]
        .replace("INERT", inert)
        .replace("SETTINGS", settings)
        .replace("SRC", f"'{source}'")
    )
    shop.put("/", f"<!doctype html><body>{TILE}{page_source}</body>")
    page = context.new_page()
    messages = []
    page.on("console", lambda line: messages.append(line.text))
    methods = []
    page.on("request", lambda request: methods.append(request.method))
    page.goto("/")
    if way == "no application anywhere":
        page.evaluate("localStorage['nl:e:kept'] = '{}'")
        run_timers(page, 1500)
        assert [line for line in messages if "data-app-id" in line] == messages
        assert len(messages) == 1
        assert set(methods) == {"GET"}
        assert page.evaluate("Object.keys(localStorage)") == ["nl:e:kept"]
    else:
        assert [event.id for event in ledger.wait_for(1, 20)] == ["A"]


def test_misspelled_consent_by_a_call(show, ledger, shop):
    page = show(TILE, consent="pending")
    page.evaluate("neuralens('consent', 'declined')")
    run_timers(page, VIEW_MS * 2)
    assert len(page.console_messages) == 1
    round_trip(page)
    assert shop.batches == []
    assert page.evaluate("Object.keys(localStorage)") == []
    page.evaluate("neuralens('consent', 'granted')")
    assert summarize(ledger.wait_for_all(page)) == [("VIEW_PRODUCT", "A", None, None)]


def test_ignored_line_of_an_order(show, ledger):
    page = show(
        f'<div data-nl-purchase="{uuid4()}"><p data-nl-product="A">A</p>'
        '<div data-nl-ignore><p data-nl-product="gift">G</p></div></div>'
    )
    (bought,) = ledger.wait_for_all(page)
    assert bought["items"] == [{"id": "A"}]
