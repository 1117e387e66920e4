"""The shop's products: every design in each of its finishes; constant."""

from collections.abc import Mapping
from dataclasses import dataclass

from neuralens_demo.designs import CATEGORIES, Category, Design, Finish
from neuralens_demo.pictures import draw_product


@dataclass(frozen=True)
class Product:
    """One design in one finish. ``id`` is the shop's own, such as "AV768"; ``price`` in euros."""

    id: str
    category: Category
    design: Design
    finish: Finish
    number: int

    @property
    def name(self) -> str:
        """The display name: design and kind."""
        return f"{self.design.name} {self.design.kind}"

    @property
    def price(self) -> int:
        """The price in whole euros; later finishes cost a little more."""
        return self.design.price + 20 * self.design.finishes.index(self.finish)

    @property
    def picture(self) -> str:
        """The picture as an SVG document."""
        return draw_product(
            self.design.draw(*self.finish.colors), self.number, stands=self.category.slug != "rugs"
        )

    @property
    def words(self) -> str:
        """The searchable text, in lower case."""
        return " ".join((self.name, self.finish.name, self.category.name, self.design.text)).lower()


def stock(categories: tuple[Category, ...] = CATEGORIES) -> Mapping[str, Product]:
    """Return every product by its id, in the order of the catalog.

    The numbers of a category's products start at 768 and are distinct for up to 900 products,
    because 37 and 900 are coprime.
    """
    products = {}
    for category in categories:
        pairs = [(design, finish) for design in category.designs for finish in design.finishes]
        for number, (design, finish) in enumerate(pairs):
            code = f"{category.prefix}{100 + (668 + number * 37) % 900}"
            products[code] = Product(code, category, design, finish, number)
    return products


class Catalog:
    """The shop's products and departments, looked up by id and by slug."""

    def __init__(self, categories: tuple[Category, ...] = CATEGORIES) -> None:
        self.categories = {category.slug: category for category in categories}
        self.products = stock(categories)

    def describe(self, code: str) -> str:
        """Return a product's name and id, or only the id of an unknown product."""
        product = self.products.get(code)
        return f"{product.name} {code}" if product else code

    def within(self, category: Category) -> list[Product]:
        """Return a category's products: first every design once, then the other finishes."""
        return sorted(
            (product for product in self.products.values() if product.category is category),
            key=lambda product: product.design.finishes.index(product.finish),
        )

    def finishes(self, product: Product) -> list[Product]:
        """Return a design in all its finishes."""
        return [other for other in self.products.values() if other.design is product.design]

    def recommendations(self, product: Product, count: int = 4) -> list[Product]:
        """Return related products of other designs, those of the same category first."""
        designs = {product.design.name}
        found: list[Product] = []
        siblings = self.within(product.category)
        others = [first for category in self.categories.values() for first in self.within(category)]
        start = product.number % len(siblings)
        for other in (siblings[start:] + siblings[:start])[: count * 3] + others:
            if other.design.name not in designs and len(found) < count:
                designs.add(other.design.name)
                found.append(other)
        return found
