"""``manage.py neuralens_dead``: the events that the API refused."""

from types import MappingProxyType

from neuralens_relay.cli import relay

from neuralens_django.management.wrapper import Wrapper


class Command(Wrapper):
    """Lists dead letters."""

    help = "List the dead letters: events that the API refused, and why."
    wrapped = relay
    given = ("--dead",)
    offered = MappingProxyType({"as_json": "One JSON object per line."})
