"""The shop's sessions: cart, favorites and orders of each shopper, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex, token_urlsafe

from neuralens_demo.catalog import Product

MAX_QUANTITY = 20


@dataclass(frozen=True)
class Line:
    """A product and its quantity."""

    product: Product
    quantity: int

    @property
    def total(self) -> int:
        """The price of the line in whole euros."""
        return self.product.price * self.quantity


@dataclass(frozen=True)
class Order:
    """An order; ``number`` cannot be guessed."""

    number: str
    name: str
    lines: tuple[Line, ...]


@dataclass
class Shopper:
    """One visitor's cart (product id to quantity), favorites (product ids) and orders."""

    cart: dict[str, int] = field(default_factory=dict)
    favorites: set[str] = field(default_factory=set)
    orders: OrderedDict[str, Order] = field(default_factory=OrderedDict)

    @property
    def count(self) -> int:
        """The number of items in the cart."""
        return sum(self.cart.values())

    def set_quantity(self, product: Product, quantity: int) -> None:
        """Set the quantity of a product in the cart; 0 removes it."""
        if quantity <= 0:
            self.cart.pop(product.id, None)
        else:
            self.cart[product.id] = min(quantity, MAX_QUANTITY)

    def buy(self, name: str, lines: tuple[Line, ...], kept: int = 20) -> Order:
        """Place an order of the lines, empty the cart, and keep only the newest orders."""
        order = Order(f"HA-{token_hex(5).upper()}", name, lines)
        self.orders[order.number] = order
        while len(self.orders) > kept:
            self.orders.popitem(last=False)
        self.cart.clear()
        return order


def total(lines: tuple[Line, ...]) -> int:
    """Return the total price of the lines, in whole euros."""
    return sum(line.total for line in lines)


class Shoppers:
    """The ``capacity`` most recently seen shoppers, by their session ids."""

    def __init__(
        self, capacity: int = 10_000, secret: Callable[[], str] = lambda: token_urlsafe(24)
    ) -> None:
        self._shoppers: OrderedDict[str, Shopper] = OrderedDict()
        self._capacity = capacity
        self._secret = secret

    def find(self, session: str | None) -> Shopper | None:
        """Return the shopper of a session; None if it is unknown or expired."""
        shopper = self._shoppers.get(session or "")
        if shopper is not None and session:
            self._shoppers.move_to_end(session)
        return shopper

    def create(self) -> tuple[str, Shopper]:
        """Return a new session id and its shopper; beyond the capacity, the oldest is removed."""
        session, shopper = self._secret(), Shopper()
        self._shoppers[session] = shopper
        while len(self._shoppers) > self._capacity:
            self._shoppers.popitem(last=False)
        return session, shopper
