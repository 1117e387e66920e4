"""Renders the snippet and the attributes for a request."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from markupsafe import Markup
from neuralens_embed.attributes import Attributes
from neuralens_embed.snippet import RUNTIMES, render_tag
from neuralens_relay.embedding import read_application_id

from neuralens_django.configuration import page_configuration
from neuralens_django.finders import FOLDER
from neuralens_django.mounted import script_root


def render_snippet(request: HttpRequest | None, **overrides: Any) -> Markup:
    """Return the snippet; empty if tracking is disabled.

    Its nonce is that of the page's content security policy; uid and consent are those of the
    request. Without a request (a page that is rendered ahead) there are none.
    """
    config = page_configuration()
    if not config.enabled:
        return Markup("")
    app_id = read_application_id(config.relay.get("application_id"), strict=config.strict)
    if app_id is None:
        return Markup("")
    of_request = {} if request is None else request_arguments(request)
    if config.static:
        name = overrides.get("runtime", config.snippet.get("runtime", "javascript"))
        # The static files storage may version the URL.
        of_request |= {"src": static(f"{FOLDER}/{RUNTIMES[name]}"), "versioned": False}
    arguments = {
        "app_id": app_id,
        "prefix": script_root() + config.prefix,
        "strict": config.strict,
        **of_request,
        **config.snippet,
        **overrides,
    }
    return render_tag(**arguments)


def request_arguments(request: HttpRequest) -> dict[str, object]:
    """Return the snippet's arguments that depend on the request."""
    config = page_configuration()
    uid = config.uid(request) if config.uid else user_id(request)
    consent = config.consent(request) if config.consent else None
    return {"nonce": nonce(request), "uid": uid, "consent": consent}


def user_id(request: HttpRequest) -> Any:
    """Return the primary key of the authenticated user, or None."""
    user = getattr(request, "user", None)
    return user.pk if user is not None and user.is_authenticated else None


def nonce(request: HttpRequest) -> Any:
    """Return the CSP nonce of Django 6 or django-csp, or None."""
    try:
        from django.middleware.csp import get_nonce
    except ImportError:
        pass
    else:
        made = get_nonce(request)
        if made is not None:
            return made
    return getattr(request, "csp_nonce", None)


class DjangoAttributes(Attributes):
    """Renders the attributes; a list's offset may be a page of Django's Paginator."""

    def context(self, *, offset: object = None, **others: Any) -> Markup:
        """Render the context of the items inside an element, as ``Attributes.context`` does."""
        first = getattr(offset, "start_index", None)
        rank = max(first() - 1, 0) if callable(first) else offset
        return super().context(offset=rank, **others)


def attributes() -> Attributes:
    """Return the object that renders the attributes."""
    return DjangoAttributes(page_configuration().strict)
