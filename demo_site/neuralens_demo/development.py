"""The command ``dev``: relay, sandbox and inspector on one address, for another shop's pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neuralens_embed.names import RELAY_PATH
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from neuralens_demo import sandbox
from neuralens_demo.inspector import Inspector
from neuralens_demo.ledger import Ledger
from neuralens_demo.policy import SecurityHeaders
from neuralens_demo.rendering import STATIC
from neuralens_demo.resources import Resources, create_relay, serve_with
from neuralens_demo.serving import Server
from neuralens_demo.transit import TransitLog, TransitRecorder


@dataclass(frozen=True)
class Shop:
    """The shop under development: its application id, its API key, and the origins of its pages.

    ``origins`` is as in the relay's setting; the inspector links to the first one that is not a
    wildcard.
    """

    application: str
    key: str
    origins: tuple[str, ...]

    @property
    def address(self) -> str | None:
        """The address of the shop, or None if unknown."""
        return next((origin for origin in self.origins if origin.startswith("http")), None)


def create_workbench(
    api: Starlette,
    inspector: Inspector,
    routes: Sequence[BaseRoute] = (),
    lifespan: Any = None,
) -> Starlette:
    """Return an application with sandbox and inspector; ``routes`` take precedence over both."""

    async def open_inspector(request: Request) -> Response:
        return RedirectResponse("/inspector")

    return Starlette(
        routes=[
            Route("/", open_inspector),
            *routes,
            *inspector.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
            # Last, because it matches every path.
            Mount("/", api),
        ],
        middleware=[Middleware(SecurityHeaders)],
        lifespan=lifespan,
    )


async def develop(resources: Resources, shop: Shop, ready: Callable[[], None]) -> None:
    """Serve relay, sandbox and inspector on one address until SIGINT or SIGTERM.

    ``ready`` is called once all servers are started. Raises OutboxError if the outbox cannot be
    opened.
    """
    ledger, transits = Ledger(), TransitLog()
    relay = create_relay(resources, shop.application, shop.key, shop.origins)
    api = sandbox.create_app(shop.key, shop.application, ledger)
    app = create_workbench(
        api,
        Inspector(ledger, transits, shop.application, shop.address),
        [Mount(RELAY_PATH, TransitRecorder(relay, transits))],
        relay.state.relay.lifespan,
    )
    servers = [
        Server(app, resources.listener, ledger.close),
        Server(api, resources.api_listener),
    ]
    await serve_with(relay, servers, ready)
