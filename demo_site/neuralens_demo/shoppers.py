"""What the shop remembers of its shoppers: cart, favourites and orders, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex, token_urlsafe

from neuralens_demo.catalogue import Product

MAX_QUANTITY = 20


@dataclass(frozen=True)
class Line:
    """A product and how many of it."""

    product: Product
    quantity: int

    @property
    def total(self) -> int:
        """The price of the line in whole euros."""
        return self.product.price * self.quantity


@dataclass(frozen=True)
class Order:
    """What was bought, by whom; ``number`` is the shop's own and cannot be guessed."""

    number: str
    name: str
    lines: tuple[Line, ...]


@dataclass
class Shopper:
    """One visitor's cart (product id to quantity), favourites (product ids) and orders."""

    cart: dict[str, int] = field(default_factory=dict)
    favourites: set[str] = field(default_factory=set)
    orders: OrderedDict[str, Order] = field(default_factory=OrderedDict)

    @property
    def count(self) -> int:
        """How many pieces are in the cart."""
        return sum(self.cart.values())

    def put(self, product: Product, quantity: int) -> None:
        """Set how many of a product are in the cart; none takes it out."""
        if quantity <= 0:
            self.cart.pop(product.id, None)
        else:
            self.cart[product.id] = min(quantity, MAX_QUANTITY)

    def buy(self, name: str, lines: tuple[Line, ...], kept: int = 20) -> Order:
        """Make an order of the lines, empty the cart, and keep the newest orders."""
        order = Order(f"HA-{token_hex(5).upper()}", name, lines)
        self.orders[order.number] = order
        while len(self.orders) > kept:
            self.orders.popitem(last=False)
        self.cart.clear()
        return order


def total(lines: tuple[Line, ...]) -> int:
    """Return what the lines cost together, in whole euros."""
    return sum(line.total for line in lines)


class Shoppers:
    """The newest ``capacity`` shoppers by the secret in their session cookie."""

    def __init__(
        self, capacity: int = 10_000, secret: Callable[[], str] = lambda: token_urlsafe(24)
    ) -> None:
        self._shoppers: OrderedDict[str, Shopper] = OrderedDict()
        self._capacity = capacity
        self._secret = secret

    def find(self, session: str | None) -> Shopper | None:
        """Return who comes with this session; None if it is unknown or was forgotten."""
        shopper = self._shoppers.get(session or "")
        if shopper is not None and session:
            self._shoppers.move_to_end(session)
        return shopper

    def welcome(self) -> tuple[str, Shopper]:
        """Return a new session and its shopper; the one not seen for longest is forgotten."""
        session, shopper = self._secret(), Shopper()
        self._shoppers[session] = shopper
        while len(self._shoppers) > self._capacity:
            self._shoppers.popitem(last=False)
        return session, shopper
