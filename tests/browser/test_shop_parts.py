"""Parts of real shops: what themes, component libraries and routers do to products and lists."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.page import DECIDED_MS, run_timers
from tests.browser.runtimes import skip_if_needed
from tests.browser.summaries import Summary, summarize

Act = Callable[[Page], Any]
MAIN = '<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair">{}</main>'
TILE = '<p data-nl-product="{0}"><a href="#{0}">{0}</a></p>'
CLICKS = ("CLICK", "ADD", "FAVORITE", "SHARE")


def click(item: str, rank: int | None = None) -> Summary:
    return ("CLICK_PRODUCT", item, rank, "chair")


def view(item: str, rank: int | None = None, query: str | None = "chair") -> Summary:
    return ("VIEW_PRODUCT", item, rank, query)


ADDED = ("ADD_TO_CART", "A", None, "chair")
LIKED = ("FAVORITE", "A", None, "chair")


def press(selector: str, *keys: str) -> Act:
    """Focus an element, and press keys."""

    def act(page: Page) -> None:
        page.focus(selector)
        for key in keys:
            page.keyboard.press(key)

    return act


def click_each(*selectors: str, **options: Any) -> Act:
    def act(page: Page) -> None:
        for selector in selectors:
            page.click(selector, **options)

    return act


def drag_image(page: Page) -> None:
    page.drag_and_drop("img", "#bin")
    page.click("#b")


def press_long(page: Page) -> None:
    """Hold a finger on a link, which opens its menu: no click follows."""
    for name in ("pointerdown", "contextmenu", "pointercancel"):
        page.dispatch_event("a", name, {"pointerType": "touch"})
    run_timers(page, DECIDED_MS)


BUTTON = '<button type="button" id="add" data-nl-action="add-to-cart">Add</button>'
# A form whose buttons the page marks as busy at various times.
FORM = """<div data-nl-product="A"><form id="f" data-nl-action="add-to-cart">
<button id="add">Add</button></form></div>
<script>f.onsubmit = (event) => event.preventDefault(); {}</script>"""
# A custom control that its page switches and clicks by keyboard.
CUSTOM = """<div data-nl-product="A"><span id="like" role="{0}" tabindex="0" aria-checked="false"
data-nl-action="favorite">Like</span></div><script>
like.onclick = () => like.setAttribute("aria-checked", like.ariaChecked !== "true");
like.onkeydown = (event) => {{ if (event.key === " ") {{ event.preventDefault(); {1} }} }};
</script>"""
TOGGLE = "like.setAttribute('aria-checked', like.ariaChecked !== 'true');"
INTERACTIONS: dict[str, tuple[str, Act, list[Summary]]] = {
    "button in a link": (
        '<div data-nl-product="A"><a href="#a">A '
        '<button id="add" data-nl-action="add-to-cart">Add</button></a></div>'
        "<script>add.onclick = (event) => event.preventDefault();</script>",
        click_each("#add"),
        [ADDED],
    ),
    "link over the whole card": (
        '<div data-nl-product="A" style="position: relative; height: 90px">'
        '<a id="a" href="#a" style="position: absolute; inset: 0">A</a>'
        '<button id="add" style="position: relative; z-index: 1" data-nl-action="add-to-cart">'
        "Add</button></div>",
        click_each("#add", "#a"),
        [ADDED, click("A")],
    ),
    "control key": (
        TILE.format("A"),
        click_each("a", modifiers=["ControlOrMeta"]),
        [click("A")],
    ),
    "middle button on a button": (
        f'<div data-nl-product="A">{BUTTON}<p id="text">Text</p></div>',
        click_each("#add", "#text", button="middle"),
        [],
    ),
    "menu key": (TILE.format("A"), press("a", "ContextMenu", "Shift+F10", "Escape"), []),
    "long press": (TILE.format("A"), press_long, []),
    "image dragged to a bin": (
        '<p data-nl-product="A"><a href="#a"><img width="60" height="60" alt="A" src="data:,"></a>'
        '</p><p data-nl-product="B"><a id="b" href="#b">B</a></p><div id="bin" '
        'style="height: 90px" ondragover="event.preventDefault()">Bin</div>',
        drag_image,
        [click("B")],
    ),
    "swatches": (
        '<div data-nl-product="A"><label id="red"><input type="radio" name="c">Red</label>'
        '<label id="blue"><input type="radio" name="c">Blue</label></div>',
        click_each("#red", "#blue"),
        [click("A"), click("A")],
    ),
    "bar that submits by script": (
        FORM.format("") + '<button id="bar" onclick="f.requestSubmit()">Buy</button>',
        click_each("#bar"),
        [ADDED],
    ),
    "bar with a button of the form": (
        FORM.format("") + '<button id="bar" form="f">Buy</button>',
        click_each("#bar"),
        [ADDED],
    ),
    "busy from the click on": (
        FORM.format("add.onclick = () => add.setAttribute('aria-busy', true);"),
        click_each("#add", "#add", "#add"),
        [ADDED],
    ),
    "disabled from the press on": (
        f'<div data-nl-product="A">{BUTTON}</div>'
        "<script>add.onclick = () => { add.disabled = true; };</script>",
        click_each("#add"),
        [ADDED],
    ),
    "switch by Space": (CUSTOM.format("switch", TOGGLE), press("#like", " ", " "), [LIKED]),
    "item of a menu by Space": (
        '<div data-nl-product="A"><ul role="menu"><li role="menuitem" tabindex="-1" '
        'data-nl-action="favorite">Like</li></ul></div>',
        press("li", " "),
        [LIKED],
    ),
    "legend of a disabled fieldset": (
        '<div data-nl-product="A"><fieldset disabled><legend><button type="button" id="like" '
        'data-nl-action="favorite">Like</button></legend><i id="more">More</i></fieldset></div>',
        click_each("#like", "#more"),
        [LIKED],
    ),
    "switch that clicks itself": (
        CUSTOM.format("switch", "like.click();"),
        press("#like", " ", " "),
        [LIKED],
    ),
    "checkbox by Space": (
        '<div data-nl-product="A"><label data-nl-action="favorite"><input type="checkbox"></label>'
        "</div>",
        press("input", " ", " ", " "),
        [LIKED, LIKED],
    ),
    "keyboard alone": (
        TILE.format("A") + TILE.format("B"),
        press("a", "Enter", "Tab", "Enter"),
        [click("A"), click("B")],
    ),
    "element without a shadow's boundary": (
        '<div data-nl-product="A"><quick-add data-nl-action="add-to-cart"><template '
        'shadowrootmode="open"><button><slot></slot></button></template><b>Add</b></quick-add>'
        "</div>",
        click_each("b"),
        [ADDED],
    ),
    "hot spot of an image": (
        '<svg width="90" height="90"><a data-nl-product="A" href="#a"><circle r="30" cx="40" '
        'cy="40"/></a></svg>',
        click_each("circle"),
        [click("A")],
    ),
    "popover with a choice": (
        '<div data-nl-product="A"><button popovertarget="p" data-nl-ignore>Size</button>'
        '<div id="p" popover><button id="add" data-nl-action="add-to-cart">L</button></div></div>',
        click_each("[popovertarget]", "#add"),
        [ADDED],
    ),
    "dialog of a product": (
        '<button id="open" onclick="d.showModal()">Open</button><dialog id="d" data-nl-product="A">'
        f'<form method="dialog"><button>Close</button></form>{BUTTON}</dialog>',
        click_each("#open", "#add"),
        [ADDED],
    ),
}


@pytest.mark.one_case
@pytest.mark.parametrize("name", list(INTERACTIONS))
def test_interactions(show, ledger, name):
    markup, act, expected = INTERACTIONS[name]
    page = show(MAIN.format(markup))
    act(page)
    assert summarize(ledger.wait_for_all(page), *CLICKS) == expected
    assert page.console_messages == []


def run(script: str) -> Act:
    return lambda page: page.evaluate(f"() => {{ {script} }}")


LIST = '<div id="list" data-nl-list="l">{}</div>'
TILES = "".join(map(TILE.format, "AB"))
SEEN = [view("A", 0), view("B", 1)]
# Markup, what is seen at first, an act, and what is seen then.
VIEWS: dict[str, tuple[str, list[Summary], Act, list[Summary]]] = {
    "details": (
        f"<details><summary>More</summary>{LIST.format(TILES)}</details>",
        [],
        click_each("summary"),
        SEEN,
    ),
    "dialog": (
        f'<dialog id="d">{LIST.format(TILES)}</dialog>',
        [],
        run("d.showModal()"),
        SEEN,
    ),
    "popover": (
        f'<div popover id="p">{LIST.format(TILES)}</div>',
        [],
        run("p.showPopover()"),
        SEEN,
    ),
    "hidden until found": (
        f'<section hidden="until-found">{LIST.format(TILES)}</section>',
        [],
        run("document.querySelector('section').hidden = false"),
        SEEN,
    ),
    "content-visibility": (
        f'<section style="content-visibility: auto">{LIST.format(TILES)}</section>',
        SEEN,
        run(""),
        [],
    ),
    "template": (
        f"<template>{TILE.format('T')}</template>{LIST.format(TILES)}",
        SEEN,
        run("list.append(document.querySelector('template').content.cloneNode(true))"),
        [view("T", 2)],
    ),
    "marquee with a copy": (
        LIST.format(f'<div>{TILES}</div><div aria-hidden="true">{TILES}</div>'),
        SEEN,
        run("document.querySelector('div div').style.transform = 'translateX(-2000px)'"),
        [],
    ),
    "slides moved by transforms": (
        LIST.format(
            '<div style="display: flex; overflow: hidden; width: 200px">'
            + "".join(
                f'<p data-nl-product="{name}" style="flex: 0 0 200px; transform: '
                f'translateX({x}px)">{name}</p>'
                for name, x in (("A", 600), ("B", -200), ("C", -200), ("D", -200))
            )
            + "</div>"
        ),
        [view("B", 1)],
        run(
            "document.querySelectorAll('[data-nl-product]').forEach((tile, n) => {"
            " tile.style.transform = `translateX(${n < 2 ? 400 : -400}px)`; });"
        ),
        [view("C", 2)],
    ),
    "previous page in front": (
        LIST.format(TILES).replace("data-nl-list", 'data-nl-offset="2" data-nl-list'),
        [view("A", 2), view("B", 3)],
        run(
            "list.dataset.nlOffset = 0;"
            f"list.insertAdjacentHTML('afterbegin', `{TILE.format('X')}{TILE.format('Y')}`);"
        ),
        [view("X", 0), view("Y", 1)],
    ),
    "morphed in place": (
        LIST.format(TILES),
        SEEN,
        run(
            "const tile = list.children[1]; tile.dataset.nlProduct = 'C';"
            "tile.firstChild.textContent = 'C';"
        ),
        [view("C", 1)],
    ),
    "section rendered again with a filter": (
        LIST.format(TILES),
        SEEN,
        run(
            "history.replaceState(null, '', '?filter=oak');"
            f"list.outerHTML = `{LIST.format(TILE.format('B') + TILE.format('C'))}`;"
        ),
        [view("C", 2)],
    ),
    "search while typing": (
        LIST.format(TILES),
        SEEN,
        run(
            "const main = document.querySelector('main');"
            "for (const [n, query] of ['t', 'ta', 'table'].entries())"
            " setTimeout(() => { main.dataset.nlQuery = query; list.replaceChildren();"
            f" list.innerHTML = `{TILE.format('T')}`; }}, n * 50);"
        ),
        [view("T", 0, "table")],
    ),
    "bar of the same product": (
        LIST.format(TILE.format("A")),
        [view("A", 0)],
        run(
            "document.querySelector('main').insertAdjacentHTML('beforeend', '<p style=\"position:"
            ' fixed; bottom: 0" data-nl-list="bar"><b data-nl-product="A">Buy</b></p>\');'
        ),
        [view("A", 0)],
    ),
    "hot spots of an image": (
        LIST.format(
            '<svg width="200" height="90"><a data-nl-product="A" href="#a"><circle r="30" cx="40" '
            'cy="40"/></a><a data-nl-product="B" href="#b"><circle r="30" cx="140" cy="40"/></a>'
            "</svg>"
        ),
        SEEN,
        run(""),
        [],
    ),
    "table": (
        "<table><tbody data-nl-list='l'><tr data-nl-product='A'><td>A</td></tr>"
        "<tr data-nl-product='B'><td>B</td></tr></tbody></table>",
        SEEN,
        run(""),
        [],
    ),
    "fading in": (
        LIST.format(TILES).replace("<div", '<div style="opacity: 0; transition: opacity 100ms"'),
        [],
        run("list.style.opacity = 1"),
        SEEN,
    ),
}


@pytest.mark.one_case
@pytest.mark.parametrize("name", list(VIEWS))
def test_views(show, ledger, name):
    markup, before, act, after = VIEWS[name]
    page = show(MAIN.format(markup))
    assert summarize(ledger.wait_for_all(page), "VIEW") == before
    act(page)
    # The last change of a page is up to 300 ms later.
    run_timers(page, 400)
    # Tiles that appear together may be seen in any order.
    seen = summarize(ledger.wait_for_all(page), "VIEW")[len(before) :]
    assert sorted(seen, key=str) == sorted(after, key=str)
    assert page.console_messages == []


LANDING = '<article data-nl-landing="{0}"><h1>{0}</h1></article>'


def land(item: str) -> tuple[str, str]:
    return ("LAND_PRODUCT_PAGE", item)


X = ("VIEW_PRODUCT", "X")
RESULTS = '<div data-nl-list="r"><p data-nl-product="X">X</p></div>'
# Markup of the first page, its events, the steps, and the events then.
ROUTES: dict[str, tuple[str, list[tuple[str, str]], list[str], list[tuple[str, str]]]] = {
    "view transition with another body": (
        LANDING.format("A"),
        [land("A")],
        [
            # Awaited, because the browser calls the update in a later frame.
            "history.pushState(null, '', '/b'); return document.startViewTransition(() => {"
            " const body = document.createElement('body');"
            f" body.innerHTML = `{LANDING.format('B')}`; document.body.replaceWith(body);"
            " }).updateCallbackDone;"
        ],
        [land("B")],
    ),
    "another document element": (
        LANDING.format("A"),
        [land("A")],
        [
            "history.pushState(null, '', '/b');"
            "const html = document.createElement('html');"
            f"html.innerHTML = `<body>{LANDING.format('B')}{RESULTS}</body>`;"
            "document.documentElement.replaceWith(html);"
        ],
        [land("B"), X],
    ),
    "modal with an address": (
        RESULTS,
        [X],
        [
            "history.pushState(null, '', '/p/b');"
            f"document.body.insertAdjacentHTML('beforeend', `{LANDING.format('B')}`);",
            "document.querySelector('article').remove(); history.back();",
        ],
        [land("B")],
    ),
    "both pages during a transition": (
        LANDING.format("A"),
        [land("A")],
        [
            "history.pushState(null, '', '/b');"
            f"document.body.insertAdjacentHTML('beforeend', `{LANDING.format('B')}`);",
            "document.querySelector('article').remove();",
        ],
        [land("B")],
    ),
    "intercepted navigation": (
        LANDING.format("A"),
        [land("A")],
        [
            "navigation.addEventListener('navigate', (event) => event.intercept({ handler: () =>"
            " new Promise((done) => setTimeout(() => {"
            f" document.body.innerHTML = `{LANDING.format('B')}`; done(); }}, 150)) }}));"
            "navigation.navigate('/b');"
        ],
        [land("B")],
    ),
    "address in the fragment": (
        RESULTS,
        [X],
        [
            "location.hash = '#/tables';"
            "const r = document.querySelector('[data-nl-list]'); r.outerHTML = r.outerHTML;"
        ],
        [X],
    ),
    "redirected by the router": (
        LANDING.format("A"),
        [land("A")],
        [
            "history.pushState(null, '', '/old-b');",
            f"history.replaceState(null, '', '/b'); document.body.innerHTML ="
            f" `{LANDING.format('B')}`;",
            "document.body.innerHTML += '<hr>';",
        ],
        [land("B")],
    ),
    "streamed in pieces": (
        LANDING.format("A"),
        [land("A")],
        [
            "history.pushState(null, '', '/b'); document.body.innerHTML = '<p>Loading</p>';",
            f"document.body.innerHTML = `{LANDING.format('B')}`;",
            f"document.body.innerHTML = `{LANDING.format('B')}{RESULTS}`;",
        ],
        [land("B"), X],
    ),
}


@pytest.mark.one_case
@pytest.mark.parametrize("name", list(ROUTES))
def test_routes(show_timed, ledger, name):
    markup, before, steps, after = ROUTES[name]
    page = show_timed(markup)

    def captured() -> list[tuple[str, str]]:
        return [(event.name, event.id) for event in ledger.wait_for_all(page)]

    assert captured() == before
    # What is replaced later was not rendered for the next page.
    page.clock.run_for(2000)
    for step in steps:
        page.evaluate(f"() => {{ {step} }}")
        page.clock.run_for(300)
    assert captured()[len(before) :] == after
    assert page.console_messages == []


OPTIONS = '<li role="option" id="one">oak chair</li><li role="option" id="two">oak table</li>'
BOX = '<input id="box" type="search" role="combobox" aria-controls="list" data-nl-suggestions>'
UL = '<ul id="list" role="listbox">{}</ul>'
CHOSEN = ("CLICK_SUGGESTION", "oak chair", 0, "oa")


def type_and(act: Act) -> Act:
    def type_first(page: Page) -> Any:
        page.locator("#box").last.press_sequentially("oa")
        return act(page)

    return type_first


SUGGESTIONS: dict[str, tuple[str, Act, list[Summary]]] = {
    "command menu in a dialog": (
        f'<dialog id="d">{BOX}<div id="list" role="listbox"><div role="group">'
        '<div role="presentation" aria-hidden="true">Chairs</div><div role="option" id="one">'
        "oak chair <kbd aria-hidden='true'>⌘1</kbd></div></div></div></dialog>"
        "<script>d.showModal()</script>",
        click_each("#one"),
        [CHOSEN],
    ),
    "popover": (
        f'{BOX}<div id="list" role="listbox" popover="manual">{OPTIONS}</div>'
        "<script>box.oninput = () => list.showPopover();</script>",
        click_each("#one"),
        [CHOSEN],
    ),
    "links with the control key": (
        f'{BOX}<div id="list" role="listbox"><a id="one" role="option" href="#s">oak chair</a>'
        "</div>",
        click_each("#one", modifiers=["ControlOrMeta"]),
        [CHOSEN],
    ),
    "button that removes one": (
        BOX
        + UL.format(
            '<li role="option" id="one">oak chair <button data-nl-ignore aria-hidden="true"'
            ' onclick="event.stopPropagation(); this.parentNode.remove()">x</button></li>'
        ),
        click_each("button"),
        [],
    ),
    "header and drawer": (
        '<input type="search" role="combobox" aria-controls="other" data-nl-suggestions value="x">'
        '<ul id="other" role="listbox"><li role="option">other</li></ul>'
        + BOX
        + UL.format(OPTIONS),
        click_each("#one"),
        [CHOSEN],
    ),
    "marked by the mouse, taken by Enter": (
        BOX
        + UL.format(OPTIONS)
        + "<script>list.onmouseover = (event) => box.setAttribute('aria-activedescendant',"
        " event.target.id);</script>",
        lambda page: (page.hover("#one"), page.press("#box", "Enter")),
        [CHOSEN],
    ),
    "Escape after an arrow": (
        BOX + UL.format(OPTIONS) + "<script>box.onkeydown = ({ key }) => { if (key === 'ArrowDown')"
        " box.setAttribute('aria-activedescendant', 'one'); else { list.hidden = true;"
        " box.removeAttribute('aria-activedescendant'); } };</script>",
        press("#box", "ArrowDown", "Escape", "Enter"),
        [],
    ),
}


@pytest.mark.one_case
@pytest.mark.parametrize("name", list(SUGGESTIONS))
def test_suggestions(show, ledger, name):
    markup, act, expected = SUGGESTIONS[name]
    page = show(markup)
    type_and(act)(page)
    assert summarize(ledger.wait_for_all(page), "CLICK") == expected
    assert page.console_messages == []


# What a page does before the tracker starts.
HOSTILE = {
    "listeners that never capture": """
        const add = EventTarget.prototype.addEventListener;
        EventTarget.prototype.addEventListener = function (type, handler) {
            return add.call(this, type, handler, { passive: true });
        };""",
    "accessors of every object": """
        for (const name of ["threshold", "attributeOldValue", "keepalive", "timeout"])
            Object.prototype[name] = undefined;""",
    "methods broken later": """addEventListener("load", () => {
        for (const name of ["getAttribute", "closest", "matches", "querySelectorAll"])
            Element.prototype[name] = () => { throw new Error("replaced"); };
    });""",
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_pages(show, ledger, runtime, name):
    skip_if_needed(runtime, name)
    page = show(MAIN.format(LIST.format(TILES)), before=HOSTILE[name])
    assert summarize(ledger.wait_for_all(page)) == SEEN
    position = page.evaluate(
        "() => { const { x, y } = document.links[0].getBoundingClientRect(); return [x, y]; }"
    )
    page.mouse.click(position[0] + 3, position[1] + 3)
    assert summarize(ledger.wait_for_all(page)) == [*SEEN, click("A", 0)]


def test_trusted_types(show, ledger, runtime):
    if runtime != "javascript":
        pytest.skip("the early script inserts the runtime's script by its address")
    headers = {
        "Content-Security-Policy": "require-trusted-types-for 'script'; trusted-types 'none'"
    }
    page = show(MAIN.format(LIST.format(TILES)), headers=headers)
    assert summarize(ledger.wait_for(2)) == SEEN
    page.click("a")
    page.evaluate("neuralens('flush')")
    assert summarize(ledger.wait_for(3)) == [*SEEN, click("A", 0)]
