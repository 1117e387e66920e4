"""The diagnoses of verify, over given observations; without a browser."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from neuralens_embed.cli import main
from neuralens_verify import Observations, diagnose
from neuralens_verify.addresses import locate, site_of
from neuralens_verify.loading import sandboxed
from neuralens_verify.markup import is_misread
from neuralens_verify.messages import (
    Message,
    Receipt,
    SentBatch,
    parse_batch,
    parse_event,
    parse_health,
    parse_message,
    parse_receipt,
)
from neuralens_verify.observations import (
    Batch,
    Control,
    Element,
    Event,
    Health,
    Probe,
    Script,
    Suppressed,
    Tag,
    View,
    Violation,
)
from neuralens_verify.opening import explain_error
from neuralens_verify.probes import LEAST_TIMEOUT_MS, TIMEOUT_MS, Http
from neuralens_verify.reports import FORMATS
from neuralens_verify.served import Served

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "build/neuralens_verify"
COMMAND = Path(sys.executable).with_name("neuralens-tracker")
SHOP = "https://shop.example"
SCRIPT = Tag(f"{SHOP}/nl/neuralens.js", "sha384-A", {"appId": "APP"})
ACCEPTED = Probe(f"{SHOP}/nl/events", SHOP, 202, page=f"{SHOP}/", app="APP", accepted=True)


def view(step: str = "open", **fields: object) -> View:
    default = View(step, f"{SHOP}/", "1", (SCRIPT,), "0.2.0", gpc=False, elements=(), queries=())
    return replace(default, **fields)


def tile(value: str, list_id: str = "0") -> Element:
    return Element("data-nl-product", value, list_id, hidden=False)


def event(eid: str, step: str = "open", **fields: object) -> Event:
    default = Event(step, eid, "VIEW_PRODUCT", ("A",), 0, "CATEGORY_PAGE", None)
    return replace(default, **fields)


def observe(*views: View, **attributes: object) -> Observations:
    """Return the observations of a visit without faults, except for the given attributes."""
    observations = Observations(f"{SHOP}/", refused=False)
    observations.steps = {each.step: "" for each in views}
    observations.views = list(views)
    observations.events = [event("1")]
    observations.batches = [Batch("open", f"{SHOP}/nl/events", "APP", ("1",), 202)]
    observations.probes = [ACCEPTED]
    observations.health = Health("running", (), 0, 0)
    for name, value in attributes.items():
        setattr(observations, name, value)
    return observations


def causes(observations: Observations) -> list[str]:
    return [finding.cause for finding in diagnose(observations)]


def test_no_findings_without_faults() -> None:
    assert causes(observe(view(elements=(tile("A"),)))) == []


def test_a_page_without_the_tag_is_reported_even_if_others_have_it() -> None:
    untagged = view("product", url=f"{SHOP}/p/1", tags=(), version=None)
    (finding,) = diagnose(observe(view(), untagged))
    assert (finding.cause, finding.page) == ("no-tag", f"{SHOP}/p/1")


def test_a_second_host_that_does_not_forward_is_told_from_a_wrong_address() -> None:
    """The search is on a host of its own, and the relay only behind the first one."""
    other = "https://search.shop.example"
    tag = replace(SCRIPT, src=f"{other}/nl/neuralens.js")
    search = view("results", url=f"{other}/?q=a", tags=(tag,), version=None)
    missing = replace(ACCEPTED, url=f"{other}/nl/events", status=404, accepted=False)
    observations = observe(
        view(),
        search,
        scripts={tag.src: Script(tag.src, status=404, media_type="text/html")},
        probes=[ACCEPTED, replace(missing, page=search.url)],
    )
    assert causes(observations) == ["not-proxied"]


def test_faults_behind_the_first_one_are_not_reported() -> None:
    """A script that is not served creates no events, and the endpoint does not respond either."""
    observations = observe(
        view(version=None),
        events=[],
        batches=[],
        scripts={SCRIPT.src: Script(SCRIPT.src, status=404, media_type="text/html")},
        probes=[replace(ACCEPTED, status=404, accepted=False)],
    )
    assert causes(observations) == ["not-proxied"]


def test_an_asset_pipeline_may_rename_the_script() -> None:
    renamed = Tag(f"{SHOP}/static/neuralens.4f2a9c.js", "", {"appId": "APP"})
    assert causes(observe(view(tags=(renamed,)))) == []
    stub = Tag(f"{SHOP}/nl/neuralens.stub.js", "", {})
    overlay = Tag(f"{SHOP}/nl/neuralens.overlay.js", "", {})
    assert causes(observe(view(tags=(SCRIPT, stub, overlay)))) == []


def test_a_script_that_a_heavy_runtimes_tag_inserts_is_not_a_second_tag() -> None:
    early = Tag(
        f"{SHOP}/nl/neuralens.early.js", "", {"appId": "A", "src": "/nl/neuralens.brython.js"}
    )
    loaded = Tag(f"{SHOP}/nl/neuralens.brython.js", "", {})
    assert causes(observe(view(tags=(early, loaded)))) == []


@pytest.mark.parametrize(
    ("probe", "cause"),
    [
        (Probe(f"{SHOP}/nl/events", SHOP, 403, error="this origin may not"), "host-rewritten"),
        (Probe("https://r.example/events", SHOP, 403, error="no"), "origin-refused"),
        (Probe(f"{SHOP}/nl/events", SHOP, 403), "blocked-on-the-way"),
        (Probe(f"{SHOP}/nl/events", SHOP, 503, error="the outbox is full"), "relay-refuses"),
        (Probe(f"{SHOP}/nl/events", SHOP, 0, failure="connect ECONNREFUSED"), "relay-unreachable"),
        (Probe(f"{SHOP}/nl/events", SHOP, 405), "not-proxied"),
        (Probe(f"{SHOP}/nl/events", SHOP, 502), "relay-unreachable"),
        (Probe(f"{SHOP}/nl/events", SHOP, 419), "blocked-on-the-way"),
        (Probe(f"{SHOP}/nl/events", SHOP, 302, location=f"{SHOP}/en/nl/events"), "redirected"),
        (
            Probe(f"{SHOP}/nl/event", SHOP, 404, error="Not Found", relay=f"{SHOP}/nl"),
            "wrong-endpoint",
        ),
        (Probe(f"{SHOP}/nl/events", SHOP, 404, relay=f"{SHOP}/nl"), "not-proxied"),
    ],
)
def test_diagnosis_of_the_endpoints_response(probe: Probe, cause: str) -> None:
    probe = replace(probe, page=f"{SHOP}/", app="APP")
    assert causes(observe(view(), batches=[], probes=[probe])) == [cause]


def test_an_application_that_answers_in_the_relays_place_is_named() -> None:
    """As in a shop whose asset pipeline serves the script, without a proxy."""
    probe = Probe(f"{SHOP}/nl/events", SHOP, 422, page=f"{SHOP}/", app="APP")
    (finding,) = diagnose(observe(view(), batches=[], probes=[probe]))
    assert "have the proxy forward the endpoint to the relay" in finding.remedy


@pytest.mark.parametrize(
    ("forwarding", "reason", "dead", "cause"),
    [
        ("paused", "forwarding is paused: 403: the key is not known", 0, "refused-key"),
        ("paused", "forwarding is paused: 404: Not Found", 0, "wrong-api-address"),
        ("holding", "forwarding is holding: ClientConnectorError: no", 0, "wrong-api-address"),
        ("holding", "forwarding is holding: 503: later", 0, "api-unavailable"),
        (
            "failing",
            "forwarding is failing: 200 without the documented body",
            0,
            "wrong-api-address",
        ),
        ("running", "2 dead letters: 2 x 422: no", 2, "dead-events"),
        ("following", "forwarding is following: another relay forwards", 0, None),
    ],
)
def test_diagnosis_of_the_relays_health(
    forwarding: str, reason: str, dead: int, cause: str | None
) -> None:
    health = Health(forwarding, (reason,), 0, dead)
    assert causes(observe(view(), health=health)) == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("uid", "expected"),
    [("", []), ("guest", ["shared-uid"]), ("None", []), ("anna@shop.example", [])],
)
def test_diagnosis_of_one_uid_for_all(uid: str, expected: list[str]) -> None:
    observations = observe(view())
    observations.shared_uid = uid
    assert causes(observations) == expected


def test_diagnosis_of_landings() -> None:
    def landings(hidden: bool) -> tuple[Element, ...]:
        return tuple(Element("data-nl-landing", each, "0", hidden) for each in "ABC")

    assert causes(observe(view(elements=landings(False)))) == ["several-landings"]
    assert causes(observe(view(elements=landings(False)[:2]))) == []
    assert causes(observe(view(elements=landings(True)))) == []


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ([Control("add-to-cart", has_item=True)], []),
        ([Control("add_to_cart", has_item=True)], ["invalid-value"]),
        ([Control("share", has_item=False)], ["action-without-item"]),
    ],
)
def test_diagnosis_of_controls(controls: list[Control], expected: list[str]) -> None:
    assert causes(observe(view(controls=tuple(controls)))) == expected


SERVED = Script(
    SCRIPT.src,
    status=200,
    media_type="text/javascript; charset=utf-8",
    integrity="sha384-A",
    current_integrity="sha384-A",
)


@pytest.mark.parametrize(
    ("tag", "script", "cause"),
    [
        (
            {"src": f"{SHOP}/nl/neuralen.js"},
            {"status": 404, "current_integrity": ""},
            "wrong-script-address",
        ),
        (
            {"src": f"{SHOP}/nl/neuralens.min.js"},
            {"status": 404, "current_integrity": ""},
            "wrong-script-address",
        ),
        ({"src": "http://cdn.example/nl/neuralens.js"}, {}, "mixed-content"),
        ({}, {"status": 404, "current_integrity": ""}, "not-proxied"),
        ({}, {"media_type": "text/html"}, "not-proxied"),
        ({}, {"status": 502}, "script-unreachable"),
        ({}, {"media_type": "text/plain"}, "script-media-type"),
        ({"kind": "text/plain"}, {}, "tag-inert"),
        ({"src": "https://cdn.example/neuralens.js"}, {}, "script-without-cors"),
        (
            {"src": "https://cdn.example/neuralens.js", "cors": "anonymous"},
            {},
            "script-without-cors",
        ),
    ],
)
def test_diagnosis_of_the_script(
    tag: dict[str, object], script: dict[str, object], cause: str
) -> None:
    tracker = replace(SCRIPT, **tag)
    response = replace(SERVED, url=tracker.src, **script)
    observations = observe(
        view(version=None, tags=(tracker,)),
        events=[],
        batches=[],
        scripts={tracker.src: response},
        requested={tracker.src},
    )
    assert causes(observations) == [cause]


@pytest.mark.parametrize(
    ("query", "prevention"), [("", "--versioned"), ("?v=AAAA", "by their query")]
)
def test_the_remedy_of_an_old_script_fits_its_address(query: str, prevention: str) -> None:
    tag = replace(SCRIPT, src=SCRIPT.src + query)
    old = replace(SERVED, url=tag.src, integrity="sha384-0")
    observations = observe(
        view(version=None, tags=(tag,)), events=[], batches=[], scripts={tag.src: old}
    )
    (finding,) = diagnose(observations)
    assert finding.cause == "old-cached-script"
    assert prevention in finding.remedy


def test_a_tag_that_a_consent_platform_replaces_is_not_a_second_one() -> None:
    inert = replace(SCRIPT, kind="text/plain")
    assert causes(observe(view(tags=(inert, SCRIPT)))) == []


def test_an_add_on_that_is_not_served_is_reported() -> None:
    addon = Tag(f"{SHOP}/nl/neuralens.ga4.js", "", {})
    missing = replace(SERVED, url=addon.src, status=404)
    observations = observe(view(tags=(SCRIPT, addon)), scripts={addon.src: missing})
    assert causes(observations) == ["add-on-fails"]


def test_products_of_a_list_that_claim_one_rank_are_reported() -> None:
    tiles = tuple(replace(tile(value), index="0") for value in "AB")
    assert causes(observe(view(elements=tiles))) == ["ranks-repeat"]
    assert causes(observe(view(elements=(tiles[0], replace(tiles[1], list_id="1"))))) == []


def test_rejected_events_are_reported() -> None:
    observations = observe(view(), rejected=Counter({"the page has no token": 3}))
    assert causes(observations) == ["rejected-events"]


def test_unacknowledged_events_are_reported() -> None:
    assert causes(observe(view(), batches=[])) == ["not-acknowledged"]


def test_a_query_that_the_shop_corrects_is_not_missing_context() -> None:
    corrected = event("1", "results", query="chair", page="SEARCH_RESULT_PAGE")
    observations = observe(
        view(), view("results", document="2"), events=[corrected], searched={"chiar"}
    )
    assert causes(observations) == []


def test_ranks_of_recommendations_may_restart_on_every_page() -> None:
    """Only those of the results continue."""
    products = [tile("A"), tile("B")], [tile("C"), tile("D")]
    recommended = [tile("X", "1")], [tile("Y", "1")]
    views = [
        view(step, document=str(i), elements=(*products[i], *recommended[i]))
        for i, step in enumerate(("results", "page 2"))
    ]
    events = [
        event("1", "results", ids=("A",), index=0),
        event("2", "results", ids=("X",), index=0),
        event("3", "page 2", ids=("C",), index=24),
        event("4", "page 2", ids=("Y",), index=0),
    ]
    batches = [Batch("open", "", "APP", ("1", "2", "3", "4"), 202)]
    assert causes(observe(*views, events=events, batches=batches)) == []


def test_one_product_may_be_the_first_of_every_page() -> None:
    """As an advertisement; those after it continue the ranks of the first page."""
    ranks = {"results": {"X": 0, "A": 1, "B": 2}, "page 2": {"Y": 0, "C": 3, "D": 4}}
    views = [
        view(step, document=step, elements=tuple(map(tile, products)))
        for step, products in ranks.items()
    ]
    events = [
        event(value, step, ids=(value,), index=index)
        for step, products in ranks.items()
        for value, index in products.items()
    ]
    batches = [Batch("open", "", "APP", tuple("XABYCD"), 202)]
    assert causes(observe(*views, events=events, batches=batches)) == []


def test_events_after_a_refusal_are_reported() -> None:
    late = observe(view(), refused=True, banner="OneTrust", events=[event("1", "results")])
    assert causes(late) == ["sent-without-consent"]
    assert causes(observe(view(), refused=True, banner="OneTrust")) == []


def test_a_refusal_without_a_banner_is_told() -> None:
    for form in ("text", "github"):
        lines = [
            list(FORMATS[form](observe(view(), refused=True, banner=b), [])) for b in ("", "X")
        ]
        assert [any("no consent banner found" in line for line in each) for each in lines] == [1, 0]


def test_every_cause_is_documented() -> None:
    sources = "".join(path.read_text("utf-8") for path in PACKAGE.glob("*.py"))
    table = (ROOT / "docs/verify.md").read_text("utf-8").partition("## Causes")[2]
    first = re.findall(r"^\|([^|]+)\|", table.partition("\n## ")[0], re.MULTILINE)
    documented = re.findall(r"`([a-z-]+)`", "".join(first))
    assert sorted(documented) == sorted(set(re.findall(r'Finding\(\s*"([a-z-]+)"', sources)))


def test_the_three_formats_report_the_same() -> None:
    observations = observe(view(tags=(SCRIPT, SCRIPT)))
    findings = diagnose(observations)
    text = list(FORMATS["text"](observations, findings))
    assert "    VIEW_PRODUCT A #0 CATEGORY_PAGE" in text
    assert any(line.startswith("wrong: tag-twice: ") for line in text)
    assert text[-1] == "1 steps, 1 events, 1 acknowledged, 1 wrong"
    report = json.loads("".join(FORMATS["json"](observations, findings)))
    assert [finding["cause"] for finding in report["findings"]] == ["tag-twice"]
    assert report["steps"][0]["acknowledged"] == 1
    annotation, _ = FORMATS["github"](observations, findings)
    assert annotation.startswith("::error title=tag-twice::")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop.example"], "is not an http or https URL"),
        (["http://127.0.0.1:9/", "--browser", "/nowhere"], "cannot start Chromium"),
    ],
)
def test_a_failed_visit_is_one_sentence(arguments: list[str], message: str) -> None:
    # In a separate process: Playwright's synchronous API runs only once per thread.
    done = subprocess.run([COMMAND, "verify", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("address", ["ftp://shop.example/", "http://anna:secret@127.0.0.1:9/"])
def test_a_failed_visit_is_reported_in_each_format(address: str) -> None:
    for form in ("json", "github"):
        options = ["--browser", "/nowhere", "--format", form, address]
        done = subprocess.run([COMMAND, "verify", *options], capture_output=True, text=True)
        assert done.returncode == 2
        assert "secret" not in done.stdout + done.stderr
        if form == "json":
            report = json.loads(done.stdout)
            assert report["url"] == address.replace("anna:secret@", "")
            assert f"Error: {report['error']}\n" == done.stderr
            assert report["findings"] == []
        else:
            assert done.stdout.startswith("::error title=verify::")


POLICY = "script-src 'nonce-A' 'strict-dynamic'"


@pytest.mark.parametrize(
    ("policy", "nonce", "remedy"),
    [
        ("script-src https://cdn.example", "", "Allow 'self' in script-src, or pass the nonce"),
        (POLICY, "", "Pass the nonce of each response's policy"),
        (POLICY, "B", "no cache may keep the page"),
    ],
)
def test_the_remedy_of_a_blocked_script_fits_the_policy(
    policy: str, nonce: str, remedy: str
) -> None:
    tag = replace(SCRIPT, nonce=nonce)
    blocked = Violation("script-src-elem", tag.src, policy, f"{SHOP}/")
    observations = observe(view(version=None, tags=(tag,)), violations=[blocked])
    (finding,) = diagnose(observations)
    assert finding.cause == "csp-script-src"
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://relay.example/nl/events", ["mixed-content"]),
        ("http://localhost:8787/nl/events", ["relay-unreachable"]),
    ],
)
def test_an_endpoint_that_is_less_secure_than_the_page(endpoint: str, expected: list[str]) -> None:
    probe = replace(ACCEPTED, url=endpoint, status=0, accepted=False, failure="it is closed")
    assert causes(observe(view(), probes=[probe])) == expected


def test_a_bundle_whose_settings_are_unknown_is_not_blamed_for_its_application_id() -> None:
    """The settings of the npm package are in the shop's own script, and nothing was sent."""
    bundled = view(tags=(), elements=(tile("A"),))
    probe = Probe(f"{SHOP}/nl/events", SHOP, 0, page=f"{SHOP}/")
    held = observe(bundled, events=[], batches=[], probes=[probe], held=True)
    assert causes(held) == ["consent-never-granted"]


