"""The snippet and the attributes as globals of a Jinja environment."""

from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from neuralens_embed.attributes import Attributes
from neuralens_embed.snippet import Snippet


def install(environment: Environment, **defaults: Any) -> None:
    """Add the globals ``neuralens_snippet(...)`` and ``nl`` to an environment.

    ``defaults`` are arguments of Snippet for every call of ``neuralens_snippet``, which may
    override them; ``nl`` is an Attributes.
    """

    def neuralens_snippet(**overrides: Any) -> Markup:
        return Snippet(**{**defaults, **overrides}).render()

    environment.globals.update(neuralens_snippet=neuralens_snippet, nl=Attributes())
