"""The dict ``NEURALENS`` of a project's settings.

============================  ====================================================================
``APPLICATION_ID``            the application id
``API_KEY``, ``OUTBOX``, ...  the relay's settings, as ``neuralens-tracker relay --help`` lists
                              them, without NEURALENS_; where one is absent, its environment
                              variable holds
``PREFIX``                    where pages reach the relay: ``/nl`` if absent; below the project's
                              path if the relay is part of it
``ENABLED``                   false for tests: the snippet is empty and the relay answers 404
``STRICT``                    whether a wrong value raises while a template is rendered, or is left
                              out and logged once; that of DEBUG if absent
``UID``, ``CONSENT``          dotted names of functions of the request; without UID, the primary key
                              of an authenticated user
``STATIC``                    true: the script comes from the project's static files
``SNIPPET``                   arguments of ``neuralens_embed.Snippet`` for every page
============================  ====================================================================
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from neuralens_embed.names import RELAY_PATH
from neuralens_relay.settings import Settings

log = logging.getLogger(__name__)

NAME = "NEURALENS"
OfRequest = Callable[[object], Any]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The setting ``NEURALENS``; ``relay`` holds the relay's settings by name."""

    prefix: str = RELAY_PATH
    enabled: bool = True
    strict: bool = False
    static: bool = False
    uid: OfRequest | None = None
    consent: OfRequest | None = None
    snippet: dict[str, object] = field(default_factory=dict)
    relay: dict[str, object] = field(default_factory=dict)


@lru_cache(1)
def configuration() -> Configuration:
    """Read the setting; raises ImproperlyConfigured or ImportError if it is invalid."""
    setting = getattr(django_settings, NAME, {})
    if not isinstance(setting, dict):
        raise ImproperlyConfigured(f"{NAME} must be a dict, not {setting!r:.80}")
    given = {name.lower(): value for name, value in setting.items()}
    of_relay = {declared.name for declared in fields(Settings)}
    own = {declared.name for declared in fields(Configuration)} - {"relay"}
    for name in given:
        if name not in own | of_relay:
            known = ", ".join(sorted(key.upper() for key in own | of_relay))
            raise ImproperlyConfigured(f"{NAME} has no key {name.upper()}: there are {known}")
    values = {name: given[name] for name in own & given.keys()}
    for name in ("uid", "consent"):
        if isinstance(values.get(name), str):
            values[name] = import_string(values[name])
    values["prefix"] = values.get("prefix", RELAY_PATH).rstrip("/")
    values.setdefault("strict", django_settings.DEBUG)
    relay = {name: given[name] for name in of_relay & given.keys()}
    return Configuration(**values, relay=relay)


@lru_cache(1)
def page_configuration() -> Configuration:
    """Return the configuration for pages and the relay, which an invalid setting disables.

    In development it raises as ``configuration`` does. In production it is logged once, since a
    page must not fail for it; nor is part of it used, which could lack the question for consent.
    """
    try:
        return configuration()
    except (ImproperlyConfigured, ImportError) as error:
        if django_settings.DEBUG:
            raise
        log.error("nothing is tracked: %s (see manage.py check)", error)
        return Configuration(enabled=False)


def clear_caches(*, setting: str, **_: Any) -> None:
    """Read the setting again after a test has overridden it."""
    if setting in (NAME, "DEBUG"):
        configuration.cache_clear()
        page_configuration.cache_clear()


setting_changed.connect(clear_caches)