def test_attributes_of_consent_platforms_are_no_misspelled_settings() -> None:
    foreign = {"cookieconsent": "statistics", "category": "analytics", "cfasync": "false"}
    tag = replace(SCRIPT, settings={**SCRIPT.settings, **foreign})
    assert causes(observe(view(tags=(tag,)))) == []
    misspelled = replace(SCRIPT, settings={**SCRIPT.settings, "endpont": "/track"})
    (finding,) = diagnose(observe(view(tags=(misspelled,))))
    assert (finding.cause, finding.remedy) == ("unknown-setting", "Did you mean data-endpoint?")


def test_a_carousels_clones_are_told_from_products_that_share_an_id() -> None:
    clones = tuple(replace(tile(value), link=f"/{value}") for value in "ABA")
    assert causes(observe(view(elements=clones))) == ["clones"]
    alone = tuple(replace(tile("A"), link="/a") for _ in range(2))
    assert causes(observe(view(elements=alone))) == ["clones"]
    shared = tuple(replace(tile("A"), link=f"/{link}") for link in "ab")
    assert causes(observe(view(elements=shared))) == ["shared-id"]


@pytest.mark.parametrize("values", [("129.00", "59.95"), ("4711.0", "4712.0")])
def test_ids_that_look_like_prices_or_fractions_are_reported(values: tuple[str, str]) -> None:
    assert causes(observe(view(elements=tuple(map(tile, values))))) == ["unrendered-id"]
    assert causes(observe(view(elements=(tile(values[0]), tile("AV768"))))) == []


