"""Consent by Shopify's Customer Privacy API: analytics.

Source: https://shopify.dev/docs/api/customer-privacy
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import look_until, tell_consent
from neuralens_tracker.web.ffi import attempt, call, callback, get, record, window


def start() -> None:
    """Load the API, and follow what it allows."""

    def look(event: JSObject) -> JSObject:
        shop = get(window, "Shopify")
        privacy = shop and get(shop, "customerPrivacy")
        if privacy:
            shown = attempt(privacy, "shouldShowBanner")
            tell_consent(attempt(privacy, "analyticsProcessingAllowed"), not shown)
        return privacy

    def load() -> JSObject:
        shop = get(window, "Shopify")
        loadable = shop and get(shop, "loadFeatures")
        if loadable:
            feature = record({"name": "consent-tracking-api", "version": "0.1"})
            call(shop, "loadFeatures", [feature], callback(look))
        # Shops with a front end of their own, as with Hydrogen, have the API without the loader.
        return loadable or (shop and look(None))

    # Guarded, because what the page has may throw until it is ready.
    look_until(callback(load))
    call(get(window, "document"), "addEventListener", "visitorConsentCollected", callback(look))
