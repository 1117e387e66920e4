"""The extension for Starlette and FastAPI applications."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from neuralens_embed import Snippet
from neuralens_embed.attributes import Attributes
from neuralens_embed.snippet import PREFIX
from neuralens_relay.embedding import EmbeddedRelay, settings_from
from neuralens_relay.settings import read_setting
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.templating import Jinja2Templates

# Name of the mount, for ``url_for("neuralens", path="/neuralens.js")``.
ROUTE = "neuralens"

Lifespan = Callable[[object], AbstractAsyncContextManager[Any]]
OfRequest = Callable[[Request], Any]


class Neuralens:
    """Event tracking of one application.

    ``app_id`` and the relay's settings (``api_key``, ``outbox``, ...; see ``neuralens-tracker relay
    --help``) fall back to their environment variables, and are read when they are first needed:
    nothing raises at import. ``prefix`` is where pages reach the relay. ``nonce``, ``uid`` and
    ``consent`` are functions of the request. ``snippet`` holds further arguments of
    ``neuralens_embed.Snippet``. With ``enabled`` false, for tests, the snippet is empty and nothing
    is mounted. With ``strict``, for development, a wrong value raises MarkupError while a template
    is rendered; otherwise it is left out and logged once.
    """

    def __init__(
        self,
        app_id: str | None = None,
        *,
        prefix: str = PREFIX,
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
        self.relay = EmbeddedRelay(
            lambda: settings_from({"application_id": app_id, **relay_settings}, os.environ)
        )

    def mount(self, app: Starlette) -> None:
        """Mount the relay under the prefix."""
        if self.enabled:
            app.mount(self.prefix, self.relay, name=ROUTE)

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

    def install(self, templates: Jinja2Templates) -> None:
        """Add ``neuralens_snippet(...)`` and ``nl`` to an application's templates."""

        @pass_context
        def neuralens_snippet(context: Context, **overrides: Any) -> Markup:
            return self.render(context["request"], **overrides)

        templates.env.globals.update(
            neuralens_snippet=neuralens_snippet, nl=Attributes(self._strict)
        )

    def render(self, request: Request, **overrides: Any) -> Markup:
        """Return the snippet for a request; empty if tracking is disabled."""
        if not self.enabled:
            return Markup("")
        of_request = {name: read(request) for name, read in self._of_request.items() if read}
        root = request.scope.get("app_root_path", request.scope.get("root_path", ""))
        arguments = {
            "app_id": self._app_id or read_setting("application_id"),
            "prefix": f"{root}{self.prefix}",
            "strict": self._strict,
            **self._snippet,
            **of_request,
            **overrides,
        }
        return Snippet(**arguments).render()
