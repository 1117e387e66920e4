"""System checks for ``manage.py check``."""

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.urls import Resolver404, resolve
from neuralens_embed import MarkupError, Snippet
from neuralens_embed.snippet import origin
from neuralens_relay.embedding import variables
from neuralens_relay.outbox_url import sqlite_path
from neuralens_relay.settings import (
    Settings,
    SettingsError,
    read_setting,
    read_variable,
    variable,
)

from neuralens_django.configuration import NAME, Configuration, configuration
from neuralens_django.mounted import is_routed

# How a nonce is written in the settings of Django 6, and of django-csp since version 4.
NONCE = "<CSP_NONCE_SENTINEL>"
NONCES = {NONCE, "csp.constants.NONCE"}
ANYTHING = {"*", "https:", "http:"}


def check(app_configs: Sequence[object] | None = None, **_: Any) -> list[CheckMessage]:
    """Check the setting NEURALENS and the rest of the project's set-up."""
    try:
        config = configuration()
    except (ImproperlyConfigured, ImportError) as error:
        return [wrong_setting(error)]
    if not config.enabled:
        return []
    return check_snippet(config) or [
        *check_prefix(config),
        *check_settings(config),
        *check_policy(config),
    ]


def check_deployment(app_configs: Sequence[object] | None = None, **_: Any) -> list[CheckMessage]:
    """Check what only a running shop needs: E001, the application id; E003, the relay's key.

    Where an image is built, or tests run, there are no secrets.
    """
    try:
        config = configuration()
    except (ImproperlyConfigured, ImportError):
        # Reported by ``check``.
        return []
    found: list[CheckMessage] = []
    if config.enabled and not is_set(config, "application_id"):
        hint = f'Put "APPLICATION_ID" into {NAME}, or set {variable("application_id")}.'
        found.append(Error("Neuralens has no application id.", hint=hint, id="neuralens.E001"))
    if config.enabled and is_routed() and not is_set(config, "api_key"):
        hint = f'Set {variable("api_key")}, or put "API_KEY" into {NAME}.'
        found.append(Error("The Neuralens relay has no API key.", hint=hint, id="neuralens.E003"))
    return found


def is_set(config: Configuration, name: str) -> bool:
    """Return whether the project or the environment provides a relay setting."""
    return bool(config.relay.get(name) or os.environ.get(variable(name)))


def wrong_setting(error: Exception) -> CheckMessage:
    """Return the error E002, that NEURALENS is wrong."""
    return Error(str(error), hint=f"Correct {NAME} in the settings.", id="neuralens.E002")


def check_snippet(config: Configuration) -> list[CheckMessage]:
    """E002: an argument of the snippet is invalid, with which no page could be rendered."""
    arguments: dict[str, Any] = {"app_id": "APP", "prefix": config.prefix, "page_secret": ""}
    try:
        Snippet(**arguments | config.snippet)
    except (MarkupError, TypeError) as error:
        return [wrong_setting(error)]
    return []


def check_prefix(config: Configuration) -> list[CheckMessage]:
    """W002: the relay is part of the project, but has another path."""
    if not is_routed():
        return []
    try:
        match = resolve(f"{config.prefix}/events")
    except Resolver404:
        match = None
    if match is not None and match.view_name == "neuralens:relay":
        return []
    hint = (
        f"Include neuralens_django.urls at {config.prefix}/, before any pattern that matches"
        f' that, too, or set "PREFIX" in {NAME}.'
    )
    said = f"Pages send to {config.prefix}/events, which is not the relay."
    return [Caution(said, hint=hint, id="neuralens.W002")]


def check_settings(config: Configuration) -> list[CheckMessage]:
    """E004: the relay is part of the project, but has invalid settings; W003 and W004: outbox."""
    if not is_routed():
        return []
    environment = {**os.environ, **variables(config.relay)}
    found: list[CheckMessage] = []
    for name in (each.name for each in fields(Settings) if read_variable(each.name, environment)):
        try:
            read_setting(name, environment)
        except SettingsError as error:
            found.append(invalid(name, error))
    try:
        path = sqlite_path(read_setting("outbox", environment))
    except SettingsError as error:
        return [*found, invalid("outbox", error)]
    return [*found, *(check_file(path) if path else [])]


