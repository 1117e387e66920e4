"""The base class of the build's errors."""


class BuildError(Exception):
    """The build failed; the message says what is wrong, where, and the remedy."""
