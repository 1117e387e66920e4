"""Consent by Google Consent Mode v2: what ``gtag("consent", ...)`` puts into ``dataLayer``.

Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import DENIED, GRANTED, PENDING
from neuralens_tracker.web.addon import follow_data_layer, tell
from neuralens_tracker.web.ffi import call, callback, get, same


def start() -> None:
    """Follow the entries of the data layer, those from before this script too."""
    region: JSObject = None
    decision: JSObject = None
    said: JSObject = None

    def read(entry: JSObject, *_: JSObject) -> None:
        nonlocal region, decision, said
        fields = entry and entry[0] == "consent" and entry[2]
        state = fields and get(fields, "analytics_storage")
        if state:
            if entry[1] == "update":
                decision = state
            # Which region a shopper is in is not known here, and its default outweighs the one for
            # all others: then only the shopper's own decision grants.
            region = region or get(fields, "region")
            said = decision or (PENDING if region or state != GRANTED else GRANTED)

    # Guarded, so that an entry that throws when it is read hides no decision after it.
    guarded = callback(read)

    def look(entries: JSObject) -> None:
        before = said
        call(entries, "forEach", guarded)
        # Only once all are read: a default for a region may follow the one for all others.
        if not same(said, before):
            if before == GRANTED:
                # What a default granted that another takes back is erased, too.
                tell("consent", DENIED)
            tell("consent", said)

    follow_data_layer(look)
