"""``manage.py neuralens_relay``: runs the relay as its own process."""

from neuralens_relay.cli import relay

from neuralens_django.management.wrapper import Wrapper


class Command(Wrapper):
    """Runs the relay."""

    help = "Receive events from pages and forward them to the Neuralens event API."
    wrapped = relay
