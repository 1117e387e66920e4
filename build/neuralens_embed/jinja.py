"""The snippet and the attributes as globals of a Jinja environment."""

from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from neuralens_embed.attributes import Attributes
from neuralens_embed.snippet import Snippet


def install(environment: Environment, *, strict: bool = True, **defaults: Any) -> None:
    """Add the globals ``neuralens_snippet(...)`` and ``nl`` to an environment.

    ``defaults`` are arguments of Snippet for every call of ``neuralens_snippet``, which may
    override them. One that differs from page to page, such as ``nonce``, ``uid`` or ``consent``,
    may be a function: it is called with the template's context (a mapping, in which frameworks put
    the request) each time the snippet is rendered. ``nl`` is an Attributes. ``strict`` is that of
    both.
    """

    @pass_context
    def neuralens_snippet(context: Context, **overrides: Any) -> Markup:
        arguments = {
            name: value(context) if callable(value) else value
            for name, value in {"strict": strict, **defaults, **overrides}.items()
        }
        return Snippet(**arguments).render()

    environment.globals.update(neuralens_snippet=neuralens_snippet, nl=Attributes(strict))
