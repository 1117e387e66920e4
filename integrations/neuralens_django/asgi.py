"""Mounts the relay next to a project that runs under ASGI."""

from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from neuralens_django import mounted
from neuralens_django.configuration import page_configuration
from neuralens_django.mounted import relay


def mount(application: Any) -> Starlette:
    """Return a project's ASGI application with the relay below the prefix.

    ``application = neuralens_django.asgi.mount(get_asgi_application())``. The relay starts and
    closes with the server; the project's own application gets no lifespan events.
    """
    config = page_configuration()
    if not config.enabled:
        return Starlette(routes=[Mount("/", application)])
    made = Starlette(
        routes=[Mount(config.prefix, relay()), Mount("/", application)],
        lifespan=relay().lifespan,
    )
    mounted.mounts.append(made)
    return made
