"""The names of the settings, in the page, in Python and on the tag; the local host's names."""

import difflib
import re

from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.settings import SETTINGS, Setting

# Attributes of the tag that control loading and are not settings of the tracker.
LOADING = ("data-src", "data-integrity", "data-pyscript")
# The attribute with the application id.
APP_ID = "data-app-id"
# The relay's path in the default endpoint, and so where it is served by default.
RELAY_PATH = str(SETTINGS["endpoint"].default).rpartition("/")[0]
# The names by which a machine reaches itself.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def snake(name: str) -> str:
    """Return camelCase as snake_case."""
    return re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), name)


def kebab(name: str) -> str:
    """Return snake_case as kebab-case."""
    return name.replace("_", "-")


def camel(name: str) -> str:
    """Return the key of neuralensConfig for a name in snake_case."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


# Every setting, the tracker's own and its add-ons', by its name in the page.
EVERY_SETTING: dict[str, Setting] = dict(SETTINGS)
for settings_of_addon in ADDONS.values():
    EVERY_SETTING |= settings_of_addon
# Each setting's attribute on the script tag, and its name.
TAG_ATTRIBUTES = {"data-" + kebab(snake(name)): name for name in EVERY_SETTING}
# How similar to a setting's name a name must be to count as a misspelling of it. Consent platforms
# and tag managers put attributes of their own on tags, such as data-cookieconsent.
SIMILARITY = 0.81


def suggest_setting(attribute: str) -> str:
    """Return the attribute of the setting that a script tag's attribute misspells, or ""."""
    if not attribute.startswith("data-") or attribute in (*TAG_ATTRIBUTES, *LOADING):
        return ""
    words = [known.removeprefix("data-") for known in TAG_ATTRIBUTES]
    close = difflib.get_close_matches(attribute.removeprefix("data-"), words, 1, SIMILARITY)
    return f"data-{close[0]}" if close else ""
