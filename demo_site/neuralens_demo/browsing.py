"""The pages for browsing: home, search, departments, products, pictures."""

from collections.abc import Sequence
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_demo.catalog import Catalog, Product
from neuralens_demo.designs import Category
from neuralens_demo.pictures import draw_living_room
from neuralens_demo.rendering import Pages
from neuralens_demo.search import clean, phrases, rank, suggest

# Products per page of search results, and per "show more" in a department.
RESULTS = 24
SHELF = 12
SUGGESTED_PRODUCTS = 3
MAX_PAGE = 1000
PICTURE = {"Cache-Control": "public, max-age=3600"}


class Browsing:
    """The endpoints."""

    def __init__(self, catalog: Catalog, pages: Pages) -> None:
        self._catalog = catalog
        self._pages = pages
        self._phrases = phrases(catalog)
        # Among equal matches, every design comes before its other finishes.
        self._assortment = [
            product
            for category in catalog.categories.values()
            for product in catalog.within(category)
        ]
        self._picture = lru_cache(maxsize=512)(self._draw)

    async def home(self, request: Request) -> Response:
        """Show the front page."""
        shelves = [self._catalog.within(each) for each in self._catalog.categories.values()]
        newest = [shelf[1] for shelf in shelves][:4]
        loved = [shelf[index] for index in (2, 0) for shelf in shelves][:8]
        return self._pages.render(request, "home.html", newest=newest, loved=loved)

    async def search(self, request: Request) -> Response:
        """Show one page of search results."""
        query = clean(request.query_params.get("q", ""))
        page = parse_number(request.query_params.get("page"), 1, MAX_PAGE)
        found = rank(query, self._assortment)
        last = max(1, -(-len(found) // RESULTS))
        if page > last:
            raise HTTPException(404, "There is no such page of results.")
        start = (page - 1) * RESULTS
        return self._pages.render(
            request,
            "search.html",
            query=query,
            found=len(found),
            products=found[start : start + RESULTS],
            offset=start,
            page=page,
            last=last,
        )

    async def suggestions(self, request: Request) -> Response:
        """Return suggestions for the typed text, as a fragment of a page."""
        query = clean(request.query_params.get("q", ""))
        products = rank(query, self._assortment)[:SUGGESTED_PRODUCTS]
        return self._pages.render(
            request,
            "suggestions.html",
            query=query,
            texts=suggest(query, self._phrases),
            products=products if query else [],
        )

    async def department(self, request: Request) -> Response:
        """Show a department, with the products that "show more" has added."""
        category, shelf = self._shelf(request)
        shown = parse_number(request.query_params.get("shown"), SHELF, len(shelf))
        return self._pages.render(
            request,
            "category.html",
            category=category,
            products=shelf[:shown],
            more=next_start(shelf, shown),
            size=len(shelf),
        )

    async def more(self, request: Request) -> Response:
        """Return the next products of a department, as a fragment of a page."""
        category, shelf = self._shelf(request)
        start = parse_number(request.query_params.get("from"), 0, len(shelf))
        shown = start + SHELF
        return self._pages.render(
            request,
            "more.html",
            category=category,
            products=shelf[start:shown],
            more=next_start(shelf, shown),
        )

    async def product(self, request: Request) -> Response:
        """Show a product."""
        product = find(self._catalog, request.path_params["id"])
        return self._pages.render(
            request,
            "product.html",
            product=product,
            address=str(request.url),
            finishes=self._catalog.finishes(product),
            recommended=self._catalog.recommendations(product),
        )

    async def quick_view(self, request: Request) -> Response:
        """Return a product for the quick view, as a fragment of a page."""
        product = find(self._catalog, request.path_params["id"])
        address = str(request.url.replace(path=f"/product/{product.id}"))
        return self._pages.render(request, "quick.html", product=product, address=address)

    async def picture(self, request: Request) -> Response:
        """Return a product's picture."""
        product = find(self._catalog, request.path_params["id"])
        return Response(self._picture(product), media_type="image/svg+xml", headers=PICTURE)

    async def living_room(self, request: Request) -> Response:
        """Return the front page's picture."""
        return Response(draw_living_room(), media_type="image/svg+xml", headers=PICTURE)

    def _shelf(self, request: Request) -> tuple[Category, list[Product]]:
        category = self._catalog.categories.get(request.path_params["slug"])
        if category is None:
            raise HTTPException(404, "There is no such department.")
        return category, self._catalog.within(category)

    @staticmethod
    def _draw(product: Product) -> str:
        return product.picture


def find(catalog: Catalog, code: str) -> Product:
    """Return a product by its id; raise HTTPException (404) if there is none."""
    product = catalog.products.get(code)
    if product is None:
        raise HTTPException(404, "There is no such product.")
    return product


def parse_number(text: str | None, least: int, most: int) -> int:
    """Return a number from a query parameter, clamped to its bounds; ``least`` if invalid."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return least
    return min(max(int(text), least), max(least, most))


def next_start(shelf: Sequence[Product], shown: int) -> int | None:
    """Return the index of the next product; None if all are shown."""
    return shown if shown < len(shelf) else None
