"""``manage.py neuralens_doctor URL``: a visit to the running shop in a real browser."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from neuralens_embed.cli import main


class Command(BaseCommand):
    """Runs ``neuralens-tracker verify``."""

    help = "Visit the shop in a browser, and say what is captured, sent and acknowledged."
    # No check of the project: what is looked at is the shop that runs.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what the command takes."""
        parser.add_argument("arguments", nargs="*", help="see: neuralens-tracker verify --help")

    def run_from_argv(self, argv: list[str]) -> None:
        """Pass every option on, also those that Django does not know."""
        self.handle(arguments=argv[2:])

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the command; it ends the process with its own exit status."""
        main.main(["verify", *options["arguments"]], "neuralens-tracker")
