"""The extension for Starlette and FastAPI applications."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from neuralens_embed.attributes import Attributes
from neuralens_embed.names import RELAY_PATH
from neuralens_embed.snippet import render_tag
from neuralens_relay.client import Receipt, check_event
from neuralens_relay.embedding import EmbeddedRelay, read_application_id
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Mount
from starlette.templating import Jinja2Templates
from starlette.types import Scope

# Name of the mount, for ``url_for("neuralens", path="/neuralens.js")``.
ROUTE = "neuralens"
# Key of a request's scope: for each relay, the path below which its application is mounted.
ROOT_PATHS = "neuralens.root_paths"

Lifespan = Callable[[object], AbstractAsyncContextManager[Any]]
OfRequest = Callable[[Request], Any]


class Neuralens:
    """Event tracking of one application.

    ``app_id`` and the relay's settings (``api_key``, ``outbox``, ...; see ``neuralens-tracker relay
    --help``) fall back to their environment variables, and are read when they are first needed:
    nothing raises at import. ``prefix`` is where pages reach the relay; if it is mounted, below
    the path of its application. ``nonce``, ``uid`` and ``consent`` are functions of the request.
    ``snippet`` holds further arguments of ``neuralens_embed.Snippet``. With ``enabled`` false, for
    tests, the snippet is empty and nothing is mounted. With ``strict``, for development, an invalid
    value raises MarkupError while a template is rendered; otherwise it is left out and logged once.
    """

    def __init__(
        self,
        app_id: str | None = None,
        *,
        prefix: str = RELAY_PATH,
        enabled: bool = True,
        strict: bool = False,
        nonce: OfRequest | None = None,
        uid: OfRequest | None = None,
        consent: OfRequest | None = None,
        snippet: dict[str, object] | None = None,
        **relay_settings: Any,
    ) -> None:
        self.prefix = prefix.rstrip("/")
        self.enabled = enabled
        self._app_id = app_id
        self._strict = strict
        self._of_request = {"nonce": nonce, "uid": uid, "consent": consent}
        self._snippet = snippet or {}
        self.relay = EmbeddedRelay(lambda: {"application_id": app_id, **relay_settings})

    def mount(self, app: Starlette) -> None:
        """Mount the relay under the prefix, in front of the application's routes.

        Behind a route that matches every path, it would get no requests. Raises ValueError for a
        prefix that is not a path.
        """
        if not self.prefix.startswith("/"):
            raise ValueError(f"prefix must be a path such as {RELAY_PATH}, not {self.prefix!r}")
        if self.enabled:
            app.router.routes.insert(0, NotedMount(self.prefix, self.relay, name=ROUTE))

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Start and close the relay with the application.

        Without this the relay starts with the first request below the prefix.
        """
        if not self.enabled:
            yield
            return
        async with self.relay.lifespan(app):
            yield

    def lifespan_with(self, lifespan: Lifespan) -> Lifespan:
        """Combine the application's own lifespan with the relay's."""

        @asynccontextmanager
        async def both(app: object) -> AsyncIterator[Any]:
            async with self.lifespan(app), lifespan(app) as state:
                yield state

        return both

    async def track(self, event: str, **fields: Any) -> Receipt:
        """Track an event from the server, such as a PURCHASE; see ``neuralens_relay.Client``.

        Behind a route without ``async``, use ``neuralens.relay.client().track``. If tracking is
        disabled, the event is only checked.
        """
        if not self.enabled:
            return check_event(event, **fields)
        return await self.relay.client().track_async(event, **fields)

    def install(self, templates: Jinja2Templates) -> None:
        """Add ``neuralens_snippet(...)`` and ``nl`` to an application's templates."""

        @pass_context
        def neuralens_snippet(context: Context, **overrides: Any) -> Markup:
            return self.render(context.get("request"), **overrides)

        templates.env.globals.update(
            neuralens_snippet=neuralens_snippet, nl=Attributes(self._strict)
        )

    def render(self, request: Request | None, **overrides: Any) -> Markup:
        """Return the snippet for a request; empty if tracking is disabled.

        Without an application id it is empty, too, unless invalid values raise.
        Without a request (a page that is rendered ahead) it has no nonce, uid and consent, and the
        prefix as it is.
        """
        if not self.enabled:
            return Markup("")
        app_id = read_application_id(self._app_id, strict=self._strict)
        if app_id is None:
            return Markup("")
        of_request: dict[str, object] = {}
        if request is not None:
            of_request = {name: read(request) for name, read in self._of_request.items() if read}
        arguments = {
            "app_id": app_id,
            "prefix": self.prefix if request is None else self._prefix_of(request.scope),
            "strict": self._strict,
            **self._snippet,
            **of_request,
            **overrides,
        }
        return render_tag(**arguments)

    def _prefix_of(self, scope: Scope) -> str:
        """Return where the page of a request reaches the relay: absolute if it is not mounted."""
        root = scope.get(ROOT_PATHS, {}).get(self.relay)
        if root is not None:
            return f"{root}{self.prefix}"
        # A page of another application, which this one is mounted in, or of a middleware.
        around = scope.get("router") or scope.get("app")
        path = find_path(self.relay, getattr(around, "routes", []))
        root = scope.get("app_root_path", scope.get("root_path", ""))
        return self.prefix if path is None else f"{root}{path}"


class NotedMount(Mount):
    """A mount that notes in each request the path below which its application is mounted.

    The path is only known at a request: an application may be mounted in another, even below a path
    parameter, and a server or proxy may have a root path of its own.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a request; an application's first route sees all of them."""
        root = scope.get("root_path", "")
        scope.setdefault(ROOT_PATHS, {})[self.app] = root
        match, child = super().matches(scope)
        if match is Match.FULL and not scope["path"].startswith(root):
            # Behind a proxy that strips the root path, FastAPI's own is not yet part of the path.
            child["path"] = f"{root}{scope['path']}"
        return match, child


def find_path(relay: EmbeddedRelay, routes: Iterable[BaseRoute]) -> str | None:
    """Return the path at which a relay is mounted, however deep; None if it is not mounted."""
    for mount in routes:
        if isinstance(mount, Mount):
            below = "" if mount.app is relay else find_path(relay, mount.routes)
            if below is not None:
                return mount.path + below
    return None
