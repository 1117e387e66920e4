"""The constants of the event API and the tracker: names, limits and versions.

Documents, type declarations, the snippet and the relay's validator derive from this module. Source:
the Neuralens event tracking API, "Values for Page" and "Values for Event".
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

# The event of each value of data-nl-action.
ACTIONS = {"add-to-cart": ADD_TO_CART, "favorite": FAVORITE, "share": SHARE}

# The shopper's consent: nothing is sent or stored unless it is granted.
GRANTED = "granted"
PENDING = "pending"
DENIED = "denied"
CONSENTS = (GRANTED, PENDING, DENIED)

VERSION = "0.2.0"

# Prefix of the tracker's keys in storage and in dicts. In JavaScript a dict is an object: a key
# taken from the page could be the name of something inherited, such as "constructor".
PREFIX = "nl:"

# Prefix of the storage keys of events recorded before a heavy runtime has loaded, see ``early``:
# without uid and location, and before any hook.
EARLY_KEY = "k:"

# The version of the wire format between tracker and relay.
WIRE_VERSION = 1

# The status with which the relay acknowledges a batch.
ACCEPTED = 202

# Limits of an event, in the tracker (which drops the field) and at the relay (which refuses it).
# Length is in UTF-16 code units in the browser and in code points elsewhere, never more of these.
MAX_TEXT = 512
# For ranks, milliseconds and Unix seconds, which reach it in 2096.
MAX_COUNT = 4000000000
# Bytes of a POST body, well below the 64 KiB that all beacons in flight share.
MAX_BATCH_BYTES = 49152
