"""``manage.py neuralens_relay``: the relay as a process of its own."""

from neuralens_django.management.relay_command import RelayCommand


class Command(RelayCommand):
    """Runs the relay."""

    help = "Receive events from pages and forward them to the Neuralens event API."
