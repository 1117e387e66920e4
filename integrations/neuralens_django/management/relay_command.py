"""The base of commands that run the relay's own command with the project's settings."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from neuralens_relay.cli import relay
from neuralens_relay.embedding import exported

from neuralens_django.configuration import configuration


class RelayCommand(BaseCommand):
    """Runs the relay's own command with the project's settings."""

    # No system checks, because the relay does not need the project's database.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form
    options: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the arguments of the relay's command."""
        parser.add_argument("arguments", nargs="*", help="see: neuralens-tracker relay --help")

    def run_from_argv(self, argv: list[str]) -> None:
        """Pass all options on, including those that Django does not know."""
        self.handle(arguments=argv[2:])

    def handle(self, *_: object, **options: Any) -> None:
        """Run the command, which exits the process with its own status."""
        name = self.__module__.rpartition(".")[2]
        with exported(configuration().relay):
            relay.main([*self.options, *options["arguments"]], f"manage.py {name}")
