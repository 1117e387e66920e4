"""The relay as an ASGI application.

====================  ============================================================================
``POST events``       accepts a batch; 202 once its events are on disk
``GET neuralens.js``  and every other file in the build's manifest
``GET /``             that this is the relay, and the path of its health
``GET health``        readiness; with ``?live`` liveness
``GET metrics``       metrics for Prometheus
====================  ============================================================================

Mounted in another application it needs only the mount: it starts with the first request and closes
at the end of the process. To tie it to the other application, pass that
``lifespan=app.state.relay.lifespan``, or call ``app.state.relay.start()`` and ``.close()``.
"""

import json
import logging
import re
from contextlib import suppress
from functools import partial
from pathlib import Path

from neuralens_embed.bundles import MANIFEST, directory
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from neuralens_relay.access import may_inspect
from neuralens_relay.archive import Archive
from neuralens_relay.balance import Balance
from neuralens_relay.bundles import Bundle, load
from neuralens_relay.forwarded import TrustedProxies
from neuralens_relay.intake import RETRY_BROKEN, Intake
from neuralens_relay.outbox_url import sqlite_path
from neuralens_relay.relay import Relay
from neuralens_relay.responses import as_json, explain_error
from neuralens_relay.scripts import serve_bundle
from neuralens_relay.settings import Settings, variable
from neuralens_relay.store import OutboxError

# Days of the balance in the metrics.
BALANCE_DAYS = 8

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None, folder: Path | None = None) -> Starlette:
    """Return the relay as an ASGI application, to be served on its own or mounted in another.

    Settings default to the environment variables, and ``folder``, which holds the bundles and
    their manifest, to that of the build. Nothing is opened before the first request or the start
    of the lifespan. Raises SettingsError if a setting is missing or invalid.
    """
    settings = settings or Settings.from_environment()
    bundles = load_built(folder)
    maps = {
        name: f"{Path(name).name}.map"
        for name in bundles
        if settings.source_maps and f"{name}.map" in bundles
    }
    relay = Relay(settings)
    intake = Intake(relay)
    status = Status(relay)
    archive = Archive(archive_folder(settings))

    trust = Middleware(
        TrustedProxies, trusted=settings.trusted_proxies, setting=variable("trusted_proxies")
    )
    app = Starlette(
        routes=[
            Route("/events", intake.take_batch, methods=["POST"]),
            Route("/events", intake.answer_preflight, methods=["OPTIONS"]),
            Route("/", show_index, methods=["GET"]),
            Route("/health", status.health, methods=["GET"]),
            Route("/metrics", status.metrics, methods=["GET"]),
            *(
                Route(
                    f"/{name}",
                    partial(serve_bundle, bundle, maps.get(name), archive),
                    methods=["GET"],
                )
                for name, bundle in bundles.items()
            ),
        ],
        exception_handlers={HTTPException: answer_http_error, Exception: answer_fault},
        middleware=[trust, Middleware(IgnoredSlashes)],
        lifespan=relay.lifespan,
    )
    app.router.redirect_slashes = False
    app.state.relay = relay
    app.state.intake = intake
    return app


class IgnoredSlashes:
    """Ignores a slash at the end of a path, and all but one in a row.

    Litestar appends one to the paths of what it mounts, and nginx inserts one with ``location /nl``
    and ``proxy_pass http://relay/nl/``. A redirect would get the same slash again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; the application's own path, as in ``/nl/``, keeps its slash."""
        if scope["type"] == "http":
            root = scope.get("root_path", "")
            # Some servers leave it out.
            prefix = root if scope["path"].startswith(root) else ""
            path = re.sub("/+", "/", scope["path"].removeprefix(prefix))
            scope = {**scope, "path": prefix + (path.rstrip("/") or path)}
        await self._app(scope, receive, send)


def archive_folder(settings: Settings) -> Path | None:
    """Return the folder for scripts of earlier versions, next to a SQLite outbox; else None."""
    path = sqlite_path(settings.outbox)
    return None if path is None else path.with_name(f"{path.stem}-scripts")


def load_built(folder: Path | None) -> dict[str, Bundle]:
    """Load the bundles; if nothing has been built, log a warning and return none."""
    try:
        folder = folder or directory()
        names = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        log.warning("no scripts are served: %s", error)
        return {}
    return load(folder, names)


class Status:
    """The endpoints for operators."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def health(self, request: Request) -> Response:
        """Respond with ``Health.as_json``; 503 if the relay cannot accept events.

        It can while forwarding is paused or held: it stores them. ``?live`` checks nothing.
        """
        if "live" in request.query_params:
            return as_json({"live": True}, 200)
        health = await self._relay.health()
        status = 200 if health.ready else 503
        if not may_inspect(request, self._relay.settings.status_token):
            return as_json({"live": True, "ready": health.ready}, status)
        return as_json(health.as_json(), status)

    async def metrics(self, request: Request) -> Response:
        """Respond with the metrics, without those of the outbox while it cannot be read."""
        if not may_inspect(request, self._relay.settings.status_token):
            token = variable("status_token")
            return as_json({"error": f"metrics are for this machine, or with {token}"}, 403)
        health = await self._relay.health()
        balances: list[Balance] = []
        # An outbox that hangs is not waited for twice.
        if health.depth is not None:
            # Reported by health, if it fails the next time, too.
            with suppress(OutboxError):
                balances = await self._relay.balances(BALANCE_DAYS)
        text = self._relay.metrics.render(health, balances)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def show_index(request: Request) -> Response:
    """Respond to whoever opens the address that the command prints."""
    health = request.scope["root_path"] + "/health"
    return as_json({"service": "neuralens-relay", "health": health}, 200)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Respond to a wrong path or method in JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    return explain_error(error)


async def answer_fault(request: Request, error: Exception) -> Response:
    """Respond to a bug of the relay: nothing was acknowledged, so the page can retry."""
    return explain_error(
        HTTPException(503, "the relay has a fault", {"Retry-After": str(RETRY_BROKEN)})
    )
