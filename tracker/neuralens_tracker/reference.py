"""What events, attributes, settings and calls mean, in a sentence each.

Documents, ``--help``, the types file and the editors' completion are made from it; no bundle holds
this module.
"""

from neuralens_tracker import attributes
from neuralens_tracker.types import ValueType
from neuralens_tracker.value_types import COUNT, TEXT
from neuralens_tracker.vocabulary import ACTIONS, PAGES

# Each event, by what makes the tracker send it.
EVENTS = {
    "VIEW_PRODUCT": "a product was seen",
    "CLICK_PRODUCT": "a product was clicked, or activated by keyboard",
    "VIEW_SUGGESTION": "a search suggestion was seen",
    "CLICK_SUGGESTION": "a search suggestion was chosen",
    "LAND_PRODUCT_PAGE": "a product's own page was opened",
    "FAVORITE": "a product was added to the favorites",
    "SHARE": "a product was shared",
    "ADD_TO_CART": "a product was added to the cart",
    "PURCHASE": "an order was placed",
}

PAGE_NAMES = {
    "SEARCH_RESULT_PAGE": "results of a search",
    "AUTOCOMPLETE": "suggestions while typing",
    "CATEGORY_PAGE": "a category, a brand, or any other list",
    "PRODUCT_PAGE": "a product's own page",
}


class Attribute:
    """What a ``data-nl-*`` attribute takes, an example value for documents, and what it means.

    ``takes`` is None where the attribute stands without a value; ``optional``: it may.
    """

    def __init__(
        self, takes: ValueType | None, example: str, meaning: str, optional: bool = False
    ) -> None:
        self.takes = takes
        self.optional = optional
        self.example = example
        self.meaning = meaning


CONTEXT = {
    attributes.PAGE: Attribute(
        PAGES,
        "",
        "The kind of page: " + ", ".join(f"`{page}`" for page in PAGES) + ".",
    ),
    attributes.QUERY: Attribute(
        TEXT,
        "",
        'The search text. An empty value means "no query" and overrides any ancestor.',
    ),
    attributes.LIST: Attribute(
        TEXT,
        "",
        'A list. Ranks are counted within the nearest list (or `role="listbox"`); the value is the'
        " list's name.",
    ),
    attributes.OFFSET: Attribute(
        COUNT,
        "",
        "The rank of the list's first item: `24` on page 2 of 24 items each. Default: 0.",
    ),
    attributes.IGNORE: Attribute(
        None,
        "",
        "Nothing inside is captured or read, and it counts neither in ranks nor in orders.",
    ),
    attributes.CONFIRM: Attribute(
        COUNT,
        "",
        'Actions inside wait until the shop calls `neuralens("confirm", event, id)` or tracks the'
        " same event. The value is how many milliseconds they wait before they are dropped."
        " Default: 10000.",
        optional=True,
    ),
}

ITEMS = {
    attributes.PRODUCT: Attribute(
        TEXT,
        "ID",
        "VIEW_PRODUCT when seen, CLICK_PRODUCT when clicked or activated by keyboard.",
    ),
    attributes.SUGGESTION: Attribute(
        TEXT,
        "TEXT or ID",
        "VIEW_SUGGESTION and CLICK_SUGGESTION. `items[0].id` is the value, `query` is the text"
        " typed so far; the page is AUTOCOMPLETE unless another is given.",
    ),
    attributes.SUGGESTIONS: Attribute(
        None,
        "",
        "For third-party autocomplete you cannot edit: put this on the input or a wrapper. Every"
        ' `role="option"` of its listbox becomes a suggestion, with its text as the value.',
    ),
    attributes.INDEX: Attribute(
        COUNT,
        "N",
        "The item's rank, counted from 0. Without it, the tracker determines the rank.",
    ),
    attributes.ACTION: Attribute(
        tuple(ACTIONS),
        "",
        "On a control or form inside a product or landing: ADD_TO_CART (`add-to-cart`), FAVORITE"
        " (`favorite`) or SHARE (`share`) instead of CLICK_PRODUCT.",
    ),
    attributes.LANDING: Attribute(
        TEXT,
        "ID",
        "LAND_PRODUCT_PAGE, once per page view; in a closed dialog or popover, when that is opened."
        " The page is PRODUCT_PAGE unless another is given.",
    ),
    attributes.PURCHASE_ORDER: Attribute(
        TEXT,
        "ORDER",
        "One PURCHASE with the ids of every `data-nl-product` inside (order lines send no views or"
        " clicks): once per order, even on several devices.",
    ),
}

ATTRIBUTES = {**CONTEXT, **ITEMS}

