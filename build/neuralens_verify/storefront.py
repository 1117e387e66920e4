"""Finds in a shop's page what a shopper uses: search box, suggestions, next page and products."""

from pathlib import Path

from neuralens_tracker.attributes import SUGGESTION
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Locator, Page

from neuralens_verify.observations import normalize
from neuralens_verify.waiting import MARGIN_MS, pause

SEARCH_BOXES = (
    "[data-nl-suggestions] input, input[data-nl-suggestions], input[type=search],"
    " input[role=combobox], [role=search] input:not([type=hidden]), input[name=q],"
    " input[name*=search i], input[name=query], input[placeholder*=search i]"
)
SEARCH_BUTTONS = "button[aria-label*=search i], a[aria-label*=search i], summary:has-text('Search')"
SUGGESTIONS = "[role=option]:visible, [data-nl-suggestion]:visible"
LINKED_NEXT_PAGE = "a[rel~=next]"
NEXT_PAGES = (
    "[aria-label*='next page' i], nav a:text-is('2'), .pagination a:text-is('2'),"
    " a:text-matches('^\\s*(next|load more|show more|weiter|suivant)', 'i'),"
    " button:text-matches('^\\s*(next|load more|show more)', 'i')"
)
PRODUCTS = "[data-nl-product]:is(a[href]), [data-nl-product] a[href]:not([data-nl-action])"
SCRIPTS = Path(__file__).parent / "page"
FIND_CATEGORIES = (SCRIPTS / "categories.js").read_text("utf-8")
FIND_NEXT_PAGE = (SCRIPTS / "next.js").read_text("utf-8")
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
    box = find_visible(page, SEARCH_BOXES)
    if box is None and (button := find_visible(page, SEARCH_BUTTONS)):
        press(button)
        pause(page, 2 * MARGIN_MS)
        box = find_visible(page, SEARCH_BOXES)
    return box


def find_next_page(page: Page) -> Locator | None:
    """Find the link or button to the next page of results."""
    # A filter may have the text of a page number.
    selectors = [LINKED_NEXT_PAGE, page.evaluate(FIND_NEXT_PAGE), NEXT_PAGES]
    found = (find_visible(page, selector) for selector in selectors if selector)
    return next(filter(None, found), None)


def find_product(page: Page) -> Locator | None:
    """Find a link to a product."""
    return find_visible(page, PRODUCTS)


def find_categories(page: Page) -> list[Locator]:
    """Find links of the shop that may lead to products."""
    selectors: list[str] = page.evaluate(FIND_CATEGORIES)
    found = (find_visible(page, selector) for selector in selectors)
    return [link for link in found if link]


def find_visible(page: Page, selector: str) -> Locator | None:
    """Find the first visible element of a selector."""
    found = page.locator(selector).locator("visible=true")
    return found.first if found.count() else None


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
