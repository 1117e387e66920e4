"""Compatibility with version 0.1.0: its pages, its journal and its relay, as released."""

import json
from signal import SIGKILL

import pytest
from neuralens_embed import bundles
from neuralens_tracker.vocabulary import VERSION

from tests.browser.page import SUGGESTION_MS, VIEW_MS
from tests.browser.servers import SHORT_DELAYS
from tests.browser.summaries import select
from tests.polling import eventually
from tests.processes import APPLICATION, RELAY, Process

# The fields of events that matter here.
FIELDS = ("event", "ids", "index", "query", "page")

OLD_SCRIPT = "/release-0.1.0.js"
OLD_TAG = (
    f'<script async src="{OLD_SCRIPT}" data-app-id="{APPLICATION}" data-view-ms="{VIEW_MS}"'
    f' data-suggestion-ms="{SUGGESTION_MS}" %s></script>'
)
RESULTS = """<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak" data-nl-list="results">
<p data-nl-product="A"><a href="/chair">first</a></p>
<p data-nl-product="B"><button data-nl-action="favorite" aria-pressed="false">like</button></p>
</main>
<input role="combobox" aria-controls="box" data-nl-suggestions oninput="box.hidden = false">
<ul id="box" role="listbox" hidden><li role="option">oak chair</li></ul>"""
CHAIR = """<main data-nl-landing="A"><button data-nl-action="add-to-cart">add</button>
<a href="/order">order</a></main>"""
ORDER = """<main data-nl-purchase="%s"><p data-nl-product="A">A</p>
<p data-nl-product="B">B</p></main>"""
WAITING = "Object.keys(localStorage).filter((key) => key.startsWith('nl:e:')).length"


@pytest.fixture
def run_relay(release_0_1_0, shop, sandbox, credentials, tmp_path):
    """Replace the shop's relay by one of 0.1.0 or of this version, with the same outbox."""
    original = shop.relay
    api = {"NEURALENS_API_URL": f"{sandbox.url}/analytics/event"}
    environment = credentials | SHORT_DELAYS | api

    def run(*, old):
        modules = {"PYTHONPATH": str(release_0_1_0)} if old else {}
        shop.relay = Process(RELAY, environment=environment | modules, cwd=tmp_path)

    yield run
    if shop.relay is not original:
        shop.relay.end()
    shop.relay = original


@pytest.fixture
def show_old(release_0_1_0, shop, uid, context):
    """Serve pages with the script of 0.1.0, given by their bodies, and show the first."""
    script = (release_0_1_0 / "neuralens_build" / "dist" / "neuralens.js").read_text("utf-8")
    shop.put(OLD_SCRIPT, script, {"Content-Type": "text/javascript"})
    tab = context.new_page()

    def show(pages, attributes=f'data-uid="{uid}"'):
        for path, body in pages.items():
            shop.put(path, f"<!doctype html>{OLD_TAG % attributes}{body}")
        tab.goto(next(iter(pages)))
        wait_for_old(tab)
        return tab

    return show


def wait_for_old(page):
    page.wait_for_function("window.neuralens?.version === '0.1.0'")


def share(page, name):
    page.evaluate("(id) => { neuralens('track', 'SHARE', { id }); neuralens('flush'); }", name)


def shared_ids(events):
    return sorted(event.id for event in events if event.name == "SHARE")


def test_pages_of_0_1_0_with_this_relay(show_old, shop, ledger, uid):
    page = show_old({"/": RESULTS, "/chair": CHAIR, "/order": ORDER % uid})
    page.get_by_text("like").click()
    page.get_by_role("combobox").fill("oa")
    ledger.wait_for(4)
    page.get_by_role("option").click()
    ledger.wait_for(5)
    page.get_by_text("first").click()
    page.get_by_text("add").click()
    page.get_by_text("order").click()
    wait_for_old(page)
    results = ("oak", "SEARCH_RESULT_PAGE")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [
        ("ADD_TO_CART", "A", None, None, "PRODUCT_PAGE"),
        ("CLICK_PRODUCT", "A", 0, *results),
        ("CLICK_SUGGESTION", "oak chair", 0, "oa", "AUTOCOMPLETE"),
        ("FAVORITE", "B", 1, *results),
        ("LAND_PRODUCT_PAGE", "A", None, None, "PRODUCT_PAGE"),
        ("PURCHASE", "A B", None, None, None),
        ("VIEW_PRODUCT", "A", 0, *results),
        ("VIEW_PRODUCT", "B", 1, *results),
        ("VIEW_SUGGESTION", "oak chair", 0, "oa", "AUTOCOMPLETE"),
    ]
    assert {event["uid"] for event in ledger.entries()} == {uid}
    assert {post.status for post in shop.posts} == {202}
    # A page of the previous test may have posted a last batch, in the format of today.
    own = [
        post.batch for post in shop.posts if uid in {each["uid"] for each in post.batch["events"]}
    ]
    assert own
    assert not any("journal" in batch for batch in own)


