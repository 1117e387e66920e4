"""Reads the settings from the application's configuration and the environment."""

from collections.abc import Mapping
from dataclasses import fields

from flask import Flask
from neuralens_relay.settings import Settings, variable


def relay_values(config: Mapping[str, object]) -> dict[str, object]:
    """Return the relay's settings by name; None for those not configured."""
    return {field.name: config.get(variable(field.name)) for field in fields(Settings)}


def is_strict(app: Flask) -> bool:
    """Return whether invalid values raise while a template is rendered."""
    return bool(app.config.get("NEURALENS_STRICT", app.debug))
