"""What the operator of a relay does with its outbox: dead letters, balance, erasure and salvage."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

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
from neuralens_relay.outbox_url import open_existing
from neuralens_relay.portions import Portion
from neuralens_relay.salvage import salvage
from neuralens_relay.settings import read_setting, warn_of_unknown
from neuralens_relay.store import FORMER, Dead, Store

# The most dead letters that are listed.
MAX_LISTED = 10_000
# The columns of the balance that are totals.
TOTALS = (TRACKED, STORED, DUPLICATE, REJECTED, LOST, OUT)


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
    rows = [["day", "application", *TOTALS, "reasons"]]
    for each in found:
        reasons = [
            f"{tally.state} for {tally.reason}: {tally.count}"
            for tally in each.entries()
            if tally.reason
        ]
        totals = [str(each.total(state)) for state in TOTALS]
        rows.append([each.date, "".join(map(printable, each.app)), *totals, "; ".join(reasons)])
    print_table(rows, to_the_left=(0, 1, len(TOTALS) + 2))


def print_table(rows: Sequence[Sequence[str]], to_the_left: Collection[int]) -> None:
    """Print rows with their columns aligned: some to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if place in to_the_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def replay_dead(eids: Sequence[str]) -> None:
    """Send dead letters again: all of them, or those with the given ids."""
    now = time.time()
    change_dead(lambda store, part, most: store.replay(part, most, now), eids, "sent again")
    if not eids:
        with opened() as store, store.transaction():
            former = sum(each.reason.startswith(FORMER) for each in store.dead(MAX_LISTED))
        if former:
            click.echo(
                f"{former} of a former application will not: --replay sends those whose ids you"
                " give, under the id of the current application"
            )


def forget_dead(eids: Sequence[str]) -> None:
    """Delete dead letters: all of them, or those with the given ids."""
    change_dead(lambda store, part, most: store.forget(part, most), eids, "dropped")


def change_dead(
    change: Callable[[Store, Sequence[str], int], int], eids: Sequence[str], done: str
) -> None:
    """Change dead letters in portions, so that the relay can write in between."""
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
