"""The command line ``neuralens-tracker``: one group, whose commands live with what they run."""

import importlib

import click

# name: where the command stands, and its help in one line, so that --help imports none of them.
COMMANDS = {
    "audit": ("neuralens_embed.commands", "Say what the tracker would capture on a page."),
    "build": ("neuralens_build.cli", "Build the bundles."),
    "demo": ("neuralens_demo.cli", "Run storefront, relay, sandbox and inspector."),
    "relay": ("neuralens_relay.cli", "Receive events from pages and forward them."),
    "sandbox": ("neuralens_demo.cli", "Run a stand-in for the event API."),
    "snippet": ("neuralens_embed.commands", "Print the embed snippet."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="neuralens-tracker")
def main() -> None:
    """Track what shoppers see and do, and send it to the Neuralens event API."""
