"""What verify concludes of what was seen; no browser is needed for that."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from neuralens_verify import Observations, diagnose
from neuralens_verify.observations import Element, Event, Health, Post, Probe, Script, Tag, View
from neuralens_verify.reports import FORMATS

COMMAND = Path(sys.executable).with_name("neuralens-tracker")
SHOP = "https://shop.example"
SCRIPT = Tag(f"{SHOP}/nl/neuralens.js", "sha384-A", {"appId": "APP"})


def view(step: str = "open", **given: object) -> View:
    usual = View(step, f"{SHOP}/", "1", (SCRIPT,), "0.2.0", gpc=False, elements=(), queries=())
    return replace(usual, **given)


def tile(value: str, listing: str = "0") -> Element:
    return Element("data-nl-product", value, listing, "results", hidden=False)


def event(eid: str, step: str = "open", **given: object) -> Event:
    usual = Event(step, eid, "VIEW_PRODUCT", ("A",), 0, "CATEGORY_PAGE", None)
    return replace(usual, **given)


def seen(*views: View, **given: object) -> Observations:
    made = Observations(f"{SHOP}/", refused=False)
    made.steps = {each.step: "" for each in views}
    made.views = list(views)
    made.events = [event("1")]
    made.posts = [Post("open", f"{SHOP}/nl/events", "APP", ("1",), 202)]
    made.probe = Probe(f"{SHOP}/nl/events", SHOP, 202)
    made.health = Health("running", (), 0, 0)
    for name, value in given.items():
        setattr(made, name, value)
    return made


def causes(observations: Observations) -> list[str]:
    return [finding.cause for finding in diagnose(observations)]


def test_nothing_is_wrong_where_everything_arrived() -> None:
    assert causes(seen(view(elements=(tile("A"),)))) == []


def test_a_page_without_the_tag_is_named_also_if_others_have_it() -> None:
    without = view("product", url=f"{SHOP}/p/1", tags=(), version=None)
    (found,) = diagnose(seen(view(), without))
    assert (found.cause, found.page) == ("no-tag", f"{SHOP}/p/1")


def test_what_lies_behind_a_fault_is_not_named() -> None:
    """A script that is not there makes no events, and nobody answers its posts either."""
    observations = seen(
        view(version=None),
        events=[],
        posts=[],
        scripts={SCRIPT.src: Script(SCRIPT.src, 404, "text/html", "", "")},
        probe=Probe(f"{SHOP}/nl/events", SHOP, 404),
    )
    assert causes(observations) == ["not-proxied"]


def test_an_asset_pipeline_may_rename_the_script() -> None:
    renamed = Tag(f"{SHOP}/static/neuralens.4f2a9c.js", "", {"appId": "APP"})
    assert causes(seen(view(tags=(renamed,)))) == []
    stub = Tag(f"{SHOP}/nl/neuralens.stub.js", "", {})
    overlay = Tag(f"{SHOP}/nl/neuralens.overlay.js", "", {})
    assert causes(seen(view(tags=(SCRIPT, stub, overlay)))) == []


def test_what_a_heavy_runtimes_tag_loads_is_no_second_tag() -> None:
    early = Tag(
        f"{SHOP}/nl/neuralens.early.js", "", {"appId": "A", "src": "/nl/neuralens.brython.js"}
    )
    loaded = Tag(f"{SHOP}/nl/neuralens.brython.js", "", {})
    assert causes(seen(view(tags=(early, loaded)))) == []


@pytest.mark.parametrize(
    ("probe", "cause"),
    [
        (Probe(f"{SHOP}/nl/events", SHOP, 403, error="this origin may not"), "host-rewritten"),
        (Probe("https://r.example/events", SHOP, 403, error="no"), "origin-refused"),
        (Probe(f"{SHOP}/nl/events", SHOP, 403), "blocked-on-the-way"),
        (Probe(f"{SHOP}/nl/events", SHOP, 503, error="the outbox is full"), "relay-refuses"),
        (Probe(f"{SHOP}/nl/events", SHOP, 0, failure="connect ECONNREFUSED"), "relay-unreachable"),
        (Probe(f"{SHOP}/nl/events", SHOP, 405), "not-proxied"),
    ],
)
def test_what_the_endpoint_answers(probe: Probe, cause: str) -> None:
    assert causes(seen(view(), posts=[], probe=probe)) == [cause]


@pytest.mark.parametrize(
    ("forwarding", "reason", "dead", "cause"),
    [
        ("paused", "forwarding is paused: 403: the key is not known", 0, "refused-key"),
        ("paused", "forwarding is paused: 404: Not Found", 0, "wrong-api-address"),
        ("holding", "forwarding is holding: ClientConnectorError: no", 0, "wrong-api-address"),
        ("holding", "forwarding is holding: 503: later", 0, "api-unavailable"),
        ("running", "2 dead letters: 2 x 422: no", 2, "dead-events"),
    ],
)
def test_what_the_relay_says_of_itself(forwarding: str, reason: str, dead: int, cause: str) -> None:
    health = Health(forwarding, (reason,), 0, dead)
    assert causes(seen(view(), health=health)) == [cause]


def test_events_that_nobody_answered_for_are_named() -> None:
    assert causes(seen(view(), posts=[])) == ["not-acknowledged"]


def test_a_search_corrected_by_the_shop_is_no_missing_context() -> None:
    corrected = event("1", "results", query="chair", page="SEARCH_RESULT_PAGE")
    observations = seen(
        view(), view("results", document="2"), events=[corrected], searched={"chiar"}
    )
    assert causes(observations) == []


def test_recommendations_may_begin_at_rank_0_on_every_page() -> None:
    """Only the list of the results itself goes on."""
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
    posts = [Post("open", "", "APP", ("1", "2", "3", "4"), 202)]
    assert causes(seen(*views, events=events, posts=posts)) == []


def test_after_a_refusal_nothing_may_be_captured() -> None:
    late = seen(view(), refused=True, answered="OneTrust", events=[event("1", "results")])
    assert causes(late) == ["sent-without-consent"]
    assert causes(seen(view(), refused=True, answered="OneTrust")) == []


def test_the_three_forms_say_the_same() -> None:
    observations = seen(view(tags=(SCRIPT, SCRIPT)))
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
    ("arguments", "said"),
    [
        (["shop.example"], "is no http or https URL"),
        (["http://127.0.0.1:9/", "--browser", "/nowhere"], "no Chromium can be started"),
    ],
)
def test_a_visit_that_cannot_be_made_is_one_sentence(arguments: list[str], said: str) -> None:
    # A process of its own: two Playwrights cannot run in one thread.
    done = subprocess.run([COMMAND, "verify", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
