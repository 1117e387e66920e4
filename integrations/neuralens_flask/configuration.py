"""Reads the settings from the application's configuration and the environment."""

import os
from collections.abc import Mapping
from dataclasses import fields

from flask import Flask
from neuralens_relay.settings import Settings, SettingsError, variable


def relay_values(config: Mapping[str, object]) -> dict[str, object]:
    """Return the relay's settings by name; None for those not configured."""
    return {field.name: config.get(variable(field.name)) for field in fields(Settings)}


def application_id(config: Mapping[str, object]) -> str:
    """Return the application id; raises SettingsError if it is not configured."""
    name = variable("application_id")
    found = config.get(name) or os.environ.get(name)
    if not found:
        raise SettingsError(f"{name} is not set: put it into app.config or the environment")
    return str(found)


def is_strict(app: Flask) -> bool:
    """Return whether invalid values raise while a template is rendered."""
    return bool(app.config.get("NEURALENS_STRICT", app.debug))
