"""The command ``relay``."""

import json
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import click
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from neuralens_relay.app import create_app
from neuralens_relay.connections import Server, bound, count_connections, raise_descriptors
from neuralens_relay.outbox import Dead, OutboxError, Store
from neuralens_relay.serving import address, listen
from neuralens_relay.settings import SettingsError, describe, read_setting
from neuralens_relay.stores import open_existing

PATH = "/nl"
# Dead events listed at most.
MAX_LISTED = 10_000
# What a connection gets to finish once the server is told to stop, in seconds.
GRACE = 5


def settings_table() -> str:
    """Return the environment variables as text, marked so that click does not wrap it."""
    lines = [f"{name}: {text} ({default})" for name, text, default in describe()]
    return "\b\nEnvironment:\n" + "\n".join(lines)


@click.command(epilog=settings_table())
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, help="Port; 0 picks a free one.")
@click.option("--dead", is_flag=True, help="List the events that the API refused, and why.")
@click.option("--json", "as_json", is_flag=True, help="With --dead: one JSON object a line.")
@click.option("--replay", is_flag=True, help="Send refused events again: all, or those named.")
@click.argument("eids", nargs=-1)
def relay(
    host: str, port: int, dead: bool, as_json: bool, replay: bool, eids: tuple[str, ...]
) -> None:
    """Receive events from pages under /nl and forward them to the event API.

    Refused events are listed with --dead and sent again with --replay, also while a relay runs.
    EIDS are the ids that --dead prints.
    """
    if (eids and not replay) or (as_json and not dead) or (dead and replay):
        raise click.UsageError("give --dead [--json], or --replay [EIDS], or none of these")
    try:
        if dead:
            list_dead(as_json)
        elif replay:
            replay_dead(eids)
        else:
            serve(host, port)
    except SettingsError as error:
        raise WrongSetting(str(error)) from error
    except OutboxError as error:
        raise click.ClickException(str(error)) from error


class WrongSetting(click.ClickException):
    """A setting is missing or wrong: a sentence, and the exit status of a wrong call."""

    exit_code = 2


def serve(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    app = create_app()
    relay = app.state.relay
    descriptors = raise_descriptors()
    connections = count_connections(descriptors, relay.settings.concurrency)
    listener = listen(host, port)
    relay.start()
    site = Starlette(routes=[Mount(PATH, app)], lifespan=relay.lifespan)
    config = uvicorn.Config(
        site,
        http=bound(connections, relay.metrics.malformed.inc),
        ws="none",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        # The application reads what proxies say itself: see NEURALENS_TRUSTED_PROXIES.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    click.echo(f"Relay: {address(listener)}{PATH}")
    # uvicorn repeats the signal that stopped it once it has stopped: both come as the same one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        Server(config, app.state.intake.stop_reading).run(sockets=[listener])


@contextmanager
def opened() -> Iterator[Store]:
    """Open the outbox for one transaction; a relay may have it open as well."""
    store = open_existing(read_setting("outbox"))
    try:
        with store.transaction():
            yield store
    finally:
        store.close()


def list_dead(as_json: bool) -> None:
    """Print the dead events, the newest first."""
    with opened() as store:
        events = store.dead(MAX_LISTED)
        count = store.depth().dead
    for event in events:
        click.echo(json.dumps(as_record(event)) if as_json else describe_dead(event))
    if not as_json:
        shown = f", of which {len(events)} are listed" if count > len(events) else ""
        click.echo(f"{count} dead event{'' if count == 1 else 's'}{shown}")


def replay_dead(eids: tuple[str, ...]) -> None:
    """Let dead events be sent again."""
    with opened() as store:
        count = store.replay(eids, time.time())
    click.echo(f"{count} event{'' if count == 1 else 's'} will be sent again")
    if count < len(set(eids)):
        raise click.ClickException(f"{len(set(eids)) - count} of the ids are not of dead events")


def as_record(event: Dead) -> dict[str, Any]:
    """Return a dead event as values of JSON."""
    return {
        "eid": event.eid,
        "reason": event.reason,
        "attempts": event.attempts,
        "received": event.received,
        "event": json.loads(event.body),
    }


def describe_dead(event: Dead) -> str:
    """Return a dead event in words; what came from outside cannot steer the terminal."""
    received = datetime.fromtimestamp(event.received, UTC).isoformat(" ", "seconds")
    lines = [
        f"{event.eid}  received {received}  attempts {event.attempts}",
        f"  {event.reason}",
        f"  {event.body.decode()}",
    ]
    return "\n".join("".join(map(printable, line)) for line in lines)


def printable(character: str) -> str:
    """Return a character, or its escape sequence where it would not be seen."""
    return character if character.isprintable() else ascii(character)[1:-1]
