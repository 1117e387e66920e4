"""System checks for ``manage.py check``."""

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.urls import Resolver404, resolve
from neuralens_relay.settings import variable

from neuralens_django.configuration import NAME, Configuration, configuration
from neuralens_django.mounted import is_routed


def check(app_configs: Sequence[object] | None = None, **_: Any) -> list[CheckMessage]:
    """Check the setting NEURALENS and the rest of the project's set-up."""
    try:
        config = configuration()
    except (ImproperlyConfigured, ImportError) as error:
        return [Error(str(error), hint=f"Correct {NAME} in the settings.", id="neuralens.E002")]
    if not config.enabled:
        return []
    return [
        *check_application(config),
        *check_routes(config),
        *check_outbox(config),
        *check_policy(),
    ]


def is_set(config: Configuration, name: str) -> bool:
    """Return whether the project or the environment provides a relay setting."""
    return bool(config.relay.get(name) or os.environ.get(variable(name)))


def check_application(config: Configuration) -> list[CheckMessage]:
    """E001: there is no application id."""
    if is_set(config, "application_id"):
        return []
    hint = f'Put "APPLICATION_ID" into {NAME}, or set {variable("application_id")}.'
    return [Error("Neuralens has no application id.", hint=hint, id="neuralens.E001")]


def check_routes(config: Configuration) -> list[CheckMessage]:
    """E003 and W002: the relay is part of the project, but has no key or another path."""
    found: list[CheckMessage] = []
    if not is_routed():
        return found
    if not is_set(config, "api_key"):
        hint = f'Put "API_KEY" into {NAME}, or set {variable("api_key")}.'
        found.append(Error("The Neuralens relay has no API key.", hint=hint, id="neuralens.E003"))
    try:
        match = resolve(f"{config.prefix}/events")
    except Resolver404:
        match = None
    if match is None or match.view_name != "neuralens:relay":
        hint = f'Include neuralens_django.urls at {config.prefix}/, or set "PREFIX" in {NAME}.'
        found.append(
            Caution(
                f"Pages send to {config.prefix}/events, which is not the relay.",
                hint=hint,
                id="neuralens.W002",
            )
        )
    return found


def check_outbox(config: Configuration) -> list[CheckMessage]:
    """W003: the outbox's path is relative to the server's working directory."""
    address = str(config.relay.get("outbox") or os.environ.get(variable("outbox")) or "")
    if not is_routed() or address.startswith(("sqlite:////", "redis")):
        return []
    hint = f'Put an absolute path into {NAME}["OUTBOX"], such as sqlite:////var/lib/shop/outbox.db.'
    return [Caution("The Neuralens outbox is a relative path.", hint=hint, id="neuralens.W003")]


def check_policy() -> list[CheckMessage]:
    """W001: the content security policy blocks beacons."""
    policy = getattr(django_settings, "SECURE_CSP", None)
    if policy is None:
        policy = getattr(django_settings, "CONTENT_SECURITY_POLICY", {}).get("DIRECTIVES")
    if not policy:
        return []
    sources = [
        str(source) for source in policy.get("connect-src", policy.get("default-src", ["*"]))
    ]
    if any(source in ("*", "'self'") for source in sources):
        return []
    hint = "Add 'self' to connect-src."
    return [Caution("The content security policy blocks events.", hint=hint, id="neuralens.W001")]
