"""Everything at once: storefront, relay, sandbox and inspector, in one process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe
from socket import socket

from neuralens_relay import Settings
from neuralens_relay import create_app as create_relay
from neuralens_relay.cli import PATH as RELAY_PATH
from neuralens_relay.serving import address
from starlette.routing import Mount

from neuralens_demo import contract, sandbox, storefront
from neuralens_demo.catalogue import Catalogue
from neuralens_demo.inspector import Inspector
from neuralens_demo.ledger import Ledger
from neuralens_demo.serving import Server, serve
from neuralens_demo.waypoints import Watched, Waypoints

APPLICATION = "hearth-and-alder"


async def demonstrate(
    shop_listener: socket,
    api_listener: socket,
    place: Path,
    data: Path,
    consent: str,
    ready: Callable[[], None],
) -> None:
    """Serve the shop, with relay and inspector, and the sandbox until SIGINT or SIGTERM.

    ``place`` is the folder of the bundles, ``data`` that of the relay's outbox, ``consent`` what
    holds until a shopper has chosen. The key is made
    anew each time: nobody but relay and sandbox needs it. ``ready`` is called once everything
    answers. Raises OutboxError when the outbox cannot be opened.
    """
    key = token_urlsafe(24)
    ledger, waypoints, catalogue = Ledger(), Waypoints(), Catalogue()
    relay = create_relay(
        Settings(
            api_key=key,
            application_id=APPLICATION,
            api_url=address(api_listener) + contract.PATH,
            outbox=f"sqlite:///{data / 'outbox.db'}",
        ),
        place,
    )
    shop = storefront.create_app(
        APPLICATION,
        place,
        [
            Mount(RELAY_PATH, Watched(relay, waypoints)),
            *Inspector(ledger, waypoints, "Hearth & Alder", "/", catalogue.describe).routes(),
        ],
        catalogue,
        relay.state.relay.lifespan,
        consent,
    )
    # Before any server starts, so that an outbox that cannot be opened is said in one sentence.
    await asyncio.to_thread(relay.state.relay.start)
    api = sandbox.create_app(key, APPLICATION, ledger)
    # The shop ends first: its relay still hands over what it has in flight.
    await serve([Server(shop, shop_listener, ledger.close), Server(api, api_listener)], ready)
