"""The base of commands that run a command of ``neuralens-tracker`` with the project's settings."""

from collections.abc import Mapping
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandParser
from neuralens_relay.embedding import exported

from neuralens_django.configuration import configuration


class Wrapper(BaseCommand):
    """Runs ``wrapped``, by its own options beside those that Django has for each command.

    It always gets the arguments ``given``; ``offered`` are the parameters that may be added, each
    name with its help; all of them if None.
    """

    # No system checks, because it does not need the project's database.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form
    wrapped: click.Command
    given: tuple[str, ...] = ()
    offered: Mapping[str, str] | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the parameters that are offered."""
        for each in self.parameters():
            add_parameter(parser, each, (self.offered or {}).get(str(each.name)))

    def parameters(self) -> list[click.Parameter]:
        """Return the parameters that are offered."""
        declared = self.wrapped.params
        return [each for each in declared if self.offered is None or each.name in self.offered]

    def handle(self, *_: object, **options: Any) -> None:
        """Run the command, which exits the process with its own status unless that is 0."""
        arguments, operands = [*self.given], []
        for each in self.parameters():
            value = options[str(each.name)]
            if isinstance(each, click.Argument):
                operands += as_list(value)
            elif value is True:
                arguments.append(each.opts[0])
            elif value not in (None, False):
                arguments += [each.opts[0], *as_list(value)]
        try:
            self.run([*arguments, "--", *operands])
        except SystemExit as end:
            if end.code:
                raise

    def run(self, arguments: list[str]) -> None:
        """Run the command with its arguments."""
        name = self.__module__.rpartition(".")[2]
        with exported(configuration().relay):
            self.wrapped.main(arguments, f"manage.py {name}")


def add_parameter(parser: CommandParser, parameter: click.Parameter, text: str | None) -> None:
    """Add the same parameter to a parser; its type and default are left to the command."""
    name = str(parameter.name)
    text = text or getattr(parameter, "help", None)
    if isinstance(parameter, click.Argument):
        parser.add_argument(name, nargs="*" if parameter.nargs < 0 else None, help=text)
    elif getattr(parameter, "is_flag", False):
        parser.add_argument(*parameter.opts, dest=name, action="store_true", help=text)
    else:
        words = tuple((parameter.metavar or name.upper()).split())
        several = len(words) > 1
        parser.add_argument(
            *parameter.opts,
            dest=name,
            nargs=len(words) if several else None,
            metavar=words if several else words[0],
            help=text,
        )


def as_list(value: Any) -> list[str]:
    """Return what a parser read for one parameter, as arguments."""
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
