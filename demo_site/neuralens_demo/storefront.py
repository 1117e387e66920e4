"""The shop as an ASGI application, with relay and inspector on the same origin."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuralens_tracker.vocabulary import GRANTED
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from neuralens_demo.browsing import Browsing
from neuralens_demo.buying import Buying
from neuralens_demo.catalog import Catalog
from neuralens_demo.policy import SecurityHeaders
from neuralens_demo.rendering import STATIC, Pages
from neuralens_demo.shoppers import Shoppers
from neuralens_demo.tracking import Tracking


def create_app(
    application: str,
    bundles: Path,
    *,
    catalog: Catalog | None = None,
    consent: str = GRANTED,
    lifespan: Any = None,
    mounts: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the shop.

    ``application`` is the application id, ``bundles`` the folder of the bundles. ``mounts`` are
    routes of other applications, such as the relay, and ``lifespan`` is theirs. ``consent`` is the
    state before a shopper has chosen.
    """
    catalog = catalog or Catalog()
    shoppers = Shoppers()
    pages = Pages(catalog, shoppers, application, bundles, consent)

    async def side_by_side(request: Request) -> Response:
        return FileResponse(STATIC / "beside.html")

    async def show_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        return pages.render(request, "error.html", error.status_code, message=error.detail)

    return Starlette(
        routes=[
            *browsing_routes(Browsing(catalog, pages)),
            *buying_routes(Buying(catalog, shoppers, pages)),
            *tracking_routes(Tracking(bundles)),
            Route("/beside", side_by_side),
            Mount("/static", StaticFiles(directory=STATIC)),
            *mounts,
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: show_error},
        lifespan=lifespan,
    )


def browsing_routes(browsing: Browsing) -> list[BaseRoute]:
    """Return the routes of pages and pictures."""
    return [
        Route("/", browsing.home),
        Route("/search", browsing.search),
        Route("/suggest", browsing.suggestions),
        Route("/category/{slug}", browsing.department),
        Route("/category/{slug}/more", browsing.more),
        Route("/product/{id}", browsing.product),
        Route("/product/{id}/quick", browsing.quick_view),
        Route("/pictures/living-room.svg", browsing.living_room),
        Route("/pictures/{id}.svg", browsing.picture),
    ]


def buying_routes(buying: Buying) -> list[BaseRoute]:
    """Return the routes of cart, favorites, checkout, orders and consent."""
    return [
        Route("/cart", buying.cart),
        Route("/cart", buying.change_cart, methods=["POST"]),
        Route("/cart/add", buying.add_to_cart, methods=["POST"]),
        Route("/favorites", buying.set_favorite, methods=["POST"]),
        Route("/checkout", buying.checkout),
        Route("/checkout", buying.order, methods=["POST"]),
        Route("/order/{number}", buying.confirmation),
        Route("/consent", buying.choose_consent, methods=["POST"]),
    ]


def tracking_routes(tracking: Tracking) -> list[BaseRoute]:
    """Return the routes of the switches in the footer."""
    return [
        Route("/runtime", tracking.choose_runtime, methods=["POST"]),
        Route("/account", tracking.choose_account, methods=["POST"]),
    ]
