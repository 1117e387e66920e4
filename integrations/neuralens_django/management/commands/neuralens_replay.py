"""``manage.py neuralens_replay [EIDS]``: resends dead letters."""

from neuralens_django.management.relay_command import RelayCommand


class Command(RelayCommand):
    """Resends dead letters."""

    help = "Send refused events again: all, or those named."
    options = ("--replay",)
