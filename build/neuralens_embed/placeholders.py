"""Texts that a template prints in the place of a value that it does not have, or has formatted."""

import re

# What languages print for "no value", and for a value that is no text.
NOTHING = ("None", "null", "undefined", "nil", "NaN", "[object Object]")
# An expression that no template engine has replaced: Jinja, Django, Liquid, Vue; ERB; JavaScript.
EXPRESSION = re.compile(r"\{\{|\}\}|\{%|<%|\$\{")
# A number with its thousands set apart, as a localised template prints it.
GROUPED = re.compile(r"\d{1,3}(?:[,'\N{RIGHT SINGLE QUOTATION MARK}\s]\d{3})+")


def explain_placeholder(value: str) -> str:
    """Say why a text looks like no real value, with the remedy; "" where it does not."""
    text = value.strip()
    if text in NOTHING:
        return "a template has printed an absent value: print the attribute only where there is one"
    if EXPRESSION.search(text):
        return "a template expression was not rendered: check the engine, or the quoting around it"
    if GROUPED.fullmatch(text):
        return "a number was printed with separators: print the plain id, without localisation"
    return ""
