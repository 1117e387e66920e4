"""Renders templates, with the values that every page needs, and the tracker's snippet."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from neuralens_embed.jinja import install
from neuralens_embed.snippet import ALONE, RUNTIMES
from neuralens_tracker.vocabulary import CONSENTS, DENIED, GRANTED
from starlette.requests import Request
from starlette.responses import HTMLResponse

from neuralens_demo.catalog import Catalog
from neuralens_demo.policy import content_security_policy
from neuralens_demo.shoppers import Shopper, Shoppers
from neuralens_demo.tracking import ACCOUNTS, STAFF_ACCOUNT, STAFF_UID, account_of, runtime_of

# Style sheets, scripts and static pages.
STATIC = Path(__file__).parent / "static"
SESSION_COOKIE = "session"
CONSENT_COOKIE = "consent"


def euros(amount: int) -> str:
    """Format an amount in whole euros."""
    return f"€\N{NO-BREAK SPACE}{amount:,}"


class Pages:
    """Renders the shop's templates."""

    def __init__(
        self,
        catalog: Catalog,
        shoppers: Shoppers,
        application: str,
        bundles: Path,
        consent: str,
    ) -> None:
        """``application`` is the application id in the snippet.

        ``bundles`` is the folder of the bundles; ``consent`` is the state before a shopper has
        chosen. All other settings of the tracker are in ``templates/base.html``.
        """
        self._shoppers = shoppers
        self._consent = consent
        self._bundles = bundles
        self._templates = Environment(
            loader=PackageLoader("neuralens_demo"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["euros"] = euros
        self._templates.globals["departments"] = list(catalog.categories.values())
        self._templates.globals["first_of"] = lambda category: catalog.within(category)[0]
        self._templates.globals["runtimes"] = list(RUNTIMES)
        self._templates.globals["accounts"] = ACCOUNTS
        install(self._templates, app_id=application, folder=bundles)

    def render(
        self, request: Request, template: str, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """Return a page, or a part of one, for the request's shopper."""
        shopper = self._shoppers.find(request.cookies.get(SESSION_COOKIE)) or Shopper()
        runtime, account = runtime_of(request, self._bundles), account_of(request)
        choice = consent_of(request)
        text = self._templates.get_template(template).render(
            shopper=shopper,
            consent=choice or self._consent,
            chosen=choice in (GRANTED, DENIED),
            runtime=runtime,
            # The policy is too strict for PyScript's core.
            pyscript=ALONE[0] if runtime == "pyscript" else None,
            account=account,
            uid=STAFF_UID if account == STAFF_ACCOUNT else None,
            here=here(request),
            **context,
        )
        headers = {
            # The page depends on the shopper and the state of the cart.
            "Cache-Control": "no-cache, private",
            "Content-Security-Policy": content_security_policy(runtime),
        }
        return HTMLResponse(text, status, headers=headers)


def consent_of(request: Request) -> str | None:
    """Return the shopper's choice of consent; None on the first visit."""
    choice = request.cookies.get(CONSENT_COOKIE)
    return choice if choice in CONSENTS else None


def here(request: Request) -> str:
    """Return the path and query of the page, to redirect back to after a form."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