@pytest.mark.parametrize(
    ("ids", "links", "reported"),
    [
        (["7", "1.234"], ["/p/oak", "/p/elm"], True),
        (["1.234", "12.345"], ["/p/1234", "/p/12345-elm"], True),
        (["123.456", "123.457"], ["/p/123.456", "/p/123.457"], False),
        (["123.456", "123.457"], ["/p/oak", "/p/elm"], False),
    ],
)
def test_numbers_with_points_are_told_from_article_numbers(
    ids: list[str], links: list[str], reported: bool
) -> None:
    tiles = tuple(replace(tile(ids[i]), link=links[i]) for i in (0, 1))
    assert causes(observe(view(elements=tiles))) == (["unrendered-id"] if reported else [])


@pytest.mark.parametrize(("index", "remedy"), [("", "Add data-nl-offset"), ("0", "or omit it")])
def test_the_remedy_of_restarted_ranks_fits_where_they_come_from(index: str, remedy: str) -> None:
    pages = {"results": "A", "page 2": "B"}
    observations = observe(
        *(
            view(step, document=step, elements=(replace(tile(value), index=index),))
            for step, value in pages.items()
        ),
        events=[event(value, step, ids=(value,), index=0) for step, value in pages.items()],
        batches=[Batch("open", "", "APP", ("A", "B"), 202)],
    )
    (finding,) = diagnose(observations)
    assert finding.cause == "ranks-restart"
    assert remedy in finding.remedy


