"""The command line ``neuralens-tracker``, which imports its commands lazily."""

import difflib
import importlib
from dataclasses import dataclass
from typing import Any

import click

PACKAGE = "neuralens-tracker"


@dataclass(frozen=True)
class Command:
    """A command's module, its one-line help, and the extra that it needs, if any.

    The help is here so that ``--help`` need not import the modules.
    """

    module: str
    help: str
    extra: str | None = None


COMMANDS = {
    "audit": Command(
        "neuralens_embed.commands", "Show what the tracker would capture on a page.", "audit"
    ),
    "build": Command(
        "neuralens_build.cli", "Build the bundles from the tracker's Python source.", "build"
    ),
    "demo": Command(
        "neuralens_demo.cli", "Run a demo shop with relay, sandbox and inspector.", "demo"
    ),
    "dev": Command(
        "neuralens_demo.cli", "Run relay, sandbox and inspector for your own shop.", "demo"
    ),
    "relay": Command(
        "neuralens_relay.cli", "Receive events from pages and forward them to the API.", "relay"
    ),
    "sandbox": Command("neuralens_demo.cli", "Run a local stand-in for the event API.", "demo"),
    "snippet": Command("neuralens_embed.commands", "Print the script tag for a shop's pages."),
    "verify": Command("neuralens_verify.cli", "Check a shop in a real browser.", "verify"),
}


class MissingExtra(click.ClickException):
    """A command's extra is not installed; the message includes the remedy."""

    exit_code = 2

    def __init__(self, name: str, library: str | None) -> None:
        extra = COMMANDS[name].extra
        super().__init__(f"{name} needs {library}: run pip install '{PACKAGE}[{extra}]'")


def is_from_extra(name: str, error: ModuleNotFoundError) -> bool:
    """Return whether the missing module belongs to the command's extra, and not to us."""
    return COMMANDS[name].extra is not None and not str(error.name).startswith("neuralens_")


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; raise MissingExtra if it imports a module that is not installed."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            name = ctx.invoked_subcommand
            if name is None or not is_from_extra(name, error):
                raise
            raise MissingExtra(name, error.name) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; a usage error suggests a similar one."""
        close = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if close and close[0] != args[0]:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{close[0]}'?")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; raise MissingExtra."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(COMMANDS[cmd_name].module)
        except ModuleNotFoundError as error:
            if not is_from_extra(cmd_name, error):
                raise
            raise MissingExtra(cmd_name, error.name) from error
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=PACKAGE)
def main() -> None:
    """Track what shoppers see and do, and send it to the Neuralens event API."""
