"""Consent by IAB's Transparency and Consent Framework 2.2: ``__tcfapi``.

Source: https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import look_until, property_of, tell_consent
from neuralens_tracker.web.ffi import call, callback, get, same, window

# To store on a device, to create profiles that personalize content, and to use them.
PURPOSES = ("1", "5", "6")
# What is said once there is a decision, on each page and when it changes.
DECIDED = ("tcloaded", "useractioncomplete")


def start() -> None:
    """Follow the decisions that the platform knows of."""

    def hear(data: JSObject, success: JSObject) -> None:
        if success and get(data, "gdprApplies") is False:
            tell_consent(True, True)
        elif success:
            given = get(get(data, "purpose"), "consents")
            granted = True
            for purpose in PURPOSES:
                granted = granted and property_of(given, purpose) is True
            decided = get(data, "eventStatus") in DECIDED
            tell_consent(decided and granted, decided)

    heard: JSObject = None

    # Returns nothing, to look again: the platform that replaces a stub may drop the stub's calls.
    def look() -> None:
        nonlocal heard
        api = get(window, "__tcfapi")
        if api and not same(api, heard):
            call(window, "__tcfapi", "addEventListener", 2, callback(hear))
            heard = api

    # Guarded, because what the page has may throw until it is ready.
    look_until(callback(look))
