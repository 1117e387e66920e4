"""Each consent platform by its published interface: nothing is stored or sent without consent."""

import pytest

from tests.browser.bundling import bundle
from tests.browser.page import round_trip, share

pytestmark = pytest.mark.chromium_alone

# Stand-ins for the platforms: ``ask()`` shows the banner, ``decide(granted)`` is the shopper's
# choice. Each uses the interface that the vendor documents.
GOOGLE = """
window.dataLayer = [];
function gtag() { dataLayer.push(arguments); }
window.ask = () => gtag("consent", "default", { analytics_storage: "denied" });
window.decide = (granted) =>
    gtag("consent", "update", { analytics_storage: granted ? "granted" : "denied" });
"""
ONETRUST = """
let closed = false;
const activate = (groups) => {
    window.OneTrust = { IsAlertBoxClosed: () => closed };
    window.OnetrustActiveGroups = "," + groups.join(",") + ",";
    dispatchEvent(new CustomEvent("OneTrustGroupsUpdated", { detail: groups }));
};
window.ask = () => activate(["C0001"]);
window.decide = (granted) => {
    closed = true;
    activate(granted ? ["C0001", "C0002"] : ["C0001"]);
};
"""
COOKIEBOT = """
window.ask = () => {
    window.Cookiebot = { hasResponse: false, consent: { necessary: true, statistics: false } };
    dispatchEvent(new Event("CookiebotOnDialogDisplay"));
};
window.decide = (granted) => {
    Cookiebot.hasResponse = true;
    Cookiebot.consent.statistics = granted;
    dispatchEvent(new Event(granted ? "CookiebotOnAccept" : "CookiebotOnDecline"));
    dispatchEvent(new Event("CookiebotOnConsentReady"));
};
"""
USERCENTRICS_2 = """
let accepted = false, required = true;
window.ask = () => {
    window.UC_UI = {
        isInitialized: () => true,
        isConsentRequired: () => required,
        areAllConsentsAccepted: () => accepted,
    };
    dispatchEvent(new Event("UC_UI_INITIALIZED"));
};
window.decide = (granted) => {
    accepted = granted;
    required = false;
    const detail = { source: "FIRST_LAYER", type: granted ? "ACCEPT_ALL" : "DENY_ALL" };
    dispatchEvent(new CustomEvent("UC_UI_CMP_EVENT", { detail }));
};
"""
USERCENTRICS_3 = """
let consent = { status: "ALL_DENIED", type: "IMPLICIT", required: true };
window.ask = () => {
    window.__ucCmp = { getConsentDetails: async () => ({ consent, services: {} }) };
    dispatchEvent(new Event("UC_UI_INITIALIZED"));
};
window.decide = (granted) => {
    const status = granted ? "ALL_ACCEPTED" : "ALL_DENIED";
    consent = { status, type: "EXPLICIT", required: true };
    dispatchEvent(new CustomEvent("UC_CONSENT", { detail: { consent, services: {} } }));
};
"""
SHOPIFY = """
let allowed = false, banner = true, loaded;
window.Shopify = { loadFeatures: (features, done) => {
    loaded = done;
    if (Shopify.customerPrivacy) done();
} };
window.ask = () => {
    Shopify.customerPrivacy = {
        analyticsProcessingAllowed: () => allowed,
        shouldShowBanner: () => banner,
    };
    loaded && loaded();
};
window.decide = (granted) => {
    allowed = granted;
    banner = false;
    const detail = { analyticsAllowed: granted };
    document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail }));
};
"""
PLATFORMS = {
    "cookiebot": COOKIEBOT,
    "google": GOOGLE,
    "onetrust": ONETRUST,
    "shopify": SHOPIFY,
    "tcf": None,
    "usercentrics-2": USERCENTRICS_2,
    "usercentrics-3": USERCENTRICS_3,
}


@pytest.fixture(params=PLATFORMS)
def platform(request):
    """The name of a platform, and its stand-in script."""
    script = PLATFORMS[request.param]
    name = request.param.removesuffix("-2").removesuffix("-3")
    return name, script or bundle("consent/tcf.js")


@pytest.fixture
def show_platform(show, platform):
    """Open a page with a platform: ``show_platform(ask=False)``."""
    name, script = platform

    def show_platform(then="", **settings):
        page = show("", before=script + then, consent_platform=name, **settings)
        page.wait_for_function(f"window['neuralens.consent-{name}.js']")
        return page

    return show_platform


