"""Amplification during a journey: bytes sent, compared with the bytes needed."""

import random

import pytest

from tests.browser.shop import NO_COOKIE
from tests.faults.accounts import Accounts

pytestmark = pytest.mark.every_engine
PAGE = """<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak">
<ol data-nl-list="results">
<li data-nl-product="P{n}"><a id="next" href="/page/{next}">one</a></li></ol></main>"""
MAX_RATIO = 1.05
# The first pages do not know yet that cookies are dropped.
MAX_RATIO_WITHOUT_COOKIES = 1.1


@pytest.mark.parametrize(
    ("pages", "delay"),
    [
        pytest.param(6, 0.3, id="6 pages-relay responding after 300 ms"),
        pytest.param(50, 0, id="50 pages-prompt relay", marks=pytest.mark.faults),
        pytest.param(
            50, 0.3, id="50 pages-relay responding after 300 ms", marks=pytest.mark.faults
        ),
    ],
)
def test_journey(put, show, shop, ledger, uid, pages, delay, add_row):
    shop.delay = delay
    row = travel(put, show, Accounts(shop, ledger, uid), pages)
    add_row(row)
    assert float(row[-1]) <= MAX_RATIO


@pytest.mark.faults
def test_journey_behind_a_proxy_that_drops_cookies(put, show, shop, ledger, uid, add_row):
    shop.fault = lambda request, body: NO_COOKIE
    row = travel(put, show, Accounts(shop, ledger, uid), 50)
    add_row(row)
    assert float(row[-1]) <= MAX_RATIO_WITHOUT_COOKIES


def travel(put, show, accounts, pages):
    """Visit pages, each of which is left by a click after 0.3 to 3 s; return the table's row."""
    stay = random.Random(pages)
    for n in range(1, pages + 1):
        put(PAGE.format(n=n, next=n + 1), path=f"/page/{n}", view_ms=999_999)
    page = show(PAGE.format(n=0, next=1), path="/page/0", view_ms=999_999)
    for n in range(pages):
        accounts.share(page, f"S{n}")
        page.wait_for_timeout(stay.uniform(300, 3000))
        page.click("#next")
        accounts.tracked.append(f"P{n}")
        page.wait_for_url(f"**/page/{n + 1}")
        page.wait_for_function("window.neuralens && neuralens.version")
    return accounts.reconcile(page)