SETTINGS = {
    "appId": "The application id. It must equal the relay's NEURALENS_APPLICATION_ID.",
    "endpoint": "The URL that receives events.",
    "uid": "The shopper's id. Without one, an anonymous UUID is kept in `localStorage`.",
    "page": "The kind of page, for items whose markup does not give one.",
    "query": "The search text, for items whose markup does not give one.",
    "consent": "Nothing is stored or sent unless consent is `granted`. `pending` holds events in"
    " memory until the shopper decides; `denied` erases what was stored. Any other word counts as"
    " `pending`.",
    "respectGpc": "Whether Global Privacy Control means `denied`.",
    "viewMs": "How many milliseconds a product must be in view to count as seen.",
    "suggestionMs": "How many milliseconds a list of suggestions must stay unchanged to count as"
    " seen.",
    "geoDecimals": "How many decimals of `geo` coordinates to keep; `1` is accurate to about 10 km."
    " All by default.",
    "attributionMs": "How many milliseconds a product stays credited to the search that led to it,"
    " counted from its last use.",
    "token": "A page token, which proves to the relay that the page is the shop's own.",
    "debug": (
        "Whether to log each event to the browser's console, including held and suppressed ones,"
        " and show the overlay."
    ),
}


# Those of add-ons.
SETTINGS["ga4IndexBase"] = "The `index` of a list's first item in the shop's GA4 events."
SETTINGS["onetrustGroup"] = "The id of the OneTrust group that covers the tracker."

ADDONS = {
    "ga4": "Tracks what is pushed to `dataLayer` for Google Analytics 4, without attributes.",
    "overlay": "Shows on the page what the tracker makes of it.",
    "consent-cookiebot": "Follows Cookiebot: its category of statistics.",
    "consent-google": "Follows Google Consent Mode v2: `analytics_storage`.",
    "consent-onetrust": "Follows OneTrust: its group of performance cookies, or another.",
    "consent-shopify": "Follows Shopify's Customer Privacy API: analytics.",
    "consent-tcf": "Follows the IAB's Transparency and Consent Framework 2.2: purposes 1, 5 and 6.",
    "consent-usercentrics": "Follows Usercentrics, version 2 or 3: all services.",
}


class Call:
    """The arguments of a call, as documents write them, and what it does."""

    def __init__(self, arguments: str, meaning: str) -> None:
        self.arguments = arguments
        self.meaning = meaning


CALLS = {
    "track": Call(
        "event, {id, index, query, page, order}",
        "Tracks an event that has no markup. A PURCHASE takes `ids` in place of `id`, and counts"
        " once for each `order`.",
    ),
    "identify": Call("uid", "Sets the shopper's id; `null` makes the shopper anonymous again."),
    "consent": Call(
        "state",
        "Passes on the shopper's decision: `granted`, `pending` or `denied`. Any other word counts"
        " as `pending`.",
    ),
    "geo": Call(
        "{lat, long, region}", "Sets the place of all events from now on; `null` clears it."
    ),
    "page": Call("{page, query}", "Starts a new page view in a single-page shop."),
    "confirm": Call(
        "event, id", "Confirms an action inside `data-nl-confirm`: it has really happened."
    ),
    "before": Call(
        "fn",
        "Calls `fn(event)` before an event is sent. It returns the event, changed or not; returning"
        " `null` or nothing drops it.",
    ),
    "on": Call(
        "name, fn",
        "Calls `fn` for each `event`, `suppressed` event (with the reason), `delivered` batch or"
        " `error`.",
    ),
    "flush": Call("", "Sends everything that is waiting, now."),
}


class Stored:
    """What the tracker keeps in the browser under a key, why, and for how long."""

    def __init__(self, what: str, how_long: str) -> None:
        self.what = what
        self.how_long = how_long


# In localStorage, by the key after PREFIX; a key that ends in ":" or is followed by more stands for
# all that begin with it.
STORED = {
    "uid": Stored("the anonymous UUID, unless the shop gives a `uid`", "until consent is denied"),
    "e:": Stored("events whose arrival is not confirmed", "seconds, usually; at most 1,000"),
    "b:": Stored("which events a batch has", "until its arrival is confirmed"),
    "j": Stored(
        "the number of the journal's last event; how many events were lost, by reason",
        "until consent is denied",
    ),
    "w": Stored("which batches the network lets through", "until consent is denied"),
    "a": Stored(
        "the searches that led to products: query, page, rank",
        "30 minutes without use (`data-attribution-ms`); at most 50 products",
    ),
    "o:": Stored("that an order was reported", "until consent is denied"),
    "k:": Stored("what happened before a heavy runtime had loaded", "until it has"),
}
