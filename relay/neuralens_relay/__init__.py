"""Receives beacons, keeps the outbox, forwards to the Neuralens event API."""

from neuralens_relay.app import create_app
from neuralens_relay.settings import Settings, SettingsError

__all__ = ["Settings", "SettingsError", "create_app"]
