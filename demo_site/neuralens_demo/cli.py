"""The commands ``demo`` and ``sandbox``."""

import asyncio
import logging
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from neuralens_embed.bundles import NotBuiltError
from neuralens_relay.outbox import OutboxError
from neuralens_relay.serving import address, listen
from neuralens_tracker.vocabulary import GRANTED, PENDING

from neuralens_demo import sandbox as api
from neuralens_demo.demonstration import demonstrate
from neuralens_demo.ledger import Ledger
from neuralens_demo.serving import Server, serve
from neuralens_demo.tracking import folder


def log_to_stderr() -> None:
    """Print warnings and worse."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def make_folder(path: Path) -> None:
    """Make the folder if it is not there; raise ClickException where that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot make the folder {path}: {error.strerror}") from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port; 0 picks a free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the relay's outbox, kept; otherwise a temporary one.",
)
@click.option(
    "--sandbox-port",
    default=0,
    show_default=True,
    help="Port of the sandbox, on 127.0.0.1; 0 picks a free one.",
)
@click.option(
    "--consent",
    type=click.Choice([GRANTED, PENDING]),
    default=GRANTED,
    show_default=True,
    help="What holds until a shopper has chosen: tracked, or asked first.",
)
def demo(host: str, port: int, data: Path | None, sandbox_port: int, consent: str) -> None:
    """Run a storefront, the relay, a sandbox of the event API and an inspector, until Ctrl-C."""
    log_to_stderr()
    try:
        place = folder()
    except NotBuiltError as error:
        raise click.ClickException(str(error)) from error
    with ExitStack() as stack:
        shop = stack.enter_context(listen(host, port))
        # Another loopback port, so that the relay reaches the sandbox as it would reach the API.
        events = stack.enter_context(listen("127.0.0.1", sandbox_port))
        if data is None:
            data = Path(stack.enter_context(TemporaryDirectory(prefix="neuralens-demo-")))
        else:
            make_folder(data)

        def announce() -> None:
            click.echo(f"Open {address(shop)}/ (Ctrl-C ends the demo)")
            click.echo(f"  Inspector: {address(shop)}/inspector")
            click.echo(f"  Sandbox's ledger: {address(events)}/ledger")

        try:
            asyncio.run(demonstrate(shop, events, place, data.resolve(), consent, announce))
        except OutboxError as error:
            raise click.ClickException(str(error)) from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8788, show_default=True, help="Port; 0 picks a free one.")
@click.option(
    "--key",
    default="sandbox-key",
    show_default=True,
    envvar="NEURALENS_API_KEY",
    help="The API key to demand.",
)
@click.option(
    "--app-id",
    default="sandbox-app",
    show_default=True,
    envvar="NEURALENS_APPLICATION_ID",
    help="The application id to demand.",
)
def sandbox(host: str, port: int, key: str, app_id: str) -> None:
    """Run a stand-in for the event tracking API that refuses what the API refuses."""
    log_to_stderr()
    ledger = Ledger()
    try:
        app = api.create_app(key, app_id, ledger)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    with listen(host, port) as listener:

        def announce() -> None:
            where = address(listener)
            click.echo(f"Sandbox: {where} (what it took: {where}/ledger)")

        asyncio.run(serve([Server(app, listener, ledger.close)], announce))
