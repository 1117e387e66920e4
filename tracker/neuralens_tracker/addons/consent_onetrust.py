"""Consent by OneTrust: performance cookies, its group C0002.

Source: https://developer.onetrust.com/onetrust/docs/javascript-events-guide
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import listen_for, tell_consent
from neuralens_tracker.web.ffi import attempt, get, window

GROUP = "C0002"


def start(tag: JSObject) -> None:
    """Follow the groups that are active, from when they are known."""

    def look(event: JSObject) -> None:
        groups = get(window, "OnetrustActiveGroups")
        if groups:
            decided = attempt(get(window, "OneTrust"), "IsAlertBoxClosed")
            tell_consent("," + GROUP + "," in "," + str(groups) + ",", decided)

    listen_for("OneTrustGroupsUpdated", look)
    look(None)