def stored_keys(page):
    """Return the keys in storage, without the platform's own."""
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('nl:'))")


def posts(shop, uid):
    return [
        event["items"][0]["id"]
        for batch in shop.batches
        for event in batch["events"]
        if event["uid"] == uid
    ]


def assert_withheld(page, shop, uid):
    """Assert that nothing is stored or sent, after what was tracked could have been."""
    round_trip(page)
    assert stored_keys(page) == []
    assert posts(shop, uid) == []


@pytest.mark.one_case
def test_events_are_held_until_consent_is_granted(show_platform, ledger, shop, uid):
    page = show_platform()
    share(page, "before the platform")
    page.evaluate("ask()")
    share(page, "before the decision")
    assert_withheld(page, shop, uid)
    page.evaluate("decide(true)")
    share(page, "after")
    taken = {event.id for event in ledger.wait_for_all(page)}
    assert {"before the platform", "before the decision", "after"} <= taken
    assert [line for line in page.console_messages if "neuralens" in line] == []


@pytest.mark.one_case
def test_a_decision_from_an_earlier_page(show_platform, ledger):
    page = show_platform(then="ask(); decide(true);")
    share(page, "at once")
    assert "at once" in {event.id for event in ledger.wait_for_all(page)}


@pytest.mark.one_case
def test_a_refusal(show_platform, shop, uid):
    page = show_platform()
    share(page, "A")
    page.evaluate("ask()")
    page.evaluate("decide(false)")
    share(page, "B")
    assert_withheld(page, shop, uid)


@pytest.mark.one_case
def test_withdrawal_erases_everything_synchronously(show_platform, shop, uid):
    page = show_platform(then="ask(); decide(true);")
    share(page, "first")
    page.wait_for_function("Object.keys(localStorage).some((key) => key.startsWith('nl:'))")
    shop.fault = lambda request, body: 503
    share(page, "A")
    page.wait_for_function("Object.keys(localStorage).some((key) => key.startsWith('nl:e:'))")
    # Promise callbacks run within the same task.
    left = page.evaluate(
        """() => new Promise((resolve) => {
            decide(false);
            setTimeout(() => resolve(
                Object.keys(localStorage).filter((key) => key.startsWith("nl:"))));
        })"""
    )
    assert left == []
    shop.fault = None
    before = len(posts(shop, uid))
    share(page, "B")
    round_trip(page)
    assert len(posts(shop, uid)) == before


def test_the_data_layer_is_unchanged(show, ledger):
    page = show(
        "", before=GOOGLE + "dataLayer.push(null, 'consent', []);", consent_platform="google"
    )
    page.wait_for_function("window['neuralens.consent-google.js']")
    assert page.evaluate("[dataLayer.push({b: 2}, {c: 3}), Object.keys(dataLayer)]") == [
        5,
        ["0", "1", "2", "3", "4"],
    ]
    # Tag Manager truncates the data layer, and a call may be incomplete.
    page.evaluate("dataLayer.splice(0); gtag('consent', 'update'); decide(true)")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    page.evaluate("dataLayer.splice(0); decide(false)")
    assert stored_keys(page) == []


def test_an_entry_that_throws_hides_no_withdrawal(show, ledger):
    page = show("", before=GOOGLE + "ask(); decide(true);", consent_platform="google")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    page.evaluate("dataLayer.push({ get 0() { throw new Error('unreadable'); } }); decide(false)")
    assert stored_keys(page) == []


@pytest.mark.one_case
@pytest.mark.parametrize("state", ["granted", "denied"])
def test_google_defaults_for_a_region_grant_nothing(show, shop, uid, state):
    script = f"""window.dataLayer = [];
        function gtag() {{ dataLayer.push(arguments); }}
        gtag("consent", "default", {{ analytics_storage: "{state}", region: ["US"] }});"""
    page = show("", before=script, consent_platform="google")
    page.wait_for_function("window['neuralens.consent-google.js']")
    share(page, "A")
    assert_withheld(page, shop, uid)


@pytest.mark.one_case
@pytest.mark.parametrize("region_first", [True, False])
def test_google_defaults_for_a_region_outweigh_the_one_for_all_others(
    show, shop, uid, ledger, region_first
):
    """As Google documents it; the shopper may be in one of the regions."""
    defaults = [
        'gtag("consent", "default", { analytics_storage: "denied", region: ["ES", "US-AK"] });',
        'gtag("consent", "default", { analytics_storage: "granted" });',
    ]
    script = "window.dataLayer = []; function gtag() { dataLayer.push(arguments); }" + "".join(
        defaults if region_first else reversed(defaults)
    )
    page = show("", before=script, consent_platform="google")
    page.wait_for_function("window['neuralens.consent-google.js']")
    share(page, "A")
    assert_withheld(page, shop, uid)
    page.evaluate("gtag('consent', 'update', { analytics_storage: 'granted' })")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


