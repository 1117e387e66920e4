"""The root of everything that the build raises on purpose."""


class BuildError(Exception):
    """The build cannot go on; the message says what is wrong, and where, and what to do."""
