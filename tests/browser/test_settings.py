"""Every setting, as an attribute of the tag and as a key of neuralensConfig, right and wrong."""

import json
import re

import pytest
from neuralens_embed.snippet import Snippet
from neuralens_tracker.attributes import PRODUCT, SUGGESTION
from neuralens_tracker.vocabulary import PAGES

from tests.browser.clock import DISCOVERY_MS, Clock
from tests.browser.page import ask_relay
from tests.polling import eventually

APPLICATION = "test-app"
PAGE = """<!doctype html><html><head><title>A shop</title><link rel="icon" href="data:,">
<script>{config}</script>{tag}</head><body>
<div data-nl-product="A" style="height: 100px">A</div>
<ul data-nl-list="popular"><li data-nl-suggestion="lamp">lamp</li></ul></body></html>"""
SOON = {"viewMs": 60, "suggestionMs": 60}


def name_of(attribute):
    """Return a setting's name as an argument of Snippet."""
    return re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), attribute)


@pytest.fixture
def load(shop, context, runtime):
    """Show a page with settings of the tag, as they stand there, and a script that configures."""

    def load(attributes, config="", until="() => window.neuralens && neuralens.version"):
        # Snippet refuses wrong values; here they are what a page may hold all the same.
        tag = str(Snippet(APPLICATION, runtime=runtime))
        without = re.sub(r' data-app-id="[^"]*"', "", tag)
        texts = "".join(
            f' data-{name_of(name).replace("_", "-")}="{value}"'
            for name, value in attributes.items()
        )
        assert without != tag
        place = without.rindex("></script>")
        shop.put("/", PAGE.format(config=config, tag=without[:place] + texts + without[place:]))
        page = context.new_page()
        page.said = []
        # PyScript says on its own that it is ready.
        page.on(
            "console",
            lambda line: "PyScript" in line.text or page.said.append((line.type, line.text)),
        )
        page.on("pageerror", lambda error: page.said.append(("thrown", str(error))))
        page.goto("/")
        page.wait_for_function(until)
        return page

    return load


@pytest.fixture
def sent(shop, uid):
    """Return the batches of this shopper; one of an earlier test may still be on its way."""

    def sent():
        batches = [post.batch for post in shop.posts]
        return [batch for batch in batches if uid in [event["uid"] for event in batch["events"]]]

    return sent


@pytest.fixture(params=["attributes", "config"])
def given(request, load):
    """Show a page with settings given in one of the two ways."""

    def given(**settings):
        if request.param == "attributes":
            texts = {
                name: str(value).lower() if isinstance(value, bool) else value
                for name, value in settings.items()
            }
            return load(texts)
        return load({}, f"window.neuralensConfig = {json.dumps(settings)}")

    return given


def first(ledger, event):
    """Wait for the first event of a name, and return it."""
    count = 1
    while True:
        events = ledger.wait_for(count)
        found = [each for each in events if each["event"] == event]
        if found:
            return found[0]
        count = len(events) + 1


def test_texts(given, ledger, sent, uid):
    """Who, where and for what: each stands in the events, the application in the batch."""
    given(appId=APPLICATION, uid=uid, page="CATEGORY_PAGE", query="oak", **SOON)
    view = first(ledger, "VIEW_PRODUCT")
    del view["timestamp"]
    assert view == {
        "uid": uid,
        "items": [{"id": "A"}],
        "event": "VIEW_PRODUCT",
        "page": "CATEGORY_PAGE",
        "query": "oak",
    }
    assert {batch["app"] for batch in sent()} == {APPLICATION}


def test_endpoint(given, ledger, uid):
    page = given(appId=APPLICATION, uid=uid, endpoint="/nl/../nl/./events", viewMs=60)
    with page.expect_request("**/nl/events?**") as sent:
        page.wait_for_load_state()
    assert re.search(r"/nl/events\?b=[0-9a-f]{8}-[0-9]+$", sent.value.url)
    first(ledger, "VIEW_PRODUCT")


APPEND = """(attribute) => {
    const element = document.createElement("p");
    element.id = "new";
    element.setAttribute(attribute, "new");
    element.textContent = "new";
    document.querySelector("ul").append(element);
}"""


@pytest.mark.parametrize(
    ("setting", "attribute", "usual"),
    [("viewMs", PRODUCT, 1000), ("suggestionMs", SUGGESTION, 400)],
)
def test_times(given, context, uid, setting, attribute, usual):
    context.clock.install()
    for settings, time in (({setting: 200}, 200), ({}, usual)):
        clock = Clock(given(appId=APPLICATION, uid=uid, **settings))
        clock.page.evaluate(APPEND, attribute)
        # It may begin at any time until here.
        assert "new" not in clock.tell(DISCOVERY_MS)
        assert clock.is_shown("#new")
        assert "new" not in clock.tell(time - DISCOVERY_MS - 1)
        assert "new" in clock.tell(DISCOVERY_MS + 1)
        # A heavy runtime of the next page would wait for ever.
        context.clock.resume()


def test_consent(given, ledger, sent, uid):
    page = given(appId=APPLICATION, uid=uid, consent="pending", **SOON)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    ask_relay(page)
    assert page.evaluate("localStorage.length") == 0
    assert sent() == []
    page.evaluate("neuralens('consent', 'granted')")
    assert first(ledger, "SHARE")["items"] == [{"id": "B"}]


