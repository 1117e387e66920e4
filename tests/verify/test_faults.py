"""The seeded faults, each named with its cause and no other; nothing on a right shop."""

import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from neuralens_verify.browsing import Wishes, visit
from neuralens_verify.diagnoses import diagnose
from neuralens_verify.observations import Observations
from playwright.sync_api import Browser

from tests.verify.faults import FAULTS, RIGHT
from tests.verify.shops import Shop, serving

# How each banner is found: by the words on its buttons, or by a rule of autoconsent's.
BANNERS = {"own": "the banner", "platform": "Complianz"}
# Seconds that a visit may take; on a machine that does much else at once, too.
LONGEST = 60
# What runs by default: a right shop with a banner, and a fault of each part of the way. All of them
# run by night.
QUICK = {
    "platform's banner",
    "stale integrity",
    "prefix stripped",
    "SPA without context",
    "refused key",
}


def each(names: Iterable[str]) -> list[ParameterSet]:
    """Return names as parameters, of which most wait for the night."""
    night = [pytest.mark.nightly]
    return [pytest.param(name, marks=() if name in QUICK else night) for name in names]


def browse(
    browser: Browser, shop: Shop, folder: Path, wishes: Wishes | None = None
) -> Observations:
    with serving(shop, folder) as served:
        asked = wishes or Wishes(query="chair", relay=f"{served.relay_url}/nl")
        return visit(browser, served.url, asked)


@pytest.mark.parametrize("name", each(RIGHT))
def test_nothing_is_wrong_with_a_right_shop(name: str, chromium: Browser, tmp_path: Path) -> None:
    seen = browse(chromium, RIGHT[name], tmp_path)
    assert diagnose(seen) == []
    captured = {event.eid for event in seen.events}
    assert captured
    assert seen.answered.startswith(BANNERS.get(RIGHT[name].banner, ""))
    assert captured <= seen.acknowledged
    assert list(seen.steps) == ["open", "search", "results", "page 2", "product"]


@pytest.mark.parametrize("name", each(FAULTS))
def test_a_fault_is_named(name: str, chromium: Browser, tmp_path: Path) -> None:
    cause, shop = FAULTS[name]
    began = time.monotonic()
    found = diagnose(browse(chromium, shop, tmp_path))
    assert [finding.cause for finding in found] == [cause]
    assert time.monotonic() - began < LONGEST


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["own banner", "platform's banner"])
def test_after_a_refusal_nothing_is_captured(name: str, chromium: Browser, tmp_path: Path) -> None:
    seen = browse(chromium, RIGHT[name], tmp_path, Wishes(refuse=True, query="chair"))
    assert seen.answered
    assert diagnose(seen) == []
    assert seen.events == []
    assert {each.reason for each in seen.suppressed} == {"consent"}
