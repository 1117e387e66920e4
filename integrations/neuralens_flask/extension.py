"""The Flask extension."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Config, Flask, current_app, has_request_context, request
from markupsafe import Markup
from neuralens_embed.attributes import Attributes
from neuralens_embed.names import RELAY_PATH
from neuralens_embed.snippet import render_tag
from neuralens_relay.client import Receipt, check_event
from neuralens_relay.embedding import EmbeddedRelay, read_application_id

from neuralens_flask.commands import group
from neuralens_flask.configuration import is_strict, relay_values

EXTENSION = "neuralens"
# Key of an application's relay among its extensions.
RELAY = "neuralens_relay"
Loader = Callable[[], Any]
WsgiApp = Callable[[dict[str, object], Callable[..., Any]], Iterable[bytes]]


class Neuralens:
    """Event tracking of Flask applications.

    The configuration has the names of the relay's environment variables, which hold where a key
    is absent: ``NEURALENS_APPLICATION_ID``, ``NEURALENS_API_KEY``, ``NEURALENS_OUTBOX`` and so on.
    In addition there are ``NEURALENS_PREFIX`` (``/nl``), ``NEURALENS_ENABLED`` (true),
    ``NEURALENS_RELAY`` (true: the relay is part of this application; false: a proxy leads there),
    ``NEURALENS_STRICT`` (that of ``app.debug``: whether an invalid value raises in the template, or
    is left out and logged once), and ``NEURALENS_SNIPPET``: arguments of
    ``neuralens_embed.Snippet``.
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._load_uid: Loader | None = None
        self._load_consent: Loader | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the template globals, the commands, and the relay below the prefix."""
        app.config.setdefault("NEURALENS_PREFIX", RELAY_PATH)
        app.config.setdefault("NEURALENS_ENABLED", True)
        app.config.setdefault("NEURALENS_RELAY", True)
        app.config.setdefault("NEURALENS_SNIPPET", {})
        app.extensions[EXTENSION] = self
        app.jinja_env.globals.update(neuralens_snippet=self.snippet)
        app.context_processor(lambda: {"nl": Attributes(is_strict(app))})
        app.cli.add_command(group)
        relay = EmbeddedRelay(lambda: relay_values(app.config))
        app.extensions[RELAY] = relay
        # Wraps the application, so that its CSRF protection, rate limits and sessions do not
        # apply to beacons.
        app.wsgi_app = Mounted(app, relay, app.wsgi_app)  # type: ignore[method-assign]

    def uid_loader(self, load: Loader) -> Loader:
        """Register, as a decorator, the function that returns the shopper's id, or None."""
        self._load_uid = load
        return load

    def consent_loader(self, load: Loader) -> Loader:
        """Register the function that returns the shopper's consent, or None for the default."""
        self._load_consent = load
        return load

    def track(self, event: str, **fields: Any) -> Receipt:
        """Track an event from the server, such as a PURCHASE; see ``neuralens_relay.Client``.

        If tracking is disabled, the event is only checked.
        """
        if not current_app.config["NEURALENS_ENABLED"]:
            return check_event(event, **fields)
        receipt: Receipt = current_app.extensions[RELAY].client().track(event, **fields)
        return receipt

    def snippet(self, **overrides: Any) -> Markup:
        """Return the snippet for the current request; empty if tracking is disabled.

        Without an application id it is empty, too, unless invalid values raise.
        """
        config = current_app.config
        if not config["NEURALENS_ENABLED"]:
            return Markup("")
        strict = is_strict(current_app)
        app_id = read_application_id(relay_values(config)["application_id"], strict=strict)
        if app_id is None:
            return Markup("")
        arguments = {
            "app_id": app_id,
            "prefix": script_root(config) + config["NEURALENS_PREFIX"],
            "strict": strict,
            "nonce": talisman_nonce(),
            "uid": self._load_uid() if self._load_uid else None,
            "consent": self._load_consent() if self._load_consent else None,
            **config["NEURALENS_SNIPPET"],
            **overrides,
        }
        return render_tag(**arguments)


class Mounted:
    """A WSGI application with the relay below a prefix."""

    def __init__(self, app: Flask, relay: EmbeddedRelay, around: WsgiApp) -> None:
        self._app = app
        self._relay = relay
        self._around = around

    def __call__(
        self, environ: dict[str, object], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Dispatch a request: to the relay below the prefix, otherwise to the application."""
        config = self._app.config
        if not (config["NEURALENS_ENABLED"] and config["NEURALENS_RELAY"]):
            return self._around(environ, start_response)
        prefix = str(config["NEURALENS_PREFIX"]).rstrip("/")
        path = str(environ.get("PATH_INFO", ""))
        if not f"{path}/".startswith(f"{prefix}/"):
            # Start now, so that events queued before a restart need not wait for the first beacon.
            self._relay.start()
            return self._around(environ, start_response)
        environ["SCRIPT_NAME"] = str(environ.get("SCRIPT_NAME", "")) + prefix
        environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
        return self._relay.wsgi(environ, start_response)


def script_root(config: Config) -> str:
    """Return the path below which the application, and with it the relay, is mounted, or ""."""
    return request.script_root if config["NEURALENS_RELAY"] and has_request_context() else ""


def talisman_nonce() -> Any:
    """Return the nonce of Flask-Talisman, if the application uses it."""
    nonce = current_app.jinja_env.globals.get("csp_nonce")
    return (nonce() or None) if callable(nonce) else None
