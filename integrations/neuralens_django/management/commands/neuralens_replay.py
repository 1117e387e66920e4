"""``manage.py neuralens_replay [EIDS]``: resends dead letters."""

from types import MappingProxyType

from neuralens_relay.cli import relay

from neuralens_django.management.wrapper import Wrapper


class Command(Wrapper):
    """Resends dead letters."""

    help = "Resend dead letters: all of them, or those with the given ids."
    wrapped = relay
    given = ("--replay",)
    offered = MappingProxyType({"eids": "The ids that neuralens_dead prints."})
