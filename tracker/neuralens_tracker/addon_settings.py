"""The add-ons by name, and the settings of each: beside the tracker's own, in the same places."""

from neuralens_tracker.settings import Setting
from neuralens_tracker.value_types import COUNT

# The index that the first item of a list has in the shop's pushes.
GA4_INDEX_BASE = 0

# Each add-on is made of the module of ``addons`` of its name.
ADDONS: dict[str, dict[str, Setting]] = {
    "ga4": {"ga4IndexBase": Setting(COUNT, GA4_INDEX_BASE)},
    "overlay": {},
    "consent-cookiebot": {},
    "consent-google": {},
    "consent-onetrust": {},
    "consent-shopify": {},
    "consent-tcf": {},
    "consent-usercentrics": {},
}
# The beginning of the names of those that follow a consent platform.
CONSENT = "consent-"


def name_file(addon: str) -> str:
    """Return the name of an add-on's bundle."""
    return "neuralens." + addon + ".js"
