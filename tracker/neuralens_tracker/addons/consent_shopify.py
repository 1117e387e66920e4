"""Consent by Shopify's Customer Privacy API: analytics.

Source: https://shopify.dev/docs/api/customer-privacy
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import tell_consent
from neuralens_tracker.web.ffi import attempt, call, callback, get, record, window


def start(tag: JSObject) -> None:
    """Load the API, and follow what it allows."""

    def look(event: JSObject) -> None:
        shop = get(window, "Shopify")
        privacy = shop and get(shop, "customerPrivacy")
        if privacy:
            shown = attempt(privacy, "shouldShowBanner")
            tell_consent(attempt(privacy, "analyticsProcessingAllowed"), not shown)

    feature = record({"name": "consent-tracking-api", "version": "0.1"})
    attempt(get(window, "Shopify"), "loadFeatures", [feature], callback(look))
    call(get(window, "document"), "addEventListener", "visitorConsentCollected", callback(look))
