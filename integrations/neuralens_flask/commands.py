"""The commands ``flask neuralens ...``, which use the application's settings."""

import sys
from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import AppGroup
from neuralens_embed.cli import main
from neuralens_embed.commands import WrongInput, format_option, report_pages
from neuralens_relay.cli import relay as relay_command
from neuralens_relay.embedding import exported

from neuralens_flask.configuration import relay_values

group = AppGroup("neuralens", help="Neuralens event tracking.")


@group.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    help="Run the relay, or list and resend its dead letters.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def relay(arguments: tuple[str, ...]) -> None:
    """Run ``neuralens-tracker relay`` with the settings of the application."""
    with exported(relay_values(current_app.config)):
        relay_command.main(list(arguments), "flask neuralens relay")


@group.command(
    help="Show what the tracker would capture on pages. PATH is such as /search?q=chair."
)
@format_option
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def audit(form: str, paths: tuple[str, ...]) -> None:
    """Audit pages fetched by the application's test client, without a server."""
    if not report_pages(read_pages(paths), form):
        sys.exit(1)


@group.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    help="Visit the running shop in a browser, and report faults.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def doctor(arguments: tuple[str, ...]) -> None:
    """Run ``neuralens-tracker verify``."""
    main.main(["verify", *arguments], "neuralens-tracker")


def read_pages(paths: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each path with its HTML; raises WrongInput for an error response."""
    client = current_app.test_client()
    for path in paths:
        with client.get(path, follow_redirects=True) as response:
            if response.status_code != 200:
                raise WrongInput(f"{path} answers {response.status_code}")
            yield path, response.get_data(as_text=True)
