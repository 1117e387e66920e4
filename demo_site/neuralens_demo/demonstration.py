"""The command ``demo``: storefront, relay, sandbox and inspector in one process."""

from collections.abc import Callable
from secrets import token_urlsafe

from neuralens_embed.names import RELAY_PATH
from starlette.routing import Mount

from neuralens_demo import sandbox, storefront
from neuralens_demo.catalog import Catalog
from neuralens_demo.inspector import Inspector
from neuralens_demo.ledger import Ledger
from neuralens_demo.resources import Resources, create_relay, serve_with
from neuralens_demo.serving import Server
from neuralens_demo.transit import TransitLog, TransitRecorder

APPLICATION = "hearth-and-alder"


async def demonstrate(resources: Resources, consent: str, ready: Callable[[], None]) -> None:
    """Serve the shop, with relay and inspector, and the sandbox until SIGINT or SIGTERM.

    ``consent`` is the state before a shopper has chosen. The API key is random, because only relay
    and sandbox need it. ``ready`` is called once all servers are started. Raises OutboxError if the
    outbox cannot be opened.
    """
    key = token_urlsafe(24)
    ledger, transits, catalog = Ledger(), TransitLog(), Catalog()
    relay = create_relay(resources, APPLICATION, key)
    shop = storefront.create_app(
        APPLICATION,
        resources.bundles,
        catalog=catalog,
        consent=consent,
        lifespan=relay.state.relay.lifespan,
        mounts=[
            Mount(RELAY_PATH, TransitRecorder(relay, transits)),
            *Inspector(ledger, transits, "Hearth & Alder", "/", catalog.describe).routes(),
        ],
    )
    api = sandbox.create_app(key, APPLICATION, ledger)
    # The shop is stopped first: its relay still finishes the requests in flight.
    servers = [
        Server(shop, resources.listener, ledger.close),
        Server(api, resources.api_listener),
    ]
    await serve_with(relay, servers, ready)
