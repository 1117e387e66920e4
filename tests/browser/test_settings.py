"""Every setting, as an attribute of the tag and as a key of neuralensConfig, valid and invalid."""

import json
import re

import pytest
from neuralens_embed.snippet import Snippet
from neuralens_tracker.attributes import PRODUCT, SUGGESTION
from neuralens_tracker.vocabulary import PAGES

from tests.browser.clock import DISCOVERY_MS, Clock
from tests.browser.page import round_trip
from tests.polling import eventually
from tests.processes import APPLICATION

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
    """Show a page with attributes of the tag as given, and a configuration script."""

    def load(attributes, config="", until="() => window.neuralens && neuralens.version"):
        # Not by Snippet, which refuses invalid values.
        tag = str(Snippet(APPLICATION, runtime=runtime))
        without = re.sub(r' data-app-id="[^"]*"', "", tag)
        texts = "".join(
            f' data-{name_of(name).replace("_", "-")}="{value}"'
            for name, value in attributes.items()
        )
        assert without != tag
        end = without.rindex("></script>")
        shop.put("/", PAGE.format(config=config, tag=without[:end] + texts + without[end:]))
        page = context.new_page()
        page.console_messages = []
        # PyScript itself logs that it is ready.
        page.on(
            "console",
            lambda line: (
                "PyScript" in line.text or page.console_messages.append((line.type, line.text))
            ),
        )
        page.on("pageerror", lambda error: page.console_messages.append(("thrown", str(error))))
        page.goto("/")
        page.wait_for_function(until)
        return page

    return load


@pytest.fixture
def sent(shop, uid):
    """Return the batches of this shopper, without late ones of earlier tests."""

    def sent():
        return [
            batch for batch in shop.batches if uid in [event["uid"] for event in batch["events"]]
        ]

    return sent


@pytest.fixture(params=["attributes", "config"])
def show_with(request, load):
    """Show a page with settings, given in one of the two ways."""

    def show_with(**settings):
        if request.param == "attributes":
            texts = {
                name: str(value).lower() if isinstance(value, bool) else value
                for name, value in settings.items()
            }
            return load(texts)
        return load({}, f"window.neuralensConfig = {json.dumps(settings)}")

    return show_with


def wait_for_first(ledger, event):
    """Wait for the first event with a name, and return it."""
    count = 1
    while True:
        events = ledger.wait_for(count)
        found = [each for each in events if each["event"] == event]
        if found:
            return found[0]
        count = len(events) + 1


def test_text_settings(show_with, ledger, sent, uid):
    """uid, page and query are in the events, the application id is in the batch."""
    show_with(appId=APPLICATION, uid=uid, page="CATEGORY_PAGE", query="oak", **SOON)
    view = wait_for_first(ledger, "VIEW_PRODUCT")
    del view["timestamp"]
    assert view == {
        "uid": uid,
        "items": [{"id": "A"}],
        "event": "VIEW_PRODUCT",
        "page": "CATEGORY_PAGE",
        "query": "oak",
    }
    assert {batch["app"] for batch in sent()} == {APPLICATION}


def test_endpoint(show_with, ledger, uid):
    page = show_with(appId=APPLICATION, uid=uid, endpoint="/nl/../nl/./events", viewMs=60)
    with page.expect_request("**/nl/events?**") as sent:
        page.wait_for_load_state()
    assert re.search(r"/nl/events\?b=[0-9a-f]{8}-[0-9]+$", sent.value.url)
    wait_for_first(ledger, "VIEW_PRODUCT")


APPEND = """(attribute) => {
    const element = document.createElement("p");
    element.id = "new";
    element.setAttribute(attribute, "new");
    element.textContent = "new";
    document.querySelector("ul").append(element);
}"""


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("setting", "attribute", "default"),
    [("viewMs", PRODUCT, 1000), ("suggestionMs", SUGGESTION, 400)],
)
def test_times(show_with, context, uid, setting, attribute, default):
    context.clock.install()
    for settings, time in (({setting: 200}, 200), ({}, default)):
        clock = Clock(show_with(appId=APPLICATION, uid=uid, **settings))
        clock.page.evaluate(APPEND, attribute)
        # The view may start at any time until here.
        assert "new" not in clock.run_for(DISCOVERY_MS)
        assert clock.is_shown("#new")
        assert "new" not in clock.run_for(time - DISCOVERY_MS - 1)
        assert "new" in clock.run_for(DISCOVERY_MS + 1)
        # With the paused clock, a heavy runtime of the next page would never start.
        context.clock.resume()


def test_consent(show_with, ledger, sent, uid):
    page = show_with(appId=APPLICATION, uid=uid, consent="pending", **SOON)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    round_trip(page)
    assert page.evaluate("localStorage.length") == 0
    assert sent() == []
    page.evaluate("neuralens('consent', 'granted')")
    assert wait_for_first(ledger, "SHARE")["items"] == [{"id": "B"}]


