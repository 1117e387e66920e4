"""Callbacks for the phases of a page's life: activated, parsed, loaded, idle, hidden."""

from collections.abc import Callable

from neuralens_tracker.web.dom import document_property, listen
from neuralens_tracker.web.ffi import attempt, callback, get, invoke, record, window

# Milliseconds after which an idle callback runs even if the page is never idle.
PATIENCE_MS = 2000


def on_activation(act: Callable[..., object]) -> None:
    """Act now, or when a prerendered page is activated."""
    if document_property("prerendering"):
        listen("prerenderingchange", act)
    else:
        act()


def on_dom_ready(act: Callable[..., object]) -> None:
    """Act now, or when the document has been parsed."""
    if document_property("readyState") == "loading":
        listen("DOMContentLoaded", act)
    else:
        act()


def on_load(act: Callable[..., object]) -> None:
    """Act now, or when the document and its subresources have loaded."""
    if document_property("readyState") == "complete":
        act()
    else:
        listen("load", act)


def on_idle(act: Callable[..., object]) -> None:
    """Act when the browser is idle, at the latest after PATIENCE_MS."""
    # Safari has no requestIdleCallback; setTimeout reads the options object as a delay of 0.
    idle = get(window, "requestIdleCallback") or get(window, "setTimeout")
    invoke(idle, None, callback(act), record({"timeout": PATIENCE_MS}))


def on_navigation(name: str, act: Callable[..., object]) -> None:
    """Act at an event of the Navigation API, if the browser has it.

    Source: https://html.spec.whatwg.org/multipage/nav-history-apis.html#the-navigateevent-interface
    """
    navigation = attempt(get(window, "Reflect"), "get", window, "navigation")
    attempt(navigation, "addEventListener", name, callback(act))


def on_page_hide(act: Callable[..., object]) -> None:
    """Act whenever the page is hidden or unloaded, or shown again."""
    # Safari does not always fire visibilitychange on navigation, hence pagehide:
    # https://bugs.webkit.org/show_bug.cgi?id=116769
    listen("visibilitychange pagehide", act)
