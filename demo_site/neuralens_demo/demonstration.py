"""The command ``demo``: storefront, relay, sandbox and inspector in one process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe
from socket import socket

from neuralens_embed.names import RELAY_PATH
from neuralens_relay import Settings
from neuralens_relay import create_app as create_relay
from neuralens_relay.serving import address
from starlette.routing import Mount

from neuralens_demo import contract, sandbox, storefront
from neuralens_demo.catalogue import Catalogue
from neuralens_demo.inspector import Inspector
from neuralens_demo.ledger import Ledger
from neuralens_demo.serving import Server, serve
from neuralens_demo.transit import TransitLog, TransitRecorder

APPLICATION = "hearth-and-alder"


async def demonstrate(
    shop_listener: socket,
    api_listener: socket,
    bundles: Path,
    data: Path,
    consent: str,
    ready: Callable[[], None],
) -> None:
    """Serve the shop, with relay and inspector, and the sandbox until SIGINT or SIGTERM.

    ``bundles`` is the folder of the bundles, ``data`` that of the relay's outbox, ``consent`` the
    state before a shopper has chosen. The API key is random, because only relay and sandbox need
    it. ``ready`` is called once all servers are started. Raises OutboxError if the outbox cannot be
    opened.
    """
    key = token_urlsafe(24)
    ledger, transits, catalogue = Ledger(), TransitLog(), Catalogue()
    relay = create_relay(
        Settings(
            api_key=key,
            application_id=APPLICATION,
            api_url=address(api_listener) + contract.PATH,
            outbox=f"sqlite:///{data / 'outbox.db'}",
        ),
        bundles,
    )
    shop = storefront.create_app(
        APPLICATION,
        bundles,
        [
            Mount(RELAY_PATH, TransitRecorder(relay, transits)),
            *Inspector(ledger, transits, "Hearth & Alder", "/", catalogue.describe).routes(),
        ],
        catalogue,
        relay.state.relay.lifespan,
        consent,
    )
    # Before any server starts, so that a failure to open the outbox is one sentence.
    await asyncio.to_thread(relay.state.relay.start)
    api = sandbox.create_app(key, APPLICATION, ledger)
    # The shop is stopped first: its relay still finishes the requests in flight.
    await serve([Server(shop, shop_listener, ledger.close), Server(api, api_listener)], ready)
