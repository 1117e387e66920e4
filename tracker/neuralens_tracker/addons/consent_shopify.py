"""Consent by Shopify's Customer Privacy API: analytics.

Source: https://shopify.dev/docs/api/customer-privacy
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import tell_consent
from neuralens_tracker.web.ffi import attempt, call, callback, get, record, window
from neuralens_tracker.web.platform import wait

# Milliseconds between looks for Shopify's script if it comes later than this one.
LOOK_MS = 100


def start(tag: JSObject) -> None:
    """Load the API, and follow what it allows."""

    def look(event: JSObject) -> None:
        shop = get(window, "Shopify")
        privacy = shop and get(shop, "customerPrivacy")
        if privacy:
            shown = attempt(privacy, "shouldShowBanner")
            tell_consent(attempt(privacy, "analyticsProcessingAllowed"), not shown)

    def load() -> None:
        shop = get(window, "Shopify")
        if shop and get(shop, "loadFeatures"):
            feature = record({"name": "consent-tracking-api", "version": "0.1"})
            call(shop, "loadFeatures", [feature], callback(look))
        else:
            wait(LOOK_MS, load)

    load()
    call(get(window, "document"), "addEventListener", "visitorConsentCollected", callback(look))
