"""``manage.py neuralens_replay [EIDS]``: resends dead letters."""

from neuralens_django.management.relay_command import RelayCommand


class Command(RelayCommand):
    """Resends dead letters."""

    help = "Resend dead letters: all of them, or those with the given ids."
    options = ("--replay",)