def test_ranks_that_count_what_is_no_product_are_told_from_late_ones() -> None:
    """The first product has not been seen: the others have the ranks of their places."""
    viewed = [event(str(i), "results", ids=(value,), index=i) for i, value in [(1, "B"), (2, "C")]]
    batches = [Batch("open", "", "APP", ("1", "2"), 202)]
    for tiles, expected in (("ABC", []), ("BC", ["ranks-start-late"])):
        results = view("results", elements=tuple(map(tile, tiles)))
        assert causes(observe(results, events=viewed, batches=batches)) == expected


@pytest.mark.parametrize(
    ("tiles", "late"),
    [
        ([tile("A")], True),
        # After an advertisement.
        ([replace(tile("A"), before=1)], False),
        # After a list of one product, or of more.
        ([tile("X", "1"), tile("A")], False),
        ([tile("X", "1"), tile("Y", "1"), tile("A")], True),
    ],
)
def test_ranks_may_count_what_comes_before_the_results(tiles: list[Element], late: bool) -> None:
    seconds = [tile("B"), tile("C")]
    viewed = [event("1", "results", ids=("A",), index=1)]
    results = view("results", elements=(*tiles, *seconds))
    found = causes(observe(results, events=viewed))
    assert found == (["ranks-start-late"] if late else [])