@pytest.mark.one_case
@pytest.mark.parametrize("word", ["pendign", "Granted", "", "yes"])
def test_misspelled_consent_is_pending(show_with, ledger, sent, uid, word):
    """An unknown state holds all events until a valid one is given."""
    page = show_with(appId=APPLICATION, uid=uid, consent=word, **SOON)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    page.evaluate("neuralens('flush')")
    assert page.evaluate("localStorage.length") == 0
    assert sent() == []
    assert page.console_messages == [
        ("warning", "neuralens: consent must be one of granted, pending, denied")
    ]
    page.evaluate("neuralens('consent', 'granted')")
    assert wait_for_first(ledger, "SHARE")["items"] == [{"id": "B"}]


@pytest.mark.parametrize(("respected", "count"), [(True, 0), (False, 1)])
def test_respect_gpc(show_with, context, ledger, sent, uid, respected, count):
    context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true })"
    )
    page = show_with(
        appId=APPLICATION, uid=uid, respectGpc=respected, viewMs=99999, suggestionMs=99999
    )
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    round_trip(page)
    assert [event["items"] for event in ledger.wait_for(count)] == [[{"id": "B"}]] * count
    assert (page.evaluate("localStorage.length") == 0) is respected
    assert len(sent()) == count


def test_debug(show_with, ledger, uid):
    """Each event is printed on the console, in addition to problems."""
    page = show_with(appId=APPLICATION, uid=uid, debug=True, viewMs=99999, suggestionMs=99999)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    wait_for_first(ledger, "SHARE")
    page.wait_for_function("document.querySelector('neuralens-overlay')")
    kind, line = next(message for message in page.console_messages if "SHARE" in message[1])
    assert kind in ("log", "info", "debug")
    assert line.startswith("neuralens SHARE B ")
    page = show_with(appId=APPLICATION, uid=uid, viewMs=99999, suggestionMs=99999)
    page.evaluate("neuralens('track', 'SHARE', { id: 'B' })")
    ledger.wait_for(2)
    assert page.console_messages == []


def test_invalid_values_are_reported_once_and_replaced_by_defaults(show_with, ledger, uid):
    """Consent is the exception: nothing is sent until there is a valid state."""
    wrong = {
        "viewMs": "soon",
        "suggestionMs": "-1",
        "respectGpc": "no",
        "debug": "1",
        "page": "HOME",
        "consent": "yes",
    }
    page = show_with(appId=APPLICATION, uid=uid, **wrong)
    page.evaluate("neuralens('consent', 'granted')")
    view = wait_for_first(ledger, "VIEW_PRODUCT")
    assert (view["items"], "page" in view) == ([{"id": "A"}], False)
    page.evaluate("neuralens('page', { page: 'HOME' })")
    assert {kind for kind, _ in page.console_messages} == {"warning"}
    assert sorted(line.removeprefix("neuralens: ") for _, line in page.console_messages) == [
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
def test_broken_config_is_reported_and_the_rest_applies(load, runtime, ledger, uid, config):
    page = load({"appId": APPLICATION, "uid": uid, **SOON}, config)
    assert wait_for_first(ledger, "VIEW_PRODUCT")["uid"] == uid
    assert (
        page.console_messages.count(("warning", "neuralens: neuralensConfig must be an object"))
        == 1
    )
    # The early script of a heavy runtime reads it, too, and may report the exception.
    assert len(page.console_messages) <= (1 if runtime == "javascript" else 2)


def test_config_with_other_keys(load, ledger, uid):
    """Unknown keys, null and undefined are ignored."""
    page = load(
        {"appId": APPLICATION, "uid": uid, "viewMs": 60},
        "window.neuralensConfig = { page: null, query: undefined, other: 1, constructor: 2,"
        " __proto__: { page: 'HOME' }, uid: 'another', suggestionMs: 1 }",
    )
    view = wait_for_first(ledger, "VIEW_PRODUCT")
    assert (view["uid"], "page" in view, "query" in view) == (uid, False, False)
    assert page.console_messages == []


def test_tag_overrides_config(load, ledger, uid):
    page = load(
        {"appId": APPLICATION, "uid": uid, "query": "tag", "viewMs": 60},
        "window.neuralensConfig = { appId: 'another', query: 'config', page: 'CATEGORY_PAGE',"
        " viewMs: 99999 }",
    )
    view = wait_for_first(ledger, "VIEW_PRODUCT")
    assert (view["query"], view["page"]) == ("tag", "CATEGORY_PAGE")
    assert page.console_messages == []


def test_tag_without_an_application(load, shop):
    """The refusal of the relay is reported on the console."""
    page = load({"viewMs": 60}, until="true")
    eventually(lambda: page.evaluate("true") and page.console_messages)
    assert page.console_messages == [
        ("warning", "neuralens: data-app-id is missing: nothing is tracked")
    ]
    assert shop.batches == []
