"""The words of the event API and of this tracker: each stands here once.

The attribute tables of the documents, the types file, the snippet, the relay's validator and
the sandbox derive from this module. Source: the Neuralens event tracking API, "Values for Page"
and "Values for Event".
"""

VIEW_PRODUCT = "VIEW_PRODUCT"
CLICK_PRODUCT = "CLICK_PRODUCT"
VIEW_SUGGESTION = "VIEW_SUGGESTION"
CLICK_SUGGESTION = "CLICK_SUGGESTION"
LAND_PRODUCT_PAGE = "LAND_PRODUCT_PAGE"
FAVORITE = "FAVORITE"
SHARE = "SHARE"
ADD_TO_CART = "ADD_TO_CART"
PURCHASE = "PURCHASE"
EVENTS = (
    VIEW_PRODUCT,
    CLICK_PRODUCT,
    VIEW_SUGGESTION,
    CLICK_SUGGESTION,
    LAND_PRODUCT_PAGE,
    FAVORITE,
    SHARE,
    ADD_TO_CART,
    PURCHASE,
)

SEARCH_RESULT_PAGE = "SEARCH_RESULT_PAGE"
AUTOCOMPLETE = "AUTOCOMPLETE"
CATEGORY_PAGE = "CATEGORY_PAGE"
PRODUCT_PAGE = "PRODUCT_PAGE"
PAGES = (SEARCH_RESULT_PAGE, AUTOCOMPLETE, CATEGORY_PAGE, PRODUCT_PAGE)

# data-nl-action: the event that a control stands for.
ACTIONS = {"add-to-cart": ADD_TO_CART, "favorite": FAVORITE, "share": SHARE}

# Consent of the shopper: nothing is sent or stored before it is granted.
GRANTED = "granted"
PENDING = "pending"
DENIED = "denied"
CONSENTS = (GRANTED, PENDING, DENIED)

VERSION = "0.1.0"

# The beginning of every key that the tracker makes, in storage and in dicts: with it, no text
# from outside is the name of something else there.
PREFIX = "nl:"

# Where storage keeps what happens before a heavy runtime is there, see ``late.restore``: without
# uid and place, and before any hook.
KEPT_KEY = "k:"

# The version of the wire format between tracker and relay.
WIRE_VERSION = 1

# Bounds of one event, for the tracker (which cuts) and for the relay (which refuses).
# Text counts UTF-16 code units in the browser and code points elsewhere: never more of the latter.
MAX_TEXT = 512
# Ranks, milliseconds and Unix seconds alike: seconds until the year 2096.
MAX_COUNT = 4000000000
# A batch: bytes of a POST body, well under the 64 KiB that all beacons in flight share.
MAX_BATCH_BYTES = 49152