def test_a_late_google_default_for_a_region_withdraws_that_for_all_others(show, shop, uid, ledger):
    script = """window.dataLayer = []; function gtag() { dataLayer.push(arguments); }
        gtag("consent", "default", { analytics_storage: "granted" });"""
    page = show("", before=script, consent_platform="google")
    page.wait_for_function("window['neuralens.consent-google.js']")
    shop.fault = lambda request, body: 503
    share(page, "A")
    page.wait_for_function("Object.keys(localStorage).some((key) => key.startsWith('nl:e:'))")
    page.evaluate(
        "gtag('consent', 'default', { analytics_storage: 'denied', region: ['ES', 'US-AK'] })"
    )
    assert stored_keys(page) == []
    shop.fault = None
    before = len(posts(shop, uid))
    share(page, "B")
    round_trip(page)
    assert (stored_keys(page), len(posts(shop, uid))) == ([], before)
    page.evaluate("gtag('consent', 'update', { analytics_storage: 'granted' })")
    assert {event.id for event in ledger.wait_for_all(page)} == {"B"}


def test_no_google_default_outweighs_the_shoppers_decision(show, ledger):
    page = show("", before=GOOGLE + "ask(); decide(true)", consent_platform="google")
    page.wait_for_function("window['neuralens.consent-google.js']")
    page.evaluate("gtag('consent', 'default', { analytics_storage: 'denied', region: ['ES'] })")
    page.evaluate("ask()")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


def test_another_group_of_onetrust(show, shop, uid, ledger):
    script = ONETRUST + "ask(); decide(true);"
    page = show("", before=script, consent_platform="onetrust", onetrust_group="C0005")
    page.wait_for_function("window['neuralens.consent-onetrust.js']")
    page.evaluate("activate(['C0001', 'C0002', 'C00055'])")
    assert_withheld(page, shop, uid)
    page.evaluate("activate(['C0001', 'C0005'])")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


def test_cookiebot_takes_back_its_response(show, shop, uid, ledger):
    page = show("", before=COOKIEBOT + "ask(); decide(true);", consent_platform="cookiebot")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    left = page.evaluate(
        """() => {
            Object.assign(Cookiebot, { hasResponse: false, consent: { necessary: true } });
            dispatchEvent(new Event("CookiebotOnDecline"));
            return Object.keys(localStorage).filter((key) => key.startsWith("nl:"));
        }"""
    )
    assert left == []


# What a platform defines that may come later than its adapter.
LATE = {"tcf": "__tcfapi", "shopify": "Shopify"}


@pytest.mark.one_case
@pytest.mark.parametrize("name", LATE)
def test_a_platform_that_never_comes_is_looked_for_ever_more_rarely(stop_clock, name):
    script = f"""window.looks = 0;
        Object.defineProperty(window, "{LATE[name]}", {{ get: () => void looks++ }});"""
    clock = stop_clock(before=script, consent_platform=name)
    clock.page.wait_for_function(f"window['neuralens.consent-{name}.js']")
    clock.run_for(60 * 60 * 1000)
    assert 10 < clock.page.evaluate("looks") < 50


def test_the_framework_comes_after_its_adapter(show, shop, uid, ledger):
    page = show("", consent_platform="tcf")
    page.wait_for_function("window['neuralens.consent-tcf.js']")
    share(page, "A")
    assert_withheld(page, shop, uid)
    page.evaluate(bundle("consent/tcf.js") + "; ask()")
    assert_withheld(page, shop, uid)
    page.evaluate("decide(true)")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


# What throws until ``ready`` is set, and then is the platform's own function.
UNREADY = {
    "tcf": """() => {
        const own = __tcfapi;
        window.__tcfapi = (...call) => {
            if (!window.ready) throw new Error("not ready");
            own(...call);
        };
    }""",
    "shopify": """() => {
        const own = Shopify.loadFeatures;
        Shopify.loadFeatures = (...call) => {
            if (!window.ready) throw new Error("not ready");
            own(...call);
        };
    }""",
}


