"""A product page lands once in each page view, on the page PRODUCT_PAGE unless said otherwise."""

import pytest

from tests.browser.page import wait_until_loaded


def told(events):
    return [(event.name, event.id, event.get("page"), event.get("query")) for event in events]


def test_every_field(show, ledger, uid):
    page = show('<main data-nl-landing="AV768"><h1>Oak chair</h1></main>', page="CATEGORY_PAGE")
    (landing,) = ledger.settle(page)
    del landing["timestamp"]
    assert landing == {
        "uid": uid,
        "items": [{"id": "AV768"}],
        "event": "LAND_PRODUCT_PAGE",
        "page": "PRODUCT_PAGE",
    }


@pytest.mark.parametrize(
    "body",
    [
        '<main data-nl-landing="A" data-nl-page="CATEGORY_PAGE" data-nl-query="oak"></main>',
        '<body data-nl-page="CATEGORY_PAGE" data-nl-query="oak"><p data-nl-landing="A"></p>',
    ],
)
def test_context(show, ledger, body):
    page = show(body)
    assert told(ledger.settle(page)) == [("LAND_PRODUCT_PAGE", "A", "CATEGORY_PAGE", "oak")]


def test_once(show, ledger):
    page = show('<main data-nl-landing="A">Chair</main><div data-nl-landing="A"></div>')
    page.evaluate("document.body.innerHTML = document.body.innerHTML")
    landings = [("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", None)]
    assert told(ledger.settle(page)) == landings
    page.click("main")
    assert told(ledger.settle(page)) == landings


def test_again_in_another_page_view(show, ledger):
    page = show('<main data-nl-landing="A"></main>')
    assert len(ledger.settle(page)) == 1
    page.reload()
    assert len(ledger.settle(page)) == 2
    wait_until_loaded(page)
    page.evaluate("neuralens('page', { query: 'oak' })")
    # Once it is plain that no other document follows the call.
    ledger.wait_for(3)
    assert told(ledger.settle(page))[2:] == [("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", "oak")]


def test_in_a_single_page_shop(show, ledger):
    """A view that comes later, and one that takes the former's element."""
    page = show("<main></main>")
    page.evaluate("document.querySelector('main').innerHTML = '<p data-nl-landing=\"A\"></p>'")
    ledger.settle(page)
    page.evaluate("document.querySelector('p').dataset.nlLanding = 'B'")
    assert [event.id for event in ledger.settle(page)] == ["A", "B"]


def test_product_page_with_recommendations(show, ledger):
    page = show(
        '<main data-nl-landing="A"><h1>Chair</h1>'
        '<p data-nl-list="similar"><a data-nl-product="B">Table</a></p></main>'
    )
    assert sorted(told(ledger.settle(page))) == [
        ("LAND_PRODUCT_PAGE", "A", "PRODUCT_PAGE", None),
        ("VIEW_PRODUCT", "B", None, None),
    ]
