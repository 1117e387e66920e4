"""``{% load neuralens %}``: the snippet and the attributes, named as the Jinja globals are."""

from typing import Any

from django import template
from markupsafe import Markup

from neuralens_django.markup import attributes, offset_of, render_snippet

register = template.Library()


@register.simple_tag(takes_context=True)
def neuralens_snippet(context: template.Context, **overrides: Any) -> Markup:
    """Print the script tag; arguments are those of ``neuralens_embed.Snippet``."""
    return render_snippet(context.get("request"), **overrides)


@register.simple_tag
def nl_product(id: Any, index: Any = None, *, page: Any = None, query: Any = None) -> Markup:  # noqa: A002
    """Print the attributes of a product tile, or of an order line."""
    return attributes().product(id, index, page=page, query=query)


@register.simple_tag
def nl_suggestion(value: Any, index: Any = None, *, page: Any = None, query: Any = None) -> Markup:
    """Print the attributes of a suggestion."""
    return attributes().suggestion(value, index, page=page, query=query)


@register.simple_tag
def nl_suggestions() -> Markup:
    """Print the attribute of a search box whose listbox holds suggestions."""
    return attributes().suggestions()


@register.simple_tag
def nl_context(
    *,
    page: Any = None,
    query: Any = None,
    list: Any = None,  # noqa: A002
    offset: Any = None,
) -> Markup:
    """Print what the items inside an element have in common.

    ``offset`` is the rank of the list's first item, or a page of Django's Paginator.
    """
    return attributes().context(page=page, query=query, list=list, offset=offset_of(offset))


@register.simple_tag
def nl_landing(id: Any, *, page: Any = None, query: Any = None) -> Markup:  # noqa: A002
    """Print the attributes of a product's own page."""
    return attributes().landing(id, page=page, query=query)


@register.simple_tag
def nl_purchase(order: Any) -> Markup:
    """Print the attribute of an order, around the products that were bought."""
    return attributes().purchase(order)


@register.simple_tag
def nl_action(name: Any) -> Markup:
    """Print the attribute of a control inside a product."""
    return attributes().action(name)


@register.simple_tag
def nl_ignore() -> Markup:
    """Print the attribute of an element in which nothing is captured."""
    return attributes().ignore()
