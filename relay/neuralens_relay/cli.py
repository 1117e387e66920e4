"""The command ``relay``: serves, and inspects and edits the outbox."""

import gc
import json
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

import click
import uvicorn
from neuralens_embed.names import RELAY_PATH
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from neuralens_relay.app import create_app
from neuralens_relay.balance import (
    DAY,
    DUPLICATE,
    KEPT_DAYS,
    LOST,
    OUT,
    REJECTED,
    STORED,
    TRACKED,
    balances,
)
from neuralens_relay.connections import (
    Server,
    bound,
    count_connections,
    find_lack_of_memory,
    raise_descriptors,
)
from neuralens_relay.notices import Notices
from neuralens_relay.outbox_url import open_existing
from neuralens_relay.output import Output
from neuralens_relay.portions import Portion
from neuralens_relay.responses import explain_error
from neuralens_relay.salvage import salvage
from neuralens_relay.serving import address, adopt, listen, listen_unix
from neuralens_relay.settings import SettingsError, describe, read_setting, warn_of_unknown
from neuralens_relay.store import Dead, OutboxError, Store

# The most dead letters that are listed.
MAX_LISTED = 10_000
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
    chosen = dead + balance + replay + forget + (uid is not None) + (damaged is not None)
    if chosen > 1 or (eids and not (replay or forget)) or (as_json and not (dead or balance)):
        raise click.UsageError(
            "give --dead [--json], --balance [--json], --replay [EIDS], --forget [EIDS],"
            " --erase UID, --salvage OLD NEW, or none"
        )
    if uds is not None and fd is not None:
        raise click.UsageError("give --uds or --fd, not both")
    try:
        if dead:
            list_dead(as_json)
        elif balance:
            print_balance(as_json)
        elif replay:
            now = time.time()
            change_dead(lambda store, part, most: store.replay(part, most, now), eids, "sent again")
        elif forget:
            change_dead(lambda store, part, most: store.forget(part, most), eids, "dropped")
        elif uid is not None:
            erase_shopper(uid)
        elif damaged:
            salvage_outbox(*damaged)
        else:
            serve(partial(open_listener, host, port, uds, fd))
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
        shorten_pauses()
        url = f"{address(listener)}{RELAY_PATH}"
        Output(sys.__stdout__).write(f"Relay: {url}\n  Health: {url}/health")
        handle_signals()
        with suppress(KeyboardInterrupt):
            Server(config, app.state.intake.uploads.stop_reading).run(sockets=[listener])


def handle_signals() -> None:
    """Shut down on SIGTERM, and on SIGHUP unless it is ignored, as by nohup."""
    # uvicorn raises the signal again after its shutdown: handle SIGTERM like SIGINT then.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A closed terminal, or a reload by a service manager: uvicorn does not handle it.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


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


@contextmanager
def opened() -> Iterator[Store]:
    """Open the outbox, which a relay may have open at the same time."""
    warn_of_unknown()
    store = open_existing(read_setting("outbox"), read_setting("redis_vouched"))
    try:
        yield store
    finally:
        store.close()


def list_dead(as_json: bool) -> None:
    """Print the dead letters, newest first."""
    with opened() as store, store.transaction():
        events = store.dead(MAX_LISTED)
        count = store.depth().dead
    for event in events:
        click.echo(json.dumps(as_record(event)) if as_json else describe_dead(event))
    if not as_json:
        shown = f", of which {len(events)} are listed" if count > len(events) else ""
        click.echo(f"{count} dead letter{'' if count == 1 else 's'}{shown}")


def print_balance(as_json: bool) -> None:
    """Print the balance of each day and application."""
    with opened() as store, store.transaction():
        found = balances(store.tallies(int(time.time() // DAY) - KEPT_DAYS))
    if as_json:
        for each in found:
            click.echo(json.dumps({"day": each.date, "app": each.app, **each.as_json()}))
        return
    plain = [TRACKED, STORED, DUPLICATE, REJECTED, LOST, OUT]
    rows = [["day", "application", *plain, "reasons"]]
    for each in found:
        reasons = [
            f"{state} for {reason}: {count}"
            for (state, reason), count in each.entries().items()
            if reason
        ]
        totals = [str(each.total(state)) for state in plain]
        rows.append([each.date, "".join(map(printable, each.app)), *totals, "; ".join(reasons)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if place in (0, 1, len(row) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def change_dead(
    change: Callable[[Store, Sequence[str], int], int], eids: Sequence[str], done: str
) -> None:
    """Requeue or delete dead letters in portions, so that the relay can write in between."""
    count = 0
    portion = Portion()
    with opened() as store:
        with store.transaction():
            # At the start, because a requeued event may become a dead letter again.
            left = len(eids) or store.depth().dead
        while left > 0:
            rows = min(portion.rows, left)
            part = eids[len(eids) - left :][:rows]
            changed = portion.run(store, partial(change, store, part, rows))
            if not (changed or part):
                break
            count += changed
            left -= len(part) or changed
    click.echo(f"{count} event{'' if count == 1 else 's'} will be {done}")
    if count < len(set(eids)):
        raise click.ClickException(
            f"no readable dead letter has {len(set(eids)) - count} of the ids: --dead lists them"
        )


def erase_shopper(uid: str) -> None:
    """Delete all events of a shopper in portions, so that the relay can write in between."""
    count = 0
    portion = Portion()
    with opened() as store:
        cursor = None
        while True:
            erased, cursor = portion.run(store, partial(store.erase, uid, cursor, portion.rows))
            count += erased
            if cursor is None:
                break
        left = store.shred()
    click.echo(f"{count} event{'' if count == 1 else 's'} of this uid dropped")
    if left:
        raise click.ClickException(left)


def salvage_outbox(old: Path, new: Path) -> None:
    """Copy the readable part of a damaged outbox file to a new one."""
    found = salvage(old, new)
    click.echo(
        f"{found.events} events, {found.dead} dead letters and {found.known} ids are in {new};"
        f" {found.lost} events could not be read"
    )
    if found.orphans:
        click.echo(f"{found.orphans} of them were on pages to which only damaged pages led")


def as_record(event: Dead) -> dict[str, object]:
    """Return a dead letter as a JSON object."""
    return {
        "eid": event.eid,
        "reason": event.reason,
        "attempts": event.attempts,
        "received": event.received,
        "event": read_event(event.body),
    }


def read_event(body: bytes) -> Any:
    """Return the event of a dead letter; as text if it is damaged."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def describe_dead(event: Dead) -> str:
    """Format a dead letter, without control characters for the terminal."""
    try:
        received = datetime.fromtimestamp(event.received, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        # A damaged or wrong time.
        received = str(event.received)
    lines = [
        f"{event.eid}  received {received}  attempts {event.attempts}",
        f"  {event.reason}",
        f"  {event.body.decode(errors='replace')}",
    ]
    return "\n".join("".join(map(printable, line)) for line in lines)


def printable(character: str) -> str:
    """Return a character, or its escape sequence if it is not printable."""
    return character if character.isprintable() else ascii(character)[1:-1]
