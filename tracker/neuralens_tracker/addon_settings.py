"""The add-ons and their settings, which are read from the same places as the tracker's own."""

from neuralens_tracker.settings import Setting
from neuralens_tracker.value_types import COUNT, TEXT

# The index of a list's first item in the shop's GA4 events.
GA4_INDEX_BASE = 0
# The id of OneTrust's group of performance cookies.
ONETRUST_GROUP = "C0002"

# Each add-on is built from the module of the same name in ``addons``.
ADDONS: dict[str, dict[str, Setting]] = {
    "ga4": {"ga4IndexBase": Setting(COUNT, GA4_INDEX_BASE)},
    "overlay": {},
    "consent-cookiebot": {},
    "consent-google": {},
    "consent-onetrust": {"onetrustGroup": Setting(TEXT, ONETRUST_GROUP)},
    "consent-shopify": {},
    "consent-tcf": {},
    "consent-usercentrics": {},
}
# Prefix of the add-ons that follow a consent platform.
CONSENT = "consent-"


def name_file(addon: str) -> str:
    """Return the file name of an add-on's bundle."""
    return "neuralens." + addon + ".js"