@pytest.mark.parametrize(
    ("step", "elements", "expected"),
    [
        ("results", (), ["page-fails"]),
        ("results", (tile("A"),), []),
        ("product", (tile("A"),), ["page-fails"]),
        # A single-page shop that a server of files sends as its page for errors.
        ("product", (Element("data-nl-landing", "A", "", hidden=False),), []),
    ],
)
def test_a_page_that_fails_with_its_tag_is_reported(
    step: str, elements: tuple[Element, ...], expected: list[str]
) -> None:
    failed = view(step, url=f"{SHOP}/{step}", status=404, elements=elements)
    assert causes(observe(view(), failed)) == expected


def test_a_failing_search_is_not_blamed_on_the_markup() -> None:
    failed = observe(view(), view("results", status=500), events=[], batches=[])
    assert causes(failed) == ["page-fails"]


def test_a_hook_that_drops_each_view_is_reported() -> None:
    dropped = [Suppressed("results", "VIEW_PRODUCT", "before")]
    clicked = [event("1", name="CLICK_PRODUCT")]
    assert causes(observe(view(), suppressed=dropped, events=clicked)) == ["all-suppressed"]
    assert causes(observe(view(), suppressed=dropped)) == []


def test_an_invalid_value_is_blamed_alone_for_what_it_causes() -> None:
    restarted = [
        event(str(i), step, ids=(value,), index=0)
        for i, (step, value) in enumerate([("results", "A"), ("page 2", "B")])
    ]
    observations = observe(
        view("results", elements=(tile("A"),)),
        view("page 2", elements=(tile("B"),)),
        events=restarted,
        batches=[Batch("open", "", "APP", ("0", "1"), 202)],
    )
    assert causes(observations) == ["ranks-restart"]
    observations.messages = {"data-nl-offset must be a whole number from 0: <ol>": f"{SHOP}/"}
    assert causes(observations) == ["invalid-value"]


