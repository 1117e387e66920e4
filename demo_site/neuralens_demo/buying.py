"""Cart, favorites, checkout, orders, and the shopper's consent."""

from dataclasses import dataclass

from neuralens_tracker.vocabulary import CONSENTS
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from neuralens_demo.browsing import find, parse_number
from neuralens_demo.catalog import Catalog
from neuralens_demo.forms import go_back, read_form, wants_json
from neuralens_demo.rendering import CONSENT_COOKIE, SESSION_COOKIE, Pages
from neuralens_demo.shoppers import MAX_QUANTITY, Line, Shopper, Shoppers, total

CONSENT_SECONDS = 180 * 24 * 3600


@dataclass(frozen=True)
class Field:
    """A field of the checkout, prefilled with ``example``, because this shop sells nothing."""

    name: str
    label: str
    autocomplete: str
    example: str
    most: int = 80


FIELDS = (
    Field("name", "Name", "name", "Robin Example"),
    Field("email", "E-mail", "email", "robin@example.com"),
    Field("street", "Street and number", "street-address", "12 Alder Lane"),
    Field("postcode", "Postcode", "postal-code", "10115", 12),
    Field("city", "City", "address-level2", "Sampleton"),
)


class Buying:
    """The endpoints."""

    def __init__(self, catalog: Catalog, shoppers: Shoppers, pages: Pages) -> None:
        self._catalog = catalog
        self._shoppers = shoppers
        self._pages = pages

    async def cart(self, request: Request) -> Response:
        """Show the cart."""
        lines = self._lines(self._shopper(request))
        return self._pages.render(request, "cart.html", lines=lines, total=total(lines))

    async def add_to_cart(self, request: Request) -> Response:
        """Add one of a product to the cart."""
        form = await read_form(request)
        product = find(self._catalog, form.get("id", ""))
        session, shopper = self._find_or_create(request)
        shopper.set_quantity(product, shopper.cart.get(product.id, 0) + 1)
        response: Response = RedirectResponse("/cart", 303)
        if wants_json(request):
            response = JSONResponse({"count": shopper.count, "name": product.name})
        return set_session(response, session)

    async def change_cart(self, request: Request) -> Response:
        """Set the quantity of a product in the cart."""
        form = await read_form(request)
        product = find(self._catalog, form.get("id", ""))
        session, shopper = self._find_or_create(request)
        shopper.set_quantity(product, parse_number(form.get("quantity"), 0, MAX_QUANTITY))
        return set_session(RedirectResponse("/cart", 303), session)

    async def set_favorite(self, request: Request) -> Response:
        """Add a product to the favorites, or remove it."""
        form = await read_form(request)
        product = find(self._catalog, form.get("id", ""))
        session, shopper = self._find_or_create(request)
        on = form.get("on") == "true"
        (shopper.favorites.add if on else shopper.favorites.discard)(product.id)
        if wants_json(request):
            return set_session(JSONResponse({"on": on}), session)
        return set_session(go_back(form.get("back")), session)

    async def checkout(self, request: Request) -> Response:
        """Show the checkout."""
        lines = self._lines(self._shopper(request))
        if not lines:
            return RedirectResponse("/cart", 303)
        values = {field.name: field.example for field in FIELDS}
        return self._show_checkout(request, lines, values, {})

    async def order(self, request: Request) -> Response:
        """Place the order, or show the errors."""
        form = await read_form(request)
        shopper = self._shopper(request)
        lines = self._lines(shopper)
        if not lines:
            return RedirectResponse("/cart", 303)
        values = {field.name: form.get(field.name, "").strip() for field in FIELDS}
        errors = {field.name: find_error(field, values[field.name]) for field in FIELDS}
        if any(errors.values()):
            return self._show_checkout(request, lines, values, errors, 422)
        order = shopper.buy(values["name"], lines)
        return RedirectResponse(f"/order/{order.number}", 303)

    async def confirmation(self, request: Request) -> Response:
        """Show an order to the shopper who placed it."""
        order = self._shopper(request).orders.get(request.path_params["number"])
        if order is None:
            raise HTTPException(404, "There is no such order.")
        return self._pages.render(request, "order.html", order=order, total=total(order.lines))

    async def choose_consent(self, request: Request) -> Response:
        """Store the shopper's consent; pending shows the banner again."""
        form = await read_form(request)
        choice = form.get("choice", "")
        if choice not in CONSENTS:
            raise HTTPException(400, f"The choice must be one of {', '.join(CONSENTS)}.")
        response: Response = go_back(form.get("back"))
        if wants_json(request):
            response = JSONResponse({"choice": choice})
        response.set_cookie(CONSENT_COOKIE, choice, CONSENT_SECONDS, samesite="lax")
        return response

    def _show_checkout(
        self,
        request: Request,
        lines: tuple[Line, ...],
        values: dict[str, str],
        errors: dict[str, str],
        status: int = 200,
    ) -> Response:
        return self._pages.render(
            request,
            "checkout.html",
            status,
            lines=lines,
            total=total(lines),
            fields=FIELDS,
            values=values,
            errors=errors,
        )

    def _shopper(self, request: Request) -> Shopper:
        return self._shoppers.find(request.cookies.get(SESSION_COOKIE)) or Shopper()

    def _find_or_create(self, request: Request) -> tuple[str, Shopper]:
        session = request.cookies.get(SESSION_COOKIE)
        shopper = self._shoppers.find(session)
        if session is None or shopper is None:
            return self._shoppers.create()
        return session, shopper

    def _lines(self, shopper: Shopper) -> tuple[Line, ...]:
        return tuple(
            Line(self._catalog.products[code], quantity) for code, quantity in shopper.cart.items()
        )


def set_session(response: Response, session: str) -> Response:
    """Set the session cookie, inaccessible to scripts."""
    response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="lax")
    return response


def find_error(field: Field, value: str) -> str:
    """Return the error of a field of the checkout, "" if it is valid."""
    if not value:
        return f"{field.label} is missing."
    if len(value) > field.most:
        return f"{field.label} is longer than {field.most} characters."
    if field.name == "email" and "@" not in value[1:-1]:
        return "This is not an e-mail address."
    return ""