@pytest.mark.parametrize("word", ["pendign", "Granted", "", "yes"])
def test_misspelt_consent_is_pending(given, ledger, sent, uid, word):
    """A word that is none of the three keeps everything on the page, until a right one comes."""
    page = given(appId=APPLICATION, uid=uid, consent=word, **SOON)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    page.evaluate("neuralens('flush')")
    assert page.evaluate("localStorage.length") == 0
    assert sent() == []
    assert page.said == [("warning", "neuralens: consent must be one of granted, pending, denied")]
    page.evaluate("neuralens('consent', 'granted')")
    assert first(ledger, "SHARE")["items"] == [{"id": "B"}]


@pytest.mark.parametrize(("respected", "count"), [(True, 0), (False, 1)])
def test_respect_gpc(given, context, ledger, sent, uid, respected, count):
    context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true })"
    )
    page = given(appId=APPLICATION, uid=uid, respectGpc=respected, viewMs=99999, suggestionMs=99999)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    ask_relay(page)
    assert [event["items"] for event in ledger.wait_for(count)] == [[{"id": "B"}]] * count
    assert page.evaluate("localStorage.length") == 0 or not respected
    assert len(sent()) == count


def test_debug(given, ledger, uid):
    """Each event is a line on the console, beside what is wrong."""
    page = given(appId=APPLICATION, uid=uid, debug=True, viewMs=99999, suggestionMs=99999)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    first(ledger, "SHARE")
    page.wait_for_function("document.querySelector('neuralens-overlay')")
    kind, line = next(said for said in page.said if "SHARE" in said[1])
    assert kind in ("log", "info", "debug")
    assert line.startswith("neuralens SHARE B ")
    page = given(appId=APPLICATION, uid=uid, viewMs=99999, suggestionMs=99999)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    ledger.wait_for(2)
    assert page.said == []


def test_wrong_values_are_said_once_and_the_defaults_used(given, ledger, uid):
    """Of consent, the default does not stand in: nothing is sent until there is a right word."""
    wrong = {
        "viewMs": "soon",
        "suggestionMs": "-1",
        "respectGpc": "no",
        "debug": "1",
        "page": "HOME",
        "consent": "yes",
    }
    page = given(appId=APPLICATION, uid=uid, **wrong)
    page.evaluate("neuralens('consent', 'granted')")
    view = first(ledger, "VIEW_PRODUCT")
    assert (view["items"], "page" in view) == ([{"id": "A"}], False)
    page.evaluate("neuralens('page', { page: 'HOME' })")
    assert {kind for kind, _ in page.said} == {"warning"}
    assert sorted(line.removeprefix("neuralens: ") for _, line in page.said) == [
        "consent must be one of granted, pending, denied",
        "debug must be true or false",
        f"page must be one of {', '.join(PAGES)}",
        "respectGpc must be true or false",
        "suggestionMs must be a whole number from 0",
        "viewMs must be a whole number from 0",
    ]


@pytest.mark.parametrize(
    "config",
    [
        "window.neuralensConfig = 5",
        "window.neuralensConfig = 'appId'",
        "window.neuralensConfig = { get page() { throw new Error('broken'); } }",
        "window.neuralensConfig = {}; neuralensConfig.self = neuralensConfig",
        "window.neuralensConfig = () => ({})",
    ],
    ids=["number", "text", "throwing getter", "circle", "function"],
)
def test_broken_config_is_said_and_the_rest_goes_on(load, runtime, ledger, uid, config):
    page = load({"appId": APPLICATION, "uid": uid, **SOON}, config)
    assert first(ledger, "VIEW_PRODUCT")["uid"] == uid
    assert page.said.count(("warning", "neuralens: neuralensConfig must be an object")) == 1
    # What stands in for a heavy runtime reads it too, and may tell what was thrown.
    assert len(page.said) <= (1 if runtime == "javascript" else 2)


def test_config_with_other_keys(load, ledger, uid):
    """Keys of somebody else's, null and undefined are no settings."""
    page = load(
        {"appId": APPLICATION, "uid": uid, "viewMs": 60},
        "window.neuralensConfig = { page: null, query: undefined, other: 1, constructor: 2,"
        " __proto__: { page: 'HOME' }, uid: 'another', suggestionMs: 1 }",
    )
    view = first(ledger, "VIEW_PRODUCT")
    assert (view["uid"], "page" in view, "query" in view) == (uid, False, False)
    assert page.said == []


def test_tag_goes_before_config(load, ledger, uid):
    page = load(
        {"appId": APPLICATION, "uid": uid, "query": "tag", "viewMs": 60},
        "window.neuralensConfig = { appId: 'another', query: 'config', page: 'CATEGORY_PAGE',"
        " viewMs: 99999 }",
    )
    view = first(ledger, "VIEW_PRODUCT")
    assert (view["query"], view["page"]) == ("tag", "CATEGORY_PAGE")
    assert page.said == []


def test_tag_without_an_application(load, shop):
    """What the relay refuses is said on the console, where who embeds the tag looks for it."""
    page = load({"viewMs": 60}, until="true")
    eventually(lambda: page.evaluate("true") and page.said)
    assert page.said == [("warning", "neuralens: data-app-id is missing: nothing is tracked")]
    assert shop.posts == []
