"""Cart, favourites, checkout, orders, and the shopper's choice about tracking."""

from dataclasses import dataclass

from neuralens_tracker.vocabulary import CONSENTS
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from neuralens_demo.browsing import find, whole
from neuralens_demo.catalogue import Catalogue
from neuralens_demo.forms import go_back, read_form, wants_json
from neuralens_demo.rendering import CONSENT_COOKIE, SESSION_COOKIE, Pages
from neuralens_demo.shoppers import MAX_QUANTITY, Line, Shopper, Shoppers, total

CONSENT_SECONDS = 180 * 24 * 3600


@dataclass(frozen=True)
class Field:
    """One field of the checkout; ``example`` fills it in, as this shop sells nothing."""

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

    def __init__(self, catalogue: Catalogue, shoppers: Shoppers, pages: Pages) -> None:
        self._catalogue = catalogue
        self._shoppers = shoppers
        self._pages = pages

    async def cart(self, request: Request) -> Response:
        """Show the cart."""
        lines = self._lines(self._shopper(request))
        return self._pages.render(request, "cart.html", lines=lines, total=total(lines))

    async def add_to_cart(self, request: Request) -> Response:
        """Put one more of a product into the cart."""
        form = await read_form(request)
        product = find(self._catalogue, form.get("id", ""))
        session, shopper = self._welcome(request)
        shopper.put(product, shopper.cart.get(product.id, 0) + 1)
        answer: Response = RedirectResponse("/cart", 303)
        if wants_json(request):
            answer = JSONResponse({"count": shopper.count, "name": product.name})
        return remember(answer, session)

    async def change_cart(self, request: Request) -> Response:
        """Set how many of a product are in the cart."""
        form = await read_form(request)
        product = find(self._catalogue, form.get("id", ""))
        session, shopper = self._welcome(request)
        shopper.put(product, whole(form.get("quantity"), 0, MAX_QUANTITY))
        return remember(RedirectResponse("/cart", 303), session)

    async def set_favourite(self, request: Request) -> Response:
        """Turn a favourite on or off."""
        form = await read_form(request)
        product = find(self._catalogue, form.get("id", ""))
        session, shopper = self._welcome(request)
        on = form.get("on") == "true"
        (shopper.favourites.add if on else shopper.favourites.discard)(product.id)
        if wants_json(request):
            return remember(JSONResponse({"on": on}), session)
        return remember(go_back(form.get("back")), session)

    async def checkout(self, request: Request) -> Response:
        """Show the checkout."""
        lines = self._lines(self._shopper(request))
        if not lines:
            return RedirectResponse("/cart", 303)
        values = {field.name: field.example for field in FIELDS}
        return self._show_checkout(request, lines, values, {})

    async def order(self, request: Request) -> Response:
        """Place the order, or show what is missing."""
        form = await read_form(request)
        shopper = self._shopper(request)
        lines = self._lines(shopper)
        if not lines:
            return RedirectResponse("/cart", 303)
        values = {field.name: form.get(field.name, "").strip() for field in FIELDS}
        errors = {field.name: explain(field, values[field.name]) for field in FIELDS}
        if any(errors.values()):
            return self._show_checkout(request, lines, values, errors, 422)
        order = shopper.buy(values["name"], lines)
        return RedirectResponse(f"/order/{order.number}", 303)

    async def confirmation(self, request: Request) -> Response:
        """Show an order to whoever placed it, as often as they like."""
        order = self._shopper(request).orders.get(request.path_params["number"])
        if order is None:
            raise HTTPException(404, "There is no such order.")
        return self._pages.render(request, "order.html", order=order, total=total(order.lines))

    async def choose_consent(self, request: Request) -> Response:
        """Keep the shopper's choice about tracking; pending means that they are about to choose."""
        form = await read_form(request)
        choice = form.get("choice", "")
        if choice not in CONSENTS:
            raise HTTPException(400, f"The choice must be one of {', '.join(CONSENTS)}.")
        answer: Response = go_back(form.get("back"))
        if wants_json(request):
            answer = JSONResponse({"choice": choice})
        answer.set_cookie(CONSENT_COOKIE, choice, CONSENT_SECONDS, samesite="lax")
        return answer

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

    def _welcome(self, request: Request) -> tuple[str, Shopper]:
        session = request.cookies.get(SESSION_COOKIE)
        shopper = self._shoppers.find(session)
        if session is None or shopper is None:
            return self._shoppers.welcome()
        return session, shopper

    def _lines(self, shopper: Shopper) -> tuple[Line, ...]:
        return tuple(
            Line(self._catalogue.products[code], quantity)
            for code, quantity in shopper.cart.items()
        )


def remember(answer: Response, session: str) -> Response:
    """Set the session cookie, out of scripts' reach."""
    answer.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="lax")
    return answer


def explain(field: Field, value: str) -> str:
    """Say what is wrong with a field of the checkout; "" when it is right."""
    if not value:
        return f"{field.label} is missing."
    if len(value) > field.most:
        return f"{field.label} is longer than {field.most} characters."
    if field.name == "email" and "@" not in value[1:-1]:
        return "This is no e-mail address."
    return ""
