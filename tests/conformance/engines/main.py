"""What a Python runtime starts with: the page's function ``play`` plays a case, JSON in and out."""

from neuralens_tracker import world
from neuralens_tracker.web.ffi import callback, dump, parse, put, window


def play(text: str) -> str:
    """Play one case."""
    return dump(world.start(parse(text)))


def start(*_: object) -> None:
    """Give the page its function."""
    put(window, "play", callback(play))
