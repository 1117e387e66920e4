"""Entry module of Python runtimes: defines the page's function ``play``, with JSON in and out."""

from neuralens_tracker import world
from neuralens_tracker.web.ffi import callback, dump, parse, put, window


def play(text: str) -> str:
    """Run a case."""
    return dump(world.start(parse(text)))


def start(*_: object) -> None:
    """Define the page's function."""
    put(window, "play", callback(play))
