"""The settings: attributes of the script tag (``data-app-id``) and keys of ``neuralensConfig``."""

from typing import Any

from neuralens_tracker.types import Fields, Say, Settings, ValueType
from neuralens_tracker.value_types import COUNT, FLAG, TEXT, demand, read
from neuralens_tracker.vocabulary import CONSENTS, GRANTED, PAGES, PENDING


class Setting:
    """A setting's type, as in ``value_types``, and its default."""

    def __init__(self, value_type: ValueType, default: Any) -> None:
        self.value_type = value_type
        self.default = default


# By name; the attribute of the script tag is "data-" and the name in kebab-case.
SETTINGS: dict[str, Setting] = {
    "appId": Setting(TEXT, ""),
    "endpoint": Setting(TEXT, "/nl/events"),
    "uid": Setting(TEXT, None),
    "page": Setting(PAGES, None),
    "query": Setting(TEXT, None),
    "consent": Setting(CONSENTS, GRANTED),
    "respectGpc": Setting(FLAG, True),
    # Milliseconds that a product is in view, and that a list of suggestions stands unchanged.
    "viewMs": Setting(COUNT, 1000),
    "suggestionMs": Setting(COUNT, 400),
    # Decimals of the coordinates that the page gives; all that there are when None.
    "geoDecimals": Setting(COUNT, None),
    # Milliseconds for which a product carries the search that it was found by, if nothing is done
    # with it.
    "attributionMs": Setting(COUNT, 1800000),
    # Shows the relay that a page is the shop's own, see ``neuralens_embed.page_tokens``.
    "token": Setting(TEXT, None),
    "debug": Setting(FLAG, False),
}


def choose(name: str, value: Any, say: Say) -> Any:
    """Return what a setting is with a value; where it is wrong, that is said.

    The default stands in for what is wrong, but for consent ``pending`` does: a misspelt refusal
    must not count as granted.
    """
    known = read(SETTINGS[name].value_type, value)
    if known is None:
        known = PENDING if name == "consent" else SETTINGS[name].default
        # No value at all is right where there may be none.
        if value is not None or known is not None:
            say(demand(name, SETTINGS[name].value_type))
    return known


def resolve(given: Fields, say: Say) -> Settings:
    """Return every setting: the given one, else the default."""
    settings: Settings = {}
    for name in list(SETTINGS.keys()):
        value = given.get(name)
        settings[name] = SETTINGS[name].default if value is None else choose(name, value, say)
    return settings
