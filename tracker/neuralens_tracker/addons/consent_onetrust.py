"""Consent by OneTrust: its group of performance cookies, by default C0002.

Source: https://developer.onetrust.com/onetrust/docs/javascript-events-guide
"""

from neuralens_tracker.addon_settings import ONETRUST_GROUP
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import find_one, listen_for, tell_consent
from neuralens_tracker.web.ffi import call, get, window


def start() -> None:
    """Follow the groups that are active, from when they are known."""
    # Not by ``find_setting``, which is large.
    script = find_one("script[data-onetrust-group]")
    config = get(window, "neuralensConfig")
    said = script and get(get(script, "dataset"), "onetrustGroup")
    group = said or (config and get(config, "onetrustGroup")) or ONETRUST_GROUP

    def look(event: JSObject) -> None:
        groups = get(window, "OnetrustActiveGroups")
        if groups:
            platform = get(window, "OneTrust")
            decided = platform and call(platform, "IsAlertBoxClosed")
            tell_consent("," + group + "," in "," + str(groups) + ",", decided)

    listen_for("OneTrustGroupsUpdated", look)
    look(None)
