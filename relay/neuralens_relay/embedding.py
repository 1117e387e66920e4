"""Embeds the relay in another application, creating it lazily.

A web framework also imports its modules where the relay's settings are absent: in tests,
migrations and shells. So the relay is created by ``start`` or the first request.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from neuralens_embed.attributes import report
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from neuralens_relay.app import create_app
from neuralens_relay.client import Client
from neuralens_relay.notices import Notices
from neuralens_relay.responses import explain_error
from neuralens_relay.settings import Settings, SettingsError, read_setting, variable
from neuralens_relay.store import OutboxError

if TYPE_CHECKING:
    from a2wsgi import ASGIMiddleware

# Retry-After while the relay's settings are invalid.
RETRY_SECONDS = 60

log = logging.getLogger(__name__)


def read_application_id(given: object, *, strict: bool) -> str | None:
    """Return the application id of a page's snippet: the given one, otherwise the environment's.

    If there is none, raises SettingsError; if ``strict`` is false, logs that once and returns None,
    so that the page is rendered without a snippet.
    """
    try:
        return str(given) if given else read_setting("application_id")
    except SettingsError as error:
        if strict:
            raise
        report(f"the snippet, because {error}")
        return None


def variables(given: Mapping[str, object]) -> dict[str, str]:
    """Convert settings by name to the equivalent environment variables, without None values.

    Raises SettingsError for an unknown name.
    """
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name not in known:
            raise SettingsError(f"there is no relay setting {name}: there are {', '.join(known)}")
    return {variable(name): as_text(value) for name, value in given.items() if value is not None}


@contextmanager
def exported(given: Mapping[str, object]) -> Iterator[None]:
    """Export settings by name to the environment, where the relay's command reads them.

    Afterwards the environment is as before, because a test may run the command in its own process.
    Raises SettingsError for an unknown name.
    """
    values = variables(given)
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def as_text(value: object) -> str:
    """Return a setting's value as the text of an environment variable."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class EmbeddedRelay:
    """An ASGI application that creates the relay when first used; ``wsgi`` is for WSGI servers.

    ``read_values`` is called then: it returns the relay's settings by name, and the environment's
    variables hold for those that are absent or None. While one is wrong or missing, that is logged
    and requests are answered with 503, so that pages keep their events.
    """

    def __init__(self, read_values: Callable[[], Mapping[str, object]]) -> None:
        self._read_values = read_values
        self._client: Client | None = None
        self._making = threading.Lock()
        self._notices = Notices(log, time.monotonic)
        self._app: Starlette | None = None
        self._bridge: ASGIMiddleware | None = None

    def app(self) -> Starlette:
        """Return the relay's application; raises SettingsError."""
        with self._making:
            if self._app is None:
                self._app = create_app(Settings.from_environment(self._environment()))
            return self._app

    def client(self) -> Client:
        """Return the client that tracks from this server; raises SettingsError.

        It writes to the relay's outbox, whether or not the relay runs in this process, or posts to
        the relay at NEURALENS_RELAY_URL.
        """
        with self._making:
            if self._client is None:
                self._client = Client(environment=self._environment())
            return self._client

    def _environment(self) -> dict[str, str]:
        """Return the settings as environment variables; raises SettingsError."""
        return {**os.environ, **variables(self._read_values())}

    def start(self) -> None:
        """Open the outbox and start forwarding, unless started; an error is logged."""
        try:
            self.app().state.relay.ensure_started()
        except (SettingsError, OutboxError) as error:
            self._explain(error)

    def _explain(self, error: Exception) -> None:
        """Log why the relay cannot start: once a minute, because every page may ask for it."""
        self._notices.log(logging.ERROR, str(error), "the relay cannot start: %s", error)

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Start and close with an application; raises SettingsError and OutboxError."""
        async with self.app().state.relay.lifespan(self.app()):
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        try:
            app = await asyncio.to_thread(self.app)
        except SettingsError as error:
            self._explain(error)
            headers = {"Retry-After": str(RETRY_SECONDS)}
            answer = explain_error(HTTPException(503, "the relay is not set up", headers))
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    def wsgi(self, environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Handle a WSGI request, in an event loop that runs in its own thread.

        The thread starts with the first request, and so after a server has forked its workers.
        """
        with self._making:
            if self._bridge is None:
                # Imported here because it is only needed under WSGI.
                from a2wsgi import ASGIMiddleware

                app: Any = self
                self._bridge = ASGIMiddleware(app)
        # Without a port the bridge omits the client's address.
        environ.setdefault("REMOTE_PORT", "0")
        # Read to its end, whether or not the client does: otherwise the bridge's task never ends.
        return list(self._bridge(environ, start_response))
