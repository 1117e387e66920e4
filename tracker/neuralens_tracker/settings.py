"""The tracker's settings, their types and defaults, and their validation."""

from neuralens_tracker.types import Fields, Report, Settings, Unchecked, ValueType
from neuralens_tracker.value_types import COUNT, FLAG, TEXT, read, requirement
from neuralens_tracker.vocabulary import CONSENTS, GRANTED, PAGES, PENDING


class Setting:
    """A setting's type (see ``value_types``) and its default."""

    def __init__(self, value_type: ValueType, default: str | int | bool | None) -> None:
        self.value_type = value_type
        self.default = default


# By key of ``neuralensConfig``; the script tag's attribute is "data-" + the name in kebab-case.
SETTINGS: dict[str, Setting] = {
    "appId": Setting(TEXT, ""),
    "endpoint": Setting(TEXT, "/nl/events"),
    "uid": Setting(TEXT, None),
    "page": Setting(PAGES, None),
    "query": Setting(TEXT, None),
    "consent": Setting(CONSENTS, GRANTED),
    "respectGpc": Setting(FLAG, True),
    # Milliseconds that a product must be in view, and a list of suggestions unchanged.
    "viewMs": Setting(COUNT, 1000),
    "suggestionMs": Setting(COUNT, 400),
    # Decimals to which coordinates are rounded; None: not rounded.
    "geoDecimals": Setting(COUNT, None),
    # Milliseconds without use after which a product is no longer attributed to a search.
    "attributionMs": Setting(COUNT, 1800000),
    # Proves to the relay that the page is the shop's own, see ``neuralens_embed.page_tokens``.
    "token": Setting(TEXT, None),
    "debug": Setting(FLAG, False),
}


def validate(name: str, value: object, report: Report) -> Unchecked:
    """Return a setting's value; an invalid one is reported and replaced by the default.

    An invalid consent becomes ``pending`` instead: a misspelt refusal must not count as granted.
    """
    known = read(SETTINGS[name].value_type, value)
    if known is None:
        known = PENDING if name == "consent" else SETTINGS[name].default
        # No value is valid if the default is none.
        if value is not None or known is not None:
            report(requirement(name, SETTINGS[name].value_type))
    return known


def resolve(given: Fields, report: Report) -> Settings:
    """Return all settings: the given values, otherwise the defaults."""
    values: Unchecked = {}
    for name in list(SETTINGS.keys()):
        value = given.get(name)
        values[name] = SETTINGS[name].default if value is None else validate(name, value, report)
    settings: Settings = values
    return settings
