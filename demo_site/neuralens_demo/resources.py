"""What the commands ``demo`` and ``dev`` use while they run, and the relay that is part of both."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from neuralens_relay import Settings
from neuralens_relay import create_app as create_relay_app
from neuralens_relay.serving import address
from starlette.applications import Starlette

from neuralens_demo import contract
from neuralens_demo.serving import Server, serve


@dataclass(frozen=True)
class Resources:
    """The listening sockets and the folders of a command.

    Browsers connect to ``listener``. The relay sends to the sandbox on ``api_listener``, as it
    would to the API, so that it can finish the requests in flight when ``listener`` is closed.
    ``bundles`` is the folder of the built files, ``data`` that of the relay's outbox.
    """

    listener: socket
    api_listener: socket
    bundles: Path
    data: Path


def create_relay(
    resources: Resources, application: str, key: str, origins: tuple[str, ...] = ()
) -> Starlette:
    """Return a relay that forwards to the sandbox; ``origins`` are those that may send to it."""
    settings = Settings(
        api_key=key,
        application_id=application,
        api_url=address(resources.api_listener) + contract.PATH,
        outbox=f"sqlite:///{resources.data / 'outbox.db'}",
        allowed_origins=origins,
    )
    return create_relay_app(settings, resources.bundles)


async def serve_with(
    relay: Starlette, servers: Sequence[Server], ready: Callable[[], None]
) -> None:
    """Start a relay, then run the servers as ``serve`` does; raises OutboxError.

    The relay starts before any server, so that a failure to open the outbox is one sentence.
    """
    await asyncio.to_thread(relay.state.relay.start)
    await serve(servers, ready)
