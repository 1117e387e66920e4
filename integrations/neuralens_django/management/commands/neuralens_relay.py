"""``manage.py neuralens_relay``: runs the relay as its own process."""

from neuralens_django.management.relay_command import RelayCommand


class Command(RelayCommand):
    """Runs the relay."""

    help = "Receive events from pages and forward them to the Neuralens event API."
