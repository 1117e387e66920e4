"""The relay: receives beacons, stores events durably, and forwards them to the event API."""

from neuralens_relay.app import create_app
from neuralens_relay.client import Client, ClientError, EventError
from neuralens_relay.settings import Settings, SettingsError

__all__ = ["Client", "ClientError", "EventError", "Settings", "SettingsError", "create_app"]
