"""The relay of this process, if it is part of the project."""

from functools import lru_cache

from django.urls import NoReverseMatch, get_script_prefix, reverse
from neuralens_relay.embedding import EmbeddedRelay
from starlette.applications import Starlette

from neuralens_django.configuration import configuration, page_configuration

# The applications of ``asgi.mount``.
mounts: list[Starlette] = []


@lru_cache(1)
def relay() -> EmbeddedRelay:
    """Return the one relay of this process."""
    return EmbeddedRelay(lambda: configuration().relay)


def start_relay() -> None:
    """Start the relay, if it is part of this project, so that queued events are forwarded."""
    if page_configuration().enabled and is_routed():
        relay().start()


def is_routed() -> bool:
    """Return whether the project's URLs include neuralens_django.urls."""
    try:
        reverse("neuralens:relay", kwargs={"path": "events"})
    except NoReverseMatch:
        return False
    return True


def script_root() -> str:
    """Return the path below which the project, and with it the relay, is mounted, or ""."""
    return get_script_prefix().rstrip("/") if mounts or is_routed() else ""
