"""``manage.py neuralens_doctor URL``: visits the running shop in a real browser."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from neuralens_embed.cli import main


class Command(BaseCommand):
    """Runs ``neuralens-tracker verify``."""

    help = "Visit the shop in a browser, and report what is captured, sent and acknowledged."
    # No system checks, because it visits the running shop.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the arguments of the command."""
        parser.add_argument("arguments", nargs="*", help="see: neuralens-tracker verify --help")

    def run_from_argv(self, argv: list[str]) -> None:
        """Pass all options on, including those that Django does not know."""
        self.handle(arguments=argv[2:])

    def handle(self, *_: object, **options: Any) -> None:
        """Run the command, which exits the process with its own status."""
        main.main(["verify", *options["arguments"]], "neuralens-tracker")
