"""Recognizes template mistakes in attribute values: missing, unrendered or formatted values."""

import re

# How languages print a missing value.
NOTHING = ("None", "null", "undefined", "nil", "NaN")
# Unrendered expressions of Jinja, Django, Liquid, Vue; Blade; ERB; PHP; JavaScript.
EXPRESSION = re.compile(r"\{\{|\}\}|\{%|\{!!|<%|<\?|\$\{")
# Objects and functions, as JavaScript, Python and Ruby print them.
OBJECT = re.compile(
    r"\[object \w+\]|function\b.*\{.*|#<\w.*>|<[\w.-]+(?::| object\b| method\b).*>", re.DOTALL
)
# An expression of JSX or Svelte, cut at its first space; not a GUID in braces.
EMBEDDED = re.compile(r"\{[A-Za-z_$][\w$]*(?:[.?(\[].*|\}|)", re.DOTALL)
# A number with thousands separators, as a localized template prints it.
GROUPED = re.compile(r"\d{1,3}(?:[,'\N{RIGHT SINGLE QUOTATION MARK}\s]\d{3})+")
# The same with points, as many languages print it; but article numbers may be written so, too.
GROUPED_BY_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")


def explain_placeholder(value: str) -> str:
    """Return why a value looks like a template's mistake, with the remedy; otherwise ""."""
    text = value.strip()
    if text in NOTHING:
        return "a template has printed an absent value: print the attribute only where there is one"
    if OBJECT.fullmatch(text):
        return "a template has printed an object: print its id"
    if EXPRESSION.search(text) or EMBEDDED.fullmatch(text):
        return "a template expression was not rendered: check the engine, or the quoting around it"
    if GROUPED.fullmatch(text):
        return "a number was printed with separators: print the plain id, without localization"
    return ""


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
