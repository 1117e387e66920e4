"""For Django's Jinja2 backend: OPTIONS = {"environment": "neuralens_django.jinja2.environment"}."""

from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from neuralens_django.markup import attributes, render_snippet


@pass_context
def neuralens_snippet(context: Context, **overrides: Any) -> Markup:
    """Render the script tag; arguments are those of ``neuralens_embed.Snippet``."""
    return render_snippet(context.get("request"), **overrides)


def install(environment: Environment) -> None:
    """Add ``neuralens_snippet(...)`` and ``nl`` to an existing environment."""
    environment.globals.update(neuralens_snippet=neuralens_snippet, nl=attributes())


def environment(**options: Any) -> Environment:
    """Return an environment with the globals."""
    made = Environment(**options)  # noqa: S701 - Django's backend asks for autoescape by itself
    install(made)
    return made
