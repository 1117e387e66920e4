"""``manage.py neuralens_replay [EIDS]``: sends dead events again."""

from neuralens_django.management.relay_command import RelayCommand


class Command(RelayCommand):
    """Replays dead events."""

    help = "Send refused events again: all, or those named."
    options = ("--replay",)
