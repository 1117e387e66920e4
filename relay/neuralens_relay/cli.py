"""The command ``relay``: serves, or administers the outbox."""

import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import fill

import click
import uvicorn
from neuralens_embed.names import RELAY_PATH
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from neuralens_relay.administration import (
    erase_shopper,
    forget_dead,
    list_dead,
    print_balance,
    replay_dead,
    salvage_outbox,
)
from neuralens_relay.app import create_app
from neuralens_relay.connections import (
    Server,
    bound,
    count_connections,
    find_lack_of_memory,
    raise_descriptors,
)
from neuralens_relay.notices import Notices
from neuralens_relay.output import Output
from neuralens_relay.responses import explain_error
from neuralens_relay.serving import address, adopt, listen, listen_unix
from neuralens_relay.settings import SettingsError, describe
from neuralens_relay.store import OutboxError

# Seconds for connections to finish on shutdown.
GRACE = 5
# Seconds after which a thread that waits for the interpreter's lock gets it.
SWITCH_INTERVAL = 0.0005

NOTICES = Notices(logging.getLogger(__name__), time.monotonic)


def settings_table() -> str:
    """Return the help text of the environment variables, wrapped, since click would join them."""
    indent = " " * 4
    entries = [
        f"{each.variable}  [{each.default}]\n"
        + fill(each.help, 76, initial_indent=indent, subsequent_indent=indent)
        for each in describe()
    ]
    return "\b\nEnvironment:\n" + "\n".join(entries)


@click.command(epilog=settings_table())
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, help="Port; 0 picks a free one.")
@click.option("--uds", metavar="PATH", help="Listen on a Unix socket instead.")
@click.option(
    "--fd",
    type=click.IntRange(0),
    metavar="N",
    help="Listen on an inherited socket instead; that of a systemd socket unit is 3.",
)
@click.option(
    "--dead", is_flag=True, help="List the dead letters: events the API refused, and why."
)
@click.option("--balance", is_flag=True, help="Show what became of the events, day by day.")
@click.option(
    "--json", "as_json", is_flag=True, help="With --dead or --balance: one JSON object per line."
)
@click.option("--replay", is_flag=True, help="Resend dead letters: all of them, or the given EIDS.")
@click.option("--forget", is_flag=True, help="Delete dead letters: all of them, or the given EIDS.")
@click.option(
    "--erase", "uid", metavar="UID", help="Delete all events of a shopper from the outbox."
)
@click.option(
    "--salvage",
    "damaged",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="OLD NEW",
    help="Copy the readable part of a damaged outbox file to a new one.",
)
@click.argument("eids", nargs=-1)
def relay(
    host: str,
    port: int,
    uds: str | None,
    fd: int | None,
    dead: bool,
    balance: bool,
    as_json: bool,
    replay: bool,
    forget: bool,
    uid: str | None,
    damaged: tuple[Path, Path] | None,
    eids: tuple[str, ...],
) -> None:
    """Receive events from pages under /nl and forward them to the event API.

    Dead letters can be listed, resent and deleted while a relay is running. EIDS are the ids that
    --dead prints.

    --balance prints a table, by application and day (UTC), of the events that browsers tracked:
    stored, duplicates, rejected and lost by reason, and those still outstanding.
    """
    for text in (*eids, *([] if uid is None else [uid])):
        check_text(text)
    modes: list[Callable[[], None]] = []
    if dead:
        modes.append(partial(list_dead, as_json))
    if balance:
        modes.append(partial(print_balance, as_json))
    if replay:
        modes.append(partial(replay_dead, eids))
    if forget:
        modes.append(partial(forget_dead, eids))
    if uid is not None:
        modes.append(partial(erase_shopper, uid))
    if damaged is not None:
        modes.append(partial(salvage_outbox, *damaged))
    if len(modes) > 1 or (eids and not (replay or forget)) or (as_json and not (dead or balance)):
        raise click.UsageError(
            "give --dead [--json], --balance [--json], --replay [EIDS], --forget [EIDS],"
            " --erase UID, --salvage OLD NEW, or none"
        )
    if uds is not None and fd is not None:
        raise click.UsageError("give --uds or --fd, not both")
    run = modes[0] if modes else partial(serve, partial(open_listener, host, port, uds, fd))
    try:
        run()
    except SettingsError as error:
        raise WrongSetting(str(error)) from error
    except OutboxError as error:
        raise click.ClickException(str(error)) from error


def check_text(text: str) -> None:
    """Raise UsageError for what can be neither a uid nor the id of an event."""
    # Invalid UTF-8 arrives as surrogates.
    if not text.strip() or any("\ud800" <= character <= "\udfff" for character in text):
        raise click.UsageError(f"{text!r} is not an id: give one that is not blank, in UTF-8")


class WrongSetting(click.ClickException):
    """A setting is missing or invalid; exits with the status of a usage error."""

    exit_code = 2


def open_listener(host: str, port: int, uds: str | None, fd: int | None) -> socket.socket:
    """Return the listening socket that the options name; raise ``click.ClickException``."""
    if uds is not None:
        return listen_unix(uds)
    return listen(host, port) if fd is None else adopt(fd)


def serve(open_socket: Callable[[], socket.socket]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[Output(sys.__stderr__)],
    )
    if lack := find_lack_of_memory():
        raise click.ClickException(lack)
    app = create_app()
    relay = app.state.relay
    descriptors = raise_descriptors()
    connections = count_connections(descriptors, relay.settings.concurrency)
    with open_socket() as listener:
        relay.start()
        site = Starlette(
            routes=[Mount(RELAY_PATH, app)],
            lifespan=relay.lifespan,
            exception_handlers={HTTPException: answer_elsewhere},
        )
        config = uvicorn.Config(
            site,
            http=bound(connections, relay.metrics.malformed.inc),
            ws="none",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            # Handled by the application: see NEURALENS_TRUSTED_PROXIES.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        server = Server(config, app.state.intake.uploads.stop_reading)
        shorten_pauses()
        handle_signals(server.stop)
        url = f"{address(listener)}{RELAY_PATH}"
        Output(sys.__stdout__).write(f"Relay: {url}\n  Health: {url}/health")
        server.run(sockets=[listener])
        # The interpreter's end is not to be interrupted either.
        handle_signals(signal.SIG_IGN)


def handle_signals(handler: Callable[..., object] | signal.Handlers) -> None:
    """Handle SIGINT and SIGTERM, and SIGHUP unless it is ignored, as by nohup."""
    # SIGHUP comes from a closed terminal, or from a service manager for a reload.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def shorten_pauses() -> None:
    """Shorten the interpreter's pauses, in a process that is the relay's alone."""
    # A write to the outbox waits for the interpreter's lock after each statement, by default for up
    # to 5 ms while batches are being validated.
    sys.setswitchinterval(SWITCH_INTERVAL)
    # Modules and routes stay: a full collection that visits them takes tens of milliseconds.
    gc.collect()
    gc.freeze()


async def answer_elsewhere(request: Request, error: Exception) -> Response:
    """Respond to, and log, a request outside RELAY_PATH: a proxy may have stripped the prefix."""
    reason = (
        f"this relay serves only {RELAY_PATH}/: a proxy in front of it must pass the full path on"
    )
    shown = "".join(c if c.isprintable() else " " for c in request.url.path[:200])
    NOTICES.log(logging.WARNING, RELAY_PATH, "refusing %s with 404: %s", shown, reason)
    return explain_error(HTTPException(404, reason))