def test_one_id_may_equal_its_products_price() -> None:
    priced = [replace(tile(value), is_price=True) for value in ("24", "36")]
    assert causes(observe(view(elements=tuple(priced)))) == ["unrendered-id"]
    assert causes(observe(view(elements=(priced[0], tile("25"))))) == []


@pytest.mark.parametrize(
    ("html", "items", "mentioned"),
    [
        ('<p data-nl-product="A"><br><b data-nl-landing="B">', ["A", "B"], False),
        ('<template><p data-nl-product="A"></p></template><p data-nl-product="B">', ["B"], False),
        ('<!-- <script src="/nl/neuralens.js?v=1"></script> -->', [], True),
        ('<link rel="preconnect" href="https://neuralens.shop.example">', [], False),
    ],
)
def test_the_servers_html_is_read(html: str, items: list[str], mentioned: bool) -> None:
    served = Served(html)
    assert [value for _, value in served.items] == items
    assert served.mentions_script == mentioned


CAPTURED = {"eid": "e1", "event": "VIEW_PRODUCT", "items": [{"id": "A"}], "index": 0}
EVENT = Event("search", "e1", "VIEW_PRODUCT", ("A",), 0, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "5",
        "[" * 100_000,
        "{}",
        '{"name": "event", "detail": {}}',
        '{"name": 5, "detail": {}, "document": "1", "page": "/"}',
        '{"name": "event", "detail": [], "document": "1", "page": "/"}',
    ],
)
def test_a_line_that_resembles_a_message_is_none(text: str) -> None:
    assert parse_message(text) is None


