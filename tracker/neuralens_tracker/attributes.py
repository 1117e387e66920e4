"""The names of the ``data-nl-*`` attributes."""

PAGE = "data-nl-page"
QUERY = "data-nl-query"
LIST = "data-nl-list"
OFFSET = "data-nl-offset"
IGNORE = "data-nl-ignore"
CONFIRM = "data-nl-confirm"

PRODUCT = "data-nl-product"
SUGGESTION = "data-nl-suggestion"
SUGGESTIONS = "data-nl-suggestions"
INDEX = "data-nl-index"
ACTION = "data-nl-action"
LANDING = "data-nl-landing"
PURCHASE_ORDER = "data-nl-purchase"

CONTEXT = (PAGE, QUERY, LIST, OFFSET, IGNORE, CONFIRM)
ITEMS = (PRODUCT, SUGGESTION, SUGGESTIONS, INDEX, ACTION, LANDING, PURCHASE_ORDER)