@pytest.mark.parametrize("is_checked", [True, False])
def test_the_tag_of_0_1_0_with_this_relay(release_0_1_0, shop, context, is_checked):
    """With the hash of the old script, the new one is blocked; without, it runs."""
    manifest = json.loads((release_0_1_0 / "neuralens_build/dist/manifest.json").read_text())
    integrity = f'integrity="{manifest["neuralens.js"]["integrity"]}"' if is_checked else ""
    tag = f'<script src="/nl/neuralens.js" {integrity} data-app-id="{APPLICATION}"></script>'
    shop.put("/", f"<!doctype html>{tag}")
    page = context.new_page()
    page.goto("/")
    assert page.evaluate("window.neuralens?.version") == (None if is_checked else VERSION)


def test_storage_of_0_1_0(show_old, show, ledger, uid):
    """An anonymous shopper keeps the uid, and a reported order is not sent again."""
    page = show_old({"/order": ORDER % uid}, attributes="")
    (first,) = ledger.wait_for(1)
    page = show(ORDER % uid, "/order", tab=page, uid=None)
    share(page, "later")
    events = ledger.wait_for_all(page)
    assert [event.name for event in events] == ["PURCHASE", "SHARE"]
    assert {event["uid"] for event in events} == {first["uid"]}


def test_an_upgrade_under_an_open_page(show_old, show, run_relay, shop, ledger, uid):
    """The API is down, and the relay is killed and replaced, while a page stays open."""
    run_relay(old=True)
    ledger.fail(status=503, times=10_000)
    page = show_old({"/": ""})
    share(page, "relay's outbox")
    eventually(lambda: [post.status for post in shop.posts] == [202])
    shop.relay.end(SIGKILL)
    share(page, "browser's journal")
    eventually(lambda: 502 in [post.status for post in shop.posts])

    run_relay(old=False)
    ledger.clear()
    share(page, "old page")
    eventually(lambda: page.evaluate(WAITING) == 0)
    shop.outage = 502
    share(page, "left behind")
    eventually(lambda: page.evaluate(WAITING) == 1)
    shop.outage = None

    page = show("", tab=page)
    share(page, "new page")
    assert shared_ids(ledger.wait_for(5)) == sorted(
        ["relay's outbox", "browser's journal", "old page", "left behind", "new page"]
    )
    eventually(lambda: page.evaluate(WAITING) == 0)
    assert len(ledger.wait_for_all(page)) == 5


@pytest.mark.parametrize("runtime", ["javascript"])
def test_pages_upgraded_before_the_relay(show, run_relay, shop, ledger, uid):
    """A page with a bundled script keeps the events that a relay of 0.1.0 refuses."""
    run_relay(old=True)
    shop.put("/bundled.js", bundles.read("neuralens.js"), {"Content-Type": "text/javascript"})
    page = show("", src="/bundled.js")
    share(page, "A")
    share(page, "B")
    eventually(lambda: len(shop.posts) > 2)
    assert {post.status for post in shop.posts} == {400}
    assert page.evaluate(WAITING) == 2
    shop.relay.end()

    run_relay(old=False)
    page = show("", src="/bundled.js", tab=page)
    share(page, "C")
    assert shared_ids(ledger.wait_for(3)) == ["A", "B", "C"]
    eventually(lambda: page.evaluate(WAITING) == 0)
    assert len(ledger.wait_for_all(page)) == 3
    taken = [post.batch for post in shop.posts if post.status == 202]
    assert {batch["losses"]["refused"] for batch in taken} == {0}
