"""Annotations of GitHub's workflows: texts as they stand in a workflow command.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""


def escape_data(text: str) -> str:
    """Return a text as it stands behind ``::`` in a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Return a text as it stands among the properties of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")
