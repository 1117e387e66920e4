"""What the commands about the relay have in common: it is the relay's own, set up by Django."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from neuralens_relay.cli import relay
from neuralens_relay.embedding import variables

from neuralens_django.configuration import configuration


class RelayCommand(BaseCommand):
    """Runs the relay's own command with the project's settings."""

    # No check of the project: the relay runs without its database.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form
    options: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what the relay's command takes."""
        parser.add_argument("arguments", nargs="*", help="see: neuralens-tracker relay --help")

    def run_from_argv(self, argv: list[str]) -> None:
        """Pass every option on, also those that Django does not know."""
        self.handle(arguments=argv[2:])

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the command; it ends the process with its own exit status."""
        os.environ.update(variables(configuration().relay))
        relay.main([*self.options, *options["arguments"]], "manage.py")
