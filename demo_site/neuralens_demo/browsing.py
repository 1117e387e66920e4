"""The pages to look around in: home, search, departments, products, pictures."""

from collections.abc import Sequence
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_demo.catalogue import Catalogue, Product
from neuralens_demo.designs import Category
from neuralens_demo.pictures import draw_living_room
from neuralens_demo.rendering import Pages
from neuralens_demo.search import clean, phrases, rank, suggest

# Products on a page of search results, and in a department before each "show more".
RESULTS = 24
SHELF = 12
SUGGESTED_PRODUCTS = 3
MAX_PAGE = 1000
PICTURE = {"Cache-Control": "public, max-age=3600"}


class Browsing:
    """The endpoints."""

    def __init__(self, catalogue: Catalogue, pages: Pages) -> None:
        self._catalogue = catalogue
        self._pages = pages
        self._phrases = phrases(catalogue)
        # Where several are as good a match, each design is shown before its other finishes.
        self._assortment = [
            product
            for category in catalogue.categories.values()
            for product in catalogue.within(category)
        ]
        self._picture = lru_cache(maxsize=512)(self._draw)

    async def home(self, request: Request) -> Response:
        """Show the front page."""
        shelves = [self._catalogue.within(each) for each in self._catalogue.categories.values()]
        newest = [shelf[1] for shelf in shelves][:4]
        loved = [shelf[place] for place in (2, 0) for shelf in shelves][:8]
        return self._pages.render(request, "home.html", newest=newest, loved=loved)

    async def search(self, request: Request) -> Response:
        """Show one page of what a search finds."""
        query = clean(request.query_params.get("q", ""))
        page = whole(request.query_params.get("page"), 1, MAX_PAGE)
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
        """Show what to suggest for a text that is being typed, as a part of a page."""
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
        """Show a department, as far as "show more" has got."""
        category, shelf = self._shelf(request)
        shown = whole(request.query_params.get("shown"), SHELF, len(shelf))
        return self._pages.render(
            request,
            "category.html",
            category=category,
            products=shelf[:shown],
            more=after(shelf, shown),
            size=len(shelf),
        )

    async def more(self, request: Request) -> Response:
        """Show the next products of a department, as a part of a page."""
        category, shelf = self._shelf(request)
        start = whole(request.query_params.get("from"), 0, len(shelf))
        shown = start + SHELF
        return self._pages.render(
            request,
            "more.html",
            category=category,
            products=shelf[start:shown],
            more=after(shelf, shown),
        )

    async def product(self, request: Request) -> Response:
        """Show a product."""
        product = find(self._catalogue, request.path_params["id"])
        return self._pages.render(
            request,
            "product.html",
            product=product,
            address=str(request.url),
            finishes=self._catalogue.finishes(product),
            recommended=self._catalogue.recommendations(product),
        )

    async def quick_view(self, request: Request) -> Response:
        """Show a product as a part of the page that it was found on."""
        product = find(self._catalogue, request.path_params["id"])
        address = str(request.url.replace(path=f"/product/{product.id}"))
        return self._pages.render(request, "quick.html", product=product, address=address)

    async def picture(self, request: Request) -> Response:
        """Show a product's picture."""
        product = find(self._catalogue, request.path_params["id"])
        return Response(self._picture(product), media_type="image/svg+xml", headers=PICTURE)

    async def living_room(self, request: Request) -> Response:
        """Show the front page's picture."""
        return Response(draw_living_room(), media_type="image/svg+xml", headers=PICTURE)

    def _shelf(self, request: Request) -> tuple[Category, list[Product]]:
        category = self._catalogue.categories.get(request.path_params["slug"])
        if category is None:
            raise HTTPException(404, "There is no such department.")
        return category, self._catalogue.within(category)

    @staticmethod
    def _draw(product: Product) -> str:
        return product.picture


def find(catalogue: Catalogue, code: str) -> Product:
    """Return a product; raise HTTPException (404) when there is none of this id."""
    product = catalogue.products.get(code)
    if product is None:
        raise HTTPException(404, "There is no such product.")
    return product


def whole(text: str | None, least: int, most: int) -> int:
    """Return a number from an address, moved into its bounds; ``least`` when it is none."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return least
    return min(max(int(text), least), max(least, most))


def after(shelf: Sequence[Product], shown: int) -> int | None:
    """Return where the next products begin; None when all are shown."""
    return shown if shown < len(shelf) else None
