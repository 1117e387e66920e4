"""The root of everything that the build raises on purpose."""


class BuildError(Exception):
    """The build failed; the message says what is wrong, where, and the remedy."""
