"""The installed application."""

from django.apps import AppConfig
from django.core.checks import register
from django.core.signals import request_started


class NeuralensConfig(AppConfig):
    """Event tracking with Neuralens."""

    name = "neuralens_django"
    verbose_name = "Neuralens event tracking"

    def ready(self) -> None:
        """Register the checks, and start the relay with the first request of any kind."""
        from neuralens_django.checks import check, check_deployment
        from neuralens_django.mounted import start_relay

        register(check, "neuralens")
        register(check_deployment, "neuralens", deploy=True)

        def start(**_: object) -> None:
            request_started.disconnect(start)
            start_relay()

        request_started.connect(start, weak=False)