def test_a_message_is_parsed() -> None:
    sent = {"name": "event", "detail": {"eid": "1"}, "document": "2", "page": "/", "later": 1}
    assert parse_message(json.dumps(sent)) == Message("event", {"eid": "1"}, "2", "/")


def test_an_event_is_parsed_and_keeps_what_it_is_sent_with() -> None:
    fields = {**CAPTURED, "uid": "u", "timestamp": 1}
    parsed = parse_event(fields, "search")
    assert parsed == EVENT
    assert parsed.fields == fields


@pytest.mark.parametrize(
    "fields",
    [
        {"eid": 1},
        {"event": None},
        {"items": {"id": "A"}},
        {"items": ["A"]},
        {"items": [{"id": 1}]},
        {"index": "0"},
        {"index": True},
        {"index": float("inf")},
        {"page": ["A"]},
        {"query": 1},
    ],
)
def test_what_resembles_an_event_is_none(fields: dict[str, object]) -> None:
    event = {**CAPTURED, **fields}
    assert parse_event(event, "search") is None
    assert parse_batch(json.dumps({"app": "A", "events": [CAPTURED, event]}).encode(), "") is None


def test_a_batch_is_parsed() -> None:
    body = json.dumps({"app": "A", "events": [CAPTURED]}).encode()
    assert parse_batch(body, "search") == SentBatch("A", (EVENT,))


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (
            {"accepted": 1, "duplicates": 2, "rejected": [{"eid": "1", "reason": "no page"}]},
            Receipt(is_relay=True, duplicates=2, rejected=("no page",)),
        ),
        ({"accepted": "all", "duplicates": "no", "rejected": 0}, Receipt()),
        ({"error": "no such application"}, Receipt(error="no such application")),
        ({"error": {"code": 5}}, Receipt()),
        ([], Receipt()),
    ],
)
def test_a_receipt_is_told_from_responses_of_others(body: object, receipt: Receipt) -> None:
    assert parse_receipt(json.dumps(body).encode()) == receipt


@pytest.mark.parametrize(
    ("body", "health"),
    [
        (
            {"forwarding": "paused", "reasons": ["a key"], "waiting": 3, "dead": None},
            Health("paused", ("a key",), 3, 0),
        ),
        ({"forwarding": "running", "reasons": 0, "waiting": "no"}, None),
        ({"status": "up"}, None),
    ],
)
def test_the_relays_health_is_told_from_responses_of_others(
    body: object, health: Health | None
) -> None:
    assert parse_health(json.dumps(body).encode()) == health


