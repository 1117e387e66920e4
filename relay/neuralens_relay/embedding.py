"""The relay inside another application: nothing is read or opened before it is needed.

A web framework imports its modules in places where the relay's settings need not be there: in
tests, in migrations, in a shell. So it is ``start``, or the first request, that makes the relay.
"""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from neuralens_relay.app import create_app
from neuralens_relay.outbox import OutboxError
from neuralens_relay.responses import explain_error
from neuralens_relay.settings import Settings, SettingsError, variable

if TYPE_CHECKING:
    from a2wsgi import ASGIMiddleware

# What a page is told while the relay's settings are wrong: keep the events, try again.
RETRY_SECONDS = 60

log = logging.getLogger(__name__)


def settings_from(
    given: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Return the relay's settings: the given ones by name, the environment's for the rest.

    A value of None counts as not given. Raises SettingsError for a name that is no setting, and
    as Settings.from_environment does.
    """
    return Settings.from_environment({**environment, **variables(given)})


def variables(given: Mapping[str, Any]) -> dict[str, str]:
    """Return settings, by name, as the environment variables that would say the same.

    Raises SettingsError for a name that is no setting; a value of None is left out.
    """
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name not in known:
            raise SettingsError(f"there is no relay setting {name}: there are {', '.join(known)}")
    return {variable(name): as_text(value) for name, value in given.items() if value is not None}


def as_text(value: Any) -> str:
    """Return a setting's value as an environment variable would hold it."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class EmbeddedRelay:
    """An ASGI application that becomes the relay when it is first used; ``wsgi`` for WSGI servers.

    ``read_settings`` is called once, then. While it raises SettingsError, requests are answered
    503, and the sentence is logged: the pages keep their events.
    """

    def __init__(self, read_settings: Callable[[], Settings]) -> None:
        self._read_settings = read_settings
        self._making = threading.Lock()
        self._app: Starlette | None = None
        self._bridge: ASGIMiddleware | None = None

    def app(self) -> Starlette:
        """Return the relay's application; raises SettingsError."""
        with self._making:
            if self._app is None:
                self._app = create_app(self._read_settings())
            return self._app

    def start(self) -> None:
        """Open the outbox and begin to forward, where that has not happened; log why not."""
        try:
            self.app().state.relay.ensure_started()
        except (SettingsError, OutboxError) as error:
            log.error("the relay cannot start: %s", error)

    @asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Start with an application and close with it; raises SettingsError and OutboxError."""
        async with self.app().state.relay.lifespan(self.app()):
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that the application's own router has passed on."""
        try:
            app = await asyncio.to_thread(self.app)
        except SettingsError as error:
            log.error("the relay cannot start: %s", error)
            headers = {"Retry-After": str(RETRY_SECONDS)}
            answer = explain_error(HTTPException(503, "the relay is not set up", headers))
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    def wsgi(self, environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request of a WSGI server; the relay's event loop has a thread of its own.

        The thread begins with the first request, so after a server has forked its workers.
        """
        with self._making:
            if self._bridge is None:
                # Needed under WSGI servers alone.
                from a2wsgi import ASGIMiddleware

                app: Any = self
                self._bridge = ASGIMiddleware(app)
        # Without a port the bridge would leave the client's address out.
        environ.setdefault("REMOTE_PORT", "0")
        return self._bridge(environ, start_response)
