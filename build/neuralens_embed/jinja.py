"""Adds the snippet and the attributes to a Jinja environment."""

from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from neuralens_embed.attributes import Attributes
from neuralens_embed.snippet import render_tag


def install(environment: Environment, *, strict: bool = True, **defaults: Any) -> None:
    """Add the globals ``neuralens_snippet(...)`` and ``nl`` to an environment.

    ``defaults`` are arguments of Snippet, which calls of ``neuralens_snippet`` may override. Values
    that differ between pages, such as ``nonce``, ``uid`` or ``consent``, may be functions: they are
    called with the template's context (a mapping, which contains the request in most frameworks)
    for each rendering. ``nl`` is an Attributes. ``strict`` applies to both.
    """

    @pass_context
    def neuralens_snippet(context: Context, **overrides: Any) -> Markup:
        arguments = {
            name: value(context) if callable(value) else value
            for name, value in {"strict": strict, **defaults, **overrides}.items()
        }
        return render_tag(**arguments)

    environment.globals.update(neuralens_snippet=neuralens_snippet, nl=Attributes(strict))