@pytest.mark.one_case
@pytest.mark.parametrize("name", UNREADY)
def test_a_platform_that_throws_is_asked_again(show, shop, uid, ledger, name):
    script = PLATFORMS[name] or bundle("consent/tcf.js")
    page = show("", before=f"{script}; ({UNREADY[name]})();", consent_platform=name)
    page.wait_for_function(f"window['neuralens.consent-{name}.js']")
    share(page, "A")
    assert_withheld(page, shop, uid)
    page.evaluate("window.ready = true; ask()")
    assert_withheld(page, shop, uid)
    page.evaluate("decide(true)")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


def test_shopify_comes_after_its_adapter_in_a_region_without_a_banner(show, ledger):
    page = show("", consent_platform="shopify")
    page.wait_for_function("window['neuralens.consent-shopify.js']")
    share(page, "before Shopify")
    round_trip(page)
    assert stored_keys(page) == []
    page.evaluate(f"() => {{ {SHOPIFY} allowed = true; banner = false; ask(); }}")
    assert "before Shopify" in {event.id for event in ledger.wait_for_all(page)}


def test_shopify_in_a_front_end_of_its_own_has_no_loader(show, ledger):
    script = """window.Shopify = { customerPrivacy: {
        analyticsProcessingAllowed: () => true, shouldShowBanner: () => false } };"""
    page = show("", before=script, consent_platform="shopify")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


def test_usercentrics_refuses_before_it_has_started(show, shop, uid, ledger):
    script = """window.rejected = 0;
        addEventListener("unhandledrejection", () => { rejected += 1; });
        window.__ucCmp = { getConsentDetails: () => Promise.reject(new Error("not started")) };"""
    page = show("", before=script, consent_platform="usercentrics")
    page.wait_for_function("window['neuralens.consent-usercentrics.js']")
    share(page, "A")
    assert_withheld(page, shop, uid)
    page.evaluate(f"() => {{ {USERCENTRICS_3} ask(); decide(true); }}")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    assert page.evaluate("rejected") == 0


def test_consent_is_not_required(show, ledger):
    script = """window.__tcfapi = (command, version, heard) =>
        heard({ gdprApplies: false, eventStatus: "tcloaded" }, true);"""
    page = show("", before=script, consent_platform="tcf")
    share(page, "A")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}


def test_a_stub_of_the_framework_that_is_replaced_without_its_queue(show, shop, uid, ledger):
    page = show("", before="window.__tcfapi = () => {};", consent_platform="tcf")
    page.wait_for_function("window['neuralens.consent-tcf.js']")
    share(page, "A")
    page.evaluate("delete window.__tcfapi; " + bundle("consent/tcf.js") + "; ask()")
    assert_withheld(page, shop, uid)
    page.evaluate("decide(true)")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    page.evaluate("decide(false)")
    assert stored_keys(page) == []


@pytest.mark.parametrize("version", ["2", "3"])
def test_the_state_of_usercentrics_changes_after_its_event(show, ledger, version):
    script = f"{PLATFORMS[f'usercentrics-{version}']} ask();"
    # Events as soon as a button is pressed, and the state in a later task.
    change = """(granted) => {
        const name = window.UC_UI ? "UC_UI_CMP_EVENT" : "UC_CONSENT";
        dispatchEvent(new CustomEvent(name, { detail: {} }));
        return new Promise((resolve) => setTimeout(() => {
            if (window.UC_UI) [accepted, required] = [granted, false];
            else consent = { status: granted ? "ALL_ACCEPTED" : "ALL_DENIED", type: "EXPLICIT" };
            resolve();
        }));
    }"""
    page = show("", before=script, consent_platform="usercentrics")
    page.wait_for_function("window['neuralens.consent-usercentrics.js']")
    share(page, "A")
    page.evaluate(change, True)
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    page.evaluate(change, False)
    page.wait_for_function("!Object.keys(localStorage).some((key) => key.startsWith('nl:'))")


def test_a_data_layer_that_is_replaced(show, shop, uid, ledger):
    page = show("", before=GOOGLE + "ask();", consent_platform="google")
    page.wait_for_function("window['neuralens.consent-google.js']")
    page.evaluate("dataLayer = [{ event: 'gtm.js' }]")
    share(page, "A")
    assert_withheld(page, shop, uid)
    page.evaluate("decide(true)")
    assert "A" in {event.id for event in ledger.wait_for_all(page)}
    page.evaluate("decide(false)")
    assert stored_keys(page) == []
