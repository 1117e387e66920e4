"""Escapes text for GitHub's workflow commands, which create annotations.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""


def escape_data(text: str) -> str:
    """Escape the message of a workflow command, which follows ``::``."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape a property of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")
