"""Finds in a shop's page what a shopper uses: search box, suggestions, next page and products."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from neuralens_tracker.attributes import SUGGESTION
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Locator, Page

from neuralens_verify.observations import normalize
from neuralens_verify.waiting import MARGIN_MS, pause, wait_until

# Seconds until a button for the search has opened it.
BOX_TIMEOUT = 2.0

# Words for a search, as labels and class names have them.
SEARCH = (
    "search",
    "such",
    "recherch",
    "busca",
    "buscar",
    "cerca",
    "ricerca",
    "zoek",
    "sök",
    "szuk",
)


def having_search_word(elements: str, *attributes: str) -> str:
    """Return a selector of elements with a word for a search in one of their attributes."""
    conditions = (f"[{name}*={word} i]" for name in attributes for word in SEARCH)
    return f"{elements}:is({', '.join(conditions)})"


FIELD = "input:not([type=submit], [type=button], [type=image], [type=checkbox], [type=radio])"
# From the plainest mark to the vaguest: a page may search for its stores, too.
SEARCH_BOXES = (
    "[data-nl-suggestions] input, input[data-nl-suggestions]",
    f"[role=search] {FIELD}, input[role=combobox], {FIELD}:is([name=q], [name=query])",
    having_search_word(FIELD, "name"),
    "input[type=search]",
    having_search_word(FIELD, "placeholder", "aria-label"),
)
BUTTON = ":is(button, a, summary, label, [role=button])"
SEARCH_BUTTONS = (
    having_search_word(BUTTON, "aria-label", "title"),
    f"{BUTTON}:text-matches('^\\s*({'|'.join(SEARCH)})\\w*\\s*$', 'i')",
    having_search_word(BUTTON, "class", "id"),
)
SUGGESTIONS = "[role=option]:visible, [data-nl-suggestion]:visible"
LINKED_NEXT_PAGE = "a[rel~=next]"
NEXT_PAGES = (
    "[aria-label*='next page' i], nav a:text-is('2'), .pagination a:text-is('2'),"
    " a:text-matches('^\\s*(next|load more|show more|weiter|suivant)', 'i'),"
    " button:text-matches('^\\s*(next|load more|show more)', 'i')"
)
PRODUCTS = (
    "[data-nl-product]:is(a[href]), [data-nl-product] a[href]:not([data-nl-action])",
    # Of a tile that a script makes a link.
    "[data-nl-product] :is(h1, h2, h3, h4, h5, h6, img)",
)
SCRIPTS = Path(__file__).parent / "page"
FIND_CATEGORIES = (SCRIPTS / "categories.js").read_text("utf-8")
FIND_NEXT_PAGE = (SCRIPTS / "next.js").read_text("utf-8")
# Whether a page has few words, and neither items nor fields, as one that asks for a country.
IS_ENTRANCE = """() =>
  !document.querySelector("[data-nl-product], [data-nl-landing], input, iframe") &&
  document.body?.innerText.trim().split(/\\s+/).length < 60"""
# Returns a word of a product's name, for which a search should have results.
GUESS_QUERY = """() => {
  for (const tile of document.querySelectorAll("[data-nl-product]")) {
    const headings = [...tile.querySelectorAll("h1, h2, h3, h4, a, b, strong")];
    for (const named of [...headings, tile]) {
      const words = named.innerText.match(/\\p{L}{4,}/gu) ?? [];
      if (words.length > 0) return words.at(-1).toLowerCase();
    }
  }
  return "";
}"""


def find_search_box(page: Page) -> Locator | None:
    """Find the search box, which a button may have to open first."""
    box = find_first(page, SEARCH_BOXES)
    if box is None and (button := find_first(page, SEARCH_BUTTONS)):
        press(button)
        # It may lead to a page of its own.
        wait_until(page, lambda: find_first(page, SEARCH_BOXES) is not None, BOX_TIMEOUT)
        box = find_first(page, SEARCH_BOXES)
    return box


def find_next_page(page: Page) -> Locator | None:
    """Find the link or button to the next page of results."""
    # A filter may have the text of a page number.
    selectors = [LINKED_NEXT_PAGE, page.evaluate(FIND_NEXT_PAGE), NEXT_PAGES]
    return find_first(page, filter(None, selectors))


def find_product(page: Page) -> Locator | None:
    """Find a link to a product."""
    return find_first(page, PRODUCTS)


def find_categories(page: Page) -> list[Locator]:
    """Find links of the shop that may lead to products."""
    selectors: list[str] = page.evaluate(FIND_CATEGORIES)
    found = (find_visible(page, selector) for selector in selectors)
    return [link for link in found if link]


def find_first(page: Page, selectors: Iterable[str]) -> Locator | None:
    """Find the first visible element of the first selector that has one."""
    found = (find_visible(page, selector) for selector in selectors)
    return next(filter(None, found), None)


def find_entrance(page: Page) -> Locator | None:
    """Find the first link of a page that has little else than links into the shop."""
    if not page.evaluate(IS_ENTRANCE):
        return None
    return next(iter(find_categories(page)), None)


def find_visible(page: Page, selector: str) -> Locator | None:
    """Find the first visible element of a selector."""
    found = page.locator(selector).locator("visible=true")
    # The page may be navigating.
    with suppress(BrowserError):
        return found.first if found.count() else None
    return None


def guess_query(page: Page) -> str:
    """Return a search text that should have results."""
    return page.evaluate(GUESS_QUERY) or "a"


def choose_suggestion(page: Page, box: Locator) -> str:
    """Select the first suggestion by keyboard; return its text, "" if there is none."""
    options = page.locator(SUGGESTIONS)
    if options.count() == 0:
        return ""
    box.press("ArrowDown")
    pause(page, MARGIN_MS)
    active = box.get_attribute("aria-activedescendant")
    chosen = (
        page.locator(f'[id="{active}"]')
        if active
        else options.and_(page.locator("[aria-selected=true]"))
    )
    if chosen.count() == 0:
        return ""
    return normalize(
        chosen.first.get_attribute(SUGGESTION) or chosen.first.inner_text(timeout=1000)
    )


def press(target: Locator) -> None:
    """Click an element, even if something covers it, such as a newsletter pop-up."""
    try:
        # The page that it leads to may respond late.
        target.click(no_wait_after=True)
    except BrowserError:
        target.evaluate("(element) => element.click()")
