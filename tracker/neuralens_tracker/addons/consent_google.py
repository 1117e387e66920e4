"""Consent by Google Consent Mode v2: what ``gtag("consent", ...)`` puts into ``dataLayer``.

Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import follow_pushes, tell_consent
from neuralens_tracker.web.ffi import elements, get, put, window

GRANTED = "granted"


def start(tag: JSObject) -> None:
    """Follow the entries of the data layer, those from before this script too."""
    layer = get(window, "dataLayer") or []
    put(window, "dataLayer", layer)

    def look(result: JSObject, *entries: JSObject) -> None:
        for entry in entries:
            values = elements(entry or [])
            fields = values[2]
            if values[0] == "consent" and fields:
                state = get(fields, "analytics_storage")
                granted = state == GRANTED
                # Which region a shopper is in is not known here: there, only a refusal counts.
                if state and not (granted and get(fields, "region")):
                    tell_consent(granted, values[1] == "update")

    follow_pushes(layer, look)
    look(None, *elements(layer))
