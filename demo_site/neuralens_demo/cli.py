"""The commands ``demo``, ``dev`` and ``sandbox``."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

import click
from neuralens_embed.attributes import MarkupError
from neuralens_embed.bundles import NotBuiltError, directory
from neuralens_embed.commands import WrongInput, name_option
from neuralens_embed.names import RELAY_PATH
from neuralens_embed.snippet import Snippet
from neuralens_relay.serving import address, listen
from neuralens_relay.settings import ANY_ORIGIN, read_origins, variable
from neuralens_relay.store import OutboxError
from neuralens_tracker.vocabulary import GRANTED, PENDING

from neuralens_demo import contract
from neuralens_demo import sandbox as api
from neuralens_demo.demonstration import demonstrate
from neuralens_demo.development import Shop, create_workbench, develop
from neuralens_demo.inspector import Inspector
from neuralens_demo.ledger import Ledger
from neuralens_demo.resources import Resources
from neuralens_demo.serving import Server, serve
from neuralens_demo.tracking import folder
from neuralens_demo.transit import TransitLog

# The default key of the sandbox; not a secret, because it is valid nowhere else.
SANDBOX_KEY = "sandbox-key"


def log_to_stderr() -> None:
    """Log warnings and errors to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def prepare_folder(path: Path | None, stack: ExitStack) -> Path:
    """Return the absolute path of a folder, which is created unless it exists.

    Without a path, it is a temporary one that ``stack`` deletes. Raises ClickException.
    """
    if path is None:
        path = Path(stack.enter_context(TemporaryDirectory(prefix="neuralens-")))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot create the folder {path}: {error.strerror}") from error
    return path.resolve()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port; 0 picks a free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which to keep the relay's outbox; a temporary one by default.",
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
    help="Consent before the shopper has chosen: granted tracks, pending asks first.",
)
def demo(host: str, port: int, data: Path | None, sandbox_port: int, consent: str) -> None:
    """Run a storefront, the relay, a sandbox of the event API and an inspector, until Ctrl-C."""
    log_to_stderr()
    try:
        bundles = folder()
    except NotBuiltError as error:
        raise click.ClickException(str(error)) from error
    with ExitStack() as stack:
        shop = stack.enter_context(listen(host, port))
        events = stack.enter_context(listen("127.0.0.1", sandbox_port))
        resources = Resources(shop, events, bundles, prepare_folder(data, stack))

        def announce() -> None:
            click.echo(f"Open {address(shop)}/ (Ctrl-C stops the demo)")
            click.echo(f"  Inspector: {address(shop)}/inspector")
            click.echo(f"  Sandbox's ledger: {address(events)}/ledger")

        try:
            asyncio.run(demonstrate(resources, consent, announce))
        except OutboxError as error:
            raise click.ClickException(str(error)) from error


def parse_origins(context: click.Context, parameter: click.Parameter, value: str) -> Sequence[str]:
    """Parse the origins in an option."""
    try:
        return read_origins(value)
    except ValueError as error:
        raise click.UsageError(f"--origins {error}") from error


@click.command()
@click.option("--app-id", required=True, metavar="APP", help="The application id of the shop.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, help="Port; 0 picks a free one.")
@click.option(
    "--origins",
    default=ANY_ORIGIN,
    show_default=True,
    callback=parse_origins,
    metavar="ORIGINS",
    help="Origins of the shop's pages, such as http://localhost:8000; * allows any.",
)
@click.option(
    "--key",
    default=SANDBOX_KEY,
    show_default=True,
    help="The API key that the sandbox expects, if you run a relay of your own.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which to keep the relay's outbox; a temporary one by default.",
)
def dev(
    app_id: str, host: str, port: int, origins: Sequence[str], key: str, data: Path | None
) -> None:
    """Run relay, sandbox and inspector on one address for developing your own shop.

    Prints the snippet for the shop's pages. Nothing is sent to the Neuralens API. Stop it with
    Ctrl-C.
    """
    log_to_stderr()
    try:
        bundles = directory()
        # Raises MarkupError for an invalid application id.
        Snippet(app_id)
    except MarkupError as error:
        raise WrongInput(name_option(str(error))) from error
    except NotBuiltError as error:
        raise click.ClickException(str(error)) from error
    with ExitStack() as stack:
        listener = stack.enter_context(listen(host, port))
        events = stack.enter_context(listen("127.0.0.1", 0))
        resources = Resources(listener, events, bundles, prepare_folder(data, stack))
        shop = Shop(app_id, key, tuple(origins))

        def announce() -> None:
            for line in introduce(address(listener), shop):
                click.echo(line)

        try:
            asyncio.run(develop(resources, shop, announce))
        except OutboxError as error:
            raise click.ClickException(str(error)) from error


def introduce(here: str, shop: Shop) -> Iterator[str]:
    """Yield the instructions for the developer of a shop; ``here`` is the relay's address."""
    yield f"Inspector: {here}/ (Ctrl-C stops it)"
    yield f"  Events as JSON: {here}/ledger"
    yield ""
    yield "Put this on every page. It works without a proxy:"
    yield ""
    yield indent(str(Snippet(shop.application, prefix=here + RELAY_PATH)), "  ")
    yield ""
    yield f"With a Content-Security-Policy, allow {here} in script-src and connect-src."
    if ANY_ORIGIN in shop.origins:
        yield "Any origin may send events. To allow only yours: --origins http://localhost:8000"
    yield ""
    yield f"As in production, with a proxy that forwards {RELAY_PATH}/ to {here}{RELAY_PATH}/:"
    yield ""
    yield indent(str(Snippet(shop.application)), "  ")
    yield ""
    yield "For your own relay, such as one inside the shop's application, set:"
    yield ""
    yield f"  {variable('api_url')}={here}{contract.PATH}"
    yield f"  {variable('application_id')}={shop.application}"
    yield f"  {variable('api_key')}={show_key(shop.key)}"


def show_key(key: str) -> str:
    """Return the default key; any other may be a real one, and is not printed."""
    return key if key == SANDBOX_KEY else "(as given by --key)"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8788, show_default=True, help="Port; 0 picks a free one.")
@click.option(
    "--key",
    default=SANDBOX_KEY,
    show_default=True,
    envvar="NEURALENS_API_KEY",
    show_envvar=True,
    help="The API key to expect.",
)
@click.option(
    "--app-id",
    default="sandbox-app",
    show_default=True,
    envvar="NEURALENS_APPLICATION_ID",
    show_envvar=True,
    help="The application id to expect.",
)
def sandbox(host: str, port: int, key: str, app_id: str) -> None:
    """Run a local stand-in for the event tracking API, which validates requests as the API does.

    Open its address in a browser to inspect the events that it has accepted.
    """
    log_to_stderr()
    ledger = Ledger()
    try:
        app = create_workbench(
            api.create_app(key, app_id, ledger), Inspector(ledger, TransitLog(), app_id, None)
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    with listen(host, port) as listener:

        def announce() -> None:
            where = address(listener)
            click.echo(f"Sandbox: {where} (accepted events: {where}/ledger)")
            click.echo("For the relay, set:")
            click.echo(f"  {variable('api_url')}={where}{contract.PATH}")
            click.echo(f"  {variable('application_id')}={app_id}")
            click.echo(f"  {variable('api_key')}={show_key(key)}")

        asyncio.run(serve([Server(app, listener, ledger.close)], announce))
