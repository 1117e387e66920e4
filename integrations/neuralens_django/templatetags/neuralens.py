"""``{% load neuralens %}``: snippet and attributes, with the names of the Jinja globals."""

from typing import Any

from django import template
from markupsafe import Markup

from neuralens_django.markup import attributes, render_snippet

register = template.Library()


@register.simple_tag(takes_context=True)
def neuralens_snippet(context: template.Context, **overrides: Any) -> Markup:
    """Render the script tag; arguments are those of ``neuralens_embed.Snippet``."""
    return render_snippet(context.get("request"), **overrides)


@register.simple_tag
def nl_product(
    id: object,  # noqa: A002
    index: object = None,
    *,
    page: object = None,
    query: object = None,
) -> Markup:
    """Render the attributes of a product tile, or of an order line."""
    return attributes().product(id, index, page=page, query=query)


@register.simple_tag
def nl_suggestion(
    value: object, index: object = None, *, page: object = None, query: object = None
) -> Markup:
    """Render the attributes of a suggestion."""
    return attributes().suggestion(value, index, page=page, query=query)


@register.simple_tag
def nl_suggestions() -> Markup:
    """Render the attribute of a search box whose listbox contains suggestions."""
    return attributes().suggestions()


@register.simple_tag
def nl_context(
    *,
    page: object = None,
    query: object = None,
    list: object = None,  # noqa: A002
    offset: object = None,
) -> Markup:
    """Render the context of the items inside an element.

    ``offset`` is the rank of the list's first item, or a page of Django's Paginator.
    """
    return attributes().context(page=page, query=query, list=list, offset=offset)


@register.simple_tag
def nl_landing(id: object, *, page: object = None, query: object = None) -> Markup:  # noqa: A002
    """Render the attributes of a product's own page."""
    return attributes().landing(id, page=page, query=query)


@register.simple_tag
def nl_purchase(order: object) -> Markup:
    """Render the attribute of the element around an order's products."""
    return attributes().purchase(order)


@register.simple_tag
def nl_action(name: object) -> Markup:
    """Render the attribute of an action control inside a product."""
    return attributes().action(name)


@register.simple_tag
def nl_ignore() -> Markup:
    """Render the attribute of an element in which nothing is captured."""
    return attributes().ignore()
