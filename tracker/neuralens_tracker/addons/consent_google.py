"""Consent by Google Consent Mode v2: what ``gtag("consent", ...)`` puts into ``dataLayer``.

Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from typing import Any

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import property_of, tell_consent
from neuralens_tracker.web.ffi import elements, get, intercept, put, window

GRANTED = "granted"


def start(tag: JSObject) -> None:
    """Follow the entries of the data layer, those from before this script too."""
    layer = get(window, "dataLayer")
    if layer is None:
        layer = []
        put(window, "dataLayer", layer)
    seen = [0]

    def look(result: Any) -> None:
        place = 0
        for entry in elements(layer):
            place += 1
            if place > seen[0] and property_of(entry, "0") == "consent":
                fields = property_of(entry, "2")
                state = get(fields, "analytics_storage")
                granted = state == GRANTED
                # Which region a shopper is in is not known here: there, only a refusal counts.
                if state and not (granted and get(fields, "region")):
                    tell_consent(granted, property_of(entry, "1") == "update")
        seen[0] = place

    intercept(layer, "push", look)
    look(None)