def invalid(name: str, error: SettingsError) -> CheckMessage:
    """Return the error that one of the relay's settings is invalid."""
    hint = f'Correct "{name.upper()}" in {NAME}, or {variable(name)} in the environment.'
    return Error(f"{error}.", hint=hint, id="neuralens.E004")


def check_file(path: Path) -> list[CheckMessage]:
    """W003 and W004: an outbox's path is relative to the working directory; it has no folder."""
    found: list[CheckMessage] = []
    if not path.is_absolute():
        example = "sqlite:////var/lib/shop/outbox.db"
        hint = f'Put an absolute path into {NAME}["OUTBOX"], such as {example}.'
        found.append(
            Caution("The Neuralens outbox is a relative path.", hint=hint, id="neuralens.W003")
        )
    if not path.parent.is_dir():
        hint = f"Create {path.parent}, writable for the server's user."
        found.append(Caution("The Neuralens outbox has no folder.", hint=hint, id="neuralens.W004"))
    return found


def check_policy(config: Configuration) -> list[CheckMessage]:
    """W001: a content security policy blocks events, or the script."""
    found: list[CheckMessage] = []
    # The shop's own origin, unless the addresses name another.
    relay = origin(config.prefix) or "'self'"
    files = relay
    if config.static:
        files = origin(django_settings.STATIC_URL) or "'self'"
    for policy in policies():
        if not (ANYTHING | {relay}) & set(sources(policy, "connect-src")):
            found.append(blocked("events", f"Add {relay} to connect-src."))
        of_scripts = set(sources(policy, "script-src-elem", "script-src"))
        # With 'strict-dynamic' browsers ignore origins.
        by_nonce = "'strict-dynamic'" in of_scripts
        if not of_scripts & (NONCES if by_nonce else NONCES | ANYTHING | {files}):
            missing = "the nonce" if by_nonce else f"{files} or the nonce"
            found.append(blocked("the script", f"Add {missing} to script-src."))
    return found


def blocked(what: str, hint: str) -> CheckMessage:
    """Return the warning that a policy blocks something."""
    return Caution(f"The content security policy blocks {what}.", hint=hint, id="neuralens.W001")


def policies() -> list[dict[str, Any]]:
    """Return the enforced policies in the settings: Django's, and django-csp's by either form."""
    declared = [
        getattr(django_settings, "SECURE_CSP", None),
        (getattr(django_settings, "CONTENT_SECURITY_POLICY", None) or {}).get("DIRECTIVES"),
        policy_of_csp_3(),
    ]
    return [policy for policy in declared if policy]


def policy_of_csp_3() -> dict[str, Any]:
    """Return the directives in the settings of django-csp before version 4."""
    found = {
        directive: value
        for directive in ("default-src", "connect-src", "script-src", "script-src-elem")
        if (value := getattr(django_settings, csp_3_name(directive), None)) is not None
    }
    if not found:
        return {}
    found.setdefault("default-src", "'self'")
    for directive in getattr(django_settings, "CSP_INCLUDE_NONCE_IN", ["default-src"]):
        found[directive] = [*listed(found.get(directive, ())), NONCE]
    return found


def csp_3_name(directive: str) -> str:
    """Return the setting of a directive in django-csp before version 4."""
    return f"CSP_{directive.upper().replace('-', '_')}"


def sources(policy: dict[str, Any], *directives: str) -> list[str]:
    """Return the sources of the first of some directives in a policy; "*" if it has none."""
    for directive in (*directives, "default-src"):
        if policy.get(directive) is not None:
            return [str(source) for source in listed(policy[directive])]
    return ["*"]


def listed(value: object) -> list[object]:
    """Return the values of a directive, which may be a single one."""
    return list(value) if isinstance(value, list | tuple | set) else [value]
