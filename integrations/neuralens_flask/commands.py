"""``flask neuralens ...``: the commands of the relay, set up by the application."""

import os

import click
from flask import current_app
from flask.cli import AppGroup
from neuralens_relay.cli import relay as relay_command
from neuralens_relay.embedding import variables

from neuralens_flask.configuration import relay_values

group = AppGroup("neuralens", help="Neuralens event tracking.")


@group.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    help="Run the relay, or look after its dead events: see `flask neuralens relay --help`.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def relay(arguments: tuple[str, ...]) -> None:
    """Run ``neuralens-tracker relay`` with the settings of the application."""
    os.environ.update(variables(relay_values(current_app.config)))
    relay_command.main(list(arguments), "flask neuralens relay")
