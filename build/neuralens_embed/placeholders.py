"""Recognizes template mistakes in attribute values: missing, unrendered or formatted values."""

import re

# How languages print a missing value.
NOTHING = ("None", "null", "undefined", "nil", "NaN")
# A missing value at the end of a string, such as "sku-undefined".
ENDS_IN_NOTHING = re.compile(r".*[-_:/](?:None|null|undefined|NaN)")
# Unrendered expressions of Jinja, Django, Liquid, Vue; Blade; ERB; PHP; JavaScript.
EXPRESSION = re.compile(r"\{\{|\}\}|\{%|\{!!|<%|<\?|\$\{")
# Objects and functions, as JavaScript, Python and Ruby print them.
OBJECT = re.compile(
    r"\[object \w+\]|function\b.*\{.*|#<\w.*>|<[\w.-]+(?::| object\b| method\b).*>", re.DOTALL
)
# An expression of JSX or Svelte, cut at its first space; not a GUID in braces.
EMBEDDED = re.compile(r"\{[A-Za-z_$][\w$]*(?:[.?(\[].*|\}|)", re.DOTALL)
# A character that a template has escaped, and that another then escapes again; one that is
# encoded as in a URL.
ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d+|#x[0-9a-f]+);", re.IGNORECASE)
ENCODED = re.compile(r"%(?:2[0-9A-F]|C3%[89AB][0-9A-F])", re.IGNORECASE)
# A text with its quotes, or an object or a list, as JSON.
JSON = re.compile(r"([\"']).*\1|\{\s*\".*\}|\[.*\]", re.DOTALL)
# An element of HTML, as PHP also prints its warnings.
ELEMENT = re.compile(r"</?[a-z]+\b[^<>]*>", re.IGNORECASE)
# The pattern of a currency, which verify also uses in JavaScript, and an amount of money.
CURRENCY = r"(?:[$€£¥]|EUR|USD|GBP|CHF|kr|zł)"
AMOUNT = r"\d[\d.,'\N{RIGHT SINGLE QUOTATION MARK}\s]*[-\N{EN DASH}\N{EM DASH}]?"
PRICE = re.compile(rf"{CURRENCY}\s*{AMOUNT}|{AMOUNT}\s*{CURRENCY}")
# A number with a fraction, as of a price, or as languages print whole numbers that were read as
# floating-point ones.
DECIMAL = re.compile(r"\d+[.,]\d{1,2}")
# A number with thousands separators, as a localized template prints it.
GROUPED = re.compile(r"\d{1,3}(?:[,'\N{RIGHT SINGLE QUOTATION MARK}\s]\d{3})+")
# The same with points, as many languages print it; but article numbers may be written so, too.
GROUPED_BY_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
LOCALIZED = "a number was printed with separators: print the plain id, without localization"


def explain_placeholder(value: str) -> str:
    """Return why a value looks like a template's mistake, with the remedy; otherwise ""."""
    text = value.strip()
    if text in NOTHING or ENDS_IN_NOTHING.fullmatch(text):
        return "a template has printed an absent value: print the attribute only where there is one"
    if OBJECT.fullmatch(text):
        return "a template has printed an object: print its id"
    if EXPRESSION.search(text) or EMBEDDED.fullmatch(text):
        return "a template expression was not rendered: check the engine, or the quoting around it"
    if GROUPED.fullmatch(text):
        return LOCALIZED
    if ESCAPED.search(text):
        return "it was escaped twice: escape it once"
    # Not in an id that is itself a URL.
    if ENCODED.search(text) and "/" not in text:
        return "it was encoded as in a URL: print the plain text"
    return ""


def explain_id(value: str) -> str:
    """Return why an id looks like a template's mistake, with the remedy; otherwise "".

    Stricter than ``explain_placeholder``, because shoppers may search for quotes or a price.
    """
    text = value.strip()
    if OBJECT.fullmatch(text):
        return explain_placeholder(value)
    if JSON.fullmatch(text):
        return "a template has printed JSON: print the plain id"
    if text == "Array":
        return "a template has printed an array of PHP: print its id"
    if ELEMENT.search(text):
        return "a template has printed HTML, or a warning of PHP: print the plain id"
    if PRICE.fullmatch(text):
        return "a template has printed a price: print the product's id"
    return explain_placeholder(value)


def looks_decimal(values: list[str]) -> bool:
    """Return whether all of several ids look like prices, or like whole numbers with a fraction."""
    return len(values) > 1 and all(DECIMAL.fullmatch(value) for value in values)


def looks_grouped(values: list[str]) -> str:
    """Return a value that looks like a number grouped by points, if all others fit; otherwise "".

    Numbers of up to three digits fit: they are printed without a point.
    """
    grouped = [value for value in values if GROUPED_BY_POINTS.fullmatch(value)]
    fit = all(
        GROUPED_BY_POINTS.fullmatch(value) or (value.isdigit() and len(value) <= 3)
        for value in values
    )
    return grouped[0] if grouped and fit else ""