def test_what_is_no_json_is_nothing() -> None:
    body = b"\xff\xfe\x00" + b"[" * 100_000
    assert (parse_batch(body, ""), parse_receipt(body), parse_health(body)) == (
        None,
        Receipt(),
        None,
    )


def test_an_error_of_the_browser_is_explained() -> None:
    refused = explain_error(SHOP, f"net::ERR_CONNECTION_REFUSED at {SHOP}/")
    assert refused.endswith(
        "nothing listens there: start the shop, or correct the port (ERR_CONNECTION_REFUSED)"
    )
    assert "--insecure" in explain_error(SHOP, f"net::ERR_CERT_AUTHORITY_INVALID at {SHOP}/")
    assert explain_error(SHOP, "net::ERR_OTHER") == f"cannot open {SHOP}: net::ERR_OTHER"


@pytest.mark.parametrize(
    "options",
    [
        ["shop.example"],
        ["http://[::1"],
        ["http://shop.example:99999/"],
        ["anna:secret@shop.example"],
        ["ftp://anna:sec/ret@shop.example/"],
        ["--relay", "relay:8787", f"{SHOP}/"],
    ],
)
def test_what_is_no_url_is_reported(options: list[str]) -> None:
    result = CliRunner().invoke(main, ["verify", *options])
    assert result.exit_code == 2
    assert "sec" not in result.stderr
    assert "is not an http or https URL, such as https://shop.example/" in result.stderr


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        ("", []),
        ("default-src 'self'; sandbox allow-scripts allow-same-origin", []),
        ("default-src 'self'; Sandbox allow-same-origin", ["allow-scripts"]),
        ("default-src 'self', sandbox", ["allow-scripts", "allow-same-origin"]),
        ("default-src 'self'\nsandbox", ["allow-scripts", "allow-same-origin"]),
    ],
)
def test_a_sandbox_must_allow_what_the_tracker_needs(policy: str, missing: list[str]) -> None:
    assert sandboxed(policy) == missing


@pytest.mark.parametrize(
    ("text", "misread"),
    [
        ("stühle", False),
        ("Ã¼", True),
        ("椅".encode().decode("latin-1"), True),
        ("椅子", False),
    ],
)
def test_a_text_in_another_encoding_is_recognized(text: str, misread: bool) -> None:
    assert is_misread(text) is misread


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.shop.example/a", "shop.example"),
        ("https://de.shop.example/", "shop.example"),
        ("https://www.shop.co.uk/", "shop.co.uk"),
        ("https://ab.de/", "ab.de"),
        ("https://www.ab.de/", "ab.de"),
        ("chrome-error://chromewebdata/", "chromewebdata"),
    ],
)
def test_hosts_of_one_shop_have_one_end(url: str, site: str) -> None:
    assert site_of(url) == site


def test_the_visit_ends_with_its_deadline() -> None:
    assert Http(Mock(), time.monotonic() - 1).timeout == LEAST_TIMEOUT_MS
    assert Http(Mock(), time.monotonic() + 60).timeout == TIMEOUT_MS


def test_a_name_that_only_browsers_resolve_is_located() -> None:
    located = ("http://localhost:8000/nl/events", {"Host": "shop.localhost:8000"})
    assert locate("http://shop.localhost:8000/nl/events", {}) == located
    assert locate("http://localhost.example/", {}) == ("http://localhost.example/", {})


def test_consent_that_an_adapter_never_grants_is_explained_by_its_platform() -> None:
    adapter = Tag(f"{SHOP}/nl/neuralens.consent-onetrust.js", "", {})
    waiting = replace(SCRIPT, settings={"appId": "APP", "consent": "pending"})
    served = {adapter.src: replace(SERVED, url=adapter.src)}
    observations = observe(view(tags=(waiting, adapter)), events=[], batches=[], scripts=served)
    (finding,) = diagnose(observations)
    assert finding.cause == "consent-never-granted"
    assert f"the platform of {adapter.src}" in finding.remedy
