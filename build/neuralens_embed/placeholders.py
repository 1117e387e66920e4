"""Recognizes template mistakes in attribute values: missing, unrendered or formatted values."""

import re

# How languages print a missing value, or an object.
NOTHING = ("None", "null", "undefined", "nil", "NaN", "[object Object]")
# Unrendered expressions of Jinja, Django, Liquid, Vue; ERB; JavaScript.
EXPRESSION = re.compile(r"\{\{|\}\}|\{%|<%|\$\{")
# A number with thousands separators, as a localized template prints it.
GROUPED = re.compile(r"\d{1,3}(?:[,'\N{RIGHT SINGLE QUOTATION MARK}\s]\d{3})+")


def explain_placeholder(value: str) -> str:
    """Return why a value looks like a template's mistake, with the remedy; otherwise ""."""
    text = value.strip()
    if text in NOTHING:
        return "a template has printed an absent value: print the attribute only where there is one"
    if EXPRESSION.search(text):
        return "a template expression was not rendered: check the engine, or the quoting around it"
    if GROUPED.fullmatch(text):
        return "a number was printed with separators: print the plain id, without localization"
    return ""
