"""``manage.py neuralens_dead``: the events that the API refused."""

from neuralens_django.management.relay_command import RelayCommand


class Command(RelayCommand):
    """Lists dead letters."""

    help = "List the dead letters: events that the API refused, and why."
    options = ("--dead",)
