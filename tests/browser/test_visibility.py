"""Visibility and ranks: hidden products are not seen, and ranks are those that shoppers see."""

import pytest

from tests.browser.summaries import summarize
from tests.polling import eventually

SEARCH = '<main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair">{}</main>'
TILE = '<div data-nl-product="{0}" style="width: 100px; height: 50px">{0}</div>'


@pytest.fixture
def captured_ranks(ledger):
    """Return the (id, index) of each event with a name, sorted."""

    def captured_ranks(page, name="VIEW_PRODUCT"):
        return sorted(
            (item, index or 0) for _, item, index, _ in summarize(ledger.wait_for_all(page), name)
        )

    return captured_ranks


def row(*tiles):
    return SEARCH.format(
        '<div id="row" data-nl-list="row" style="display: flex">' + "".join(tiles) + "</div>"
    )


def clone(name, mark='aria-hidden="true"'):
    return TILE.format(name).replace("<div", f"<div {mark}")


IN_ORDER = [("A", 0), ("B", 1), ("C", 2), ("D", 3)]


@pytest.mark.parametrize(
    "mark", ['aria-hidden="true"', "inert", 'class="slide--clone"', 'class="slide-duplicate"']
)
def test_clones_before_the_originals(show, captured_ranks, mark):
    page = show(
        row(
            *[clone(name, mark) for name in "CD"],
            *map(TILE.format, "ABCD"),
            *[clone(name, mark) for name in "AB"],
        )
    )
    assert captured_ranks(page) == IN_ORDER
    # An inert copy cannot be clicked.
    page.locator("[data-nl-product=C]:not([inert])").first.click()
    assert captured_ranks(page, "CLICK") == [("C", 2)]
    assert page.console_messages == []


def test_hidden_slides_outside_the_viewport(show, captured_ranks):
    """A carousel hides slides from assistive technology, too, not only clones."""
    page = show(
        row(
            *map(clone, "CD"),
            *map(TILE.format, "AB"),
            *map(clone, "CD"),
            *map(clone, "AB"),
        )
    )
    assert captured_ranks(page) == IN_ORDER


def test_class_that_tells_clones_from_hidden_slides(show, captured_ranks):
    """A carousel that has moved on hides its first slides, which are no clones for that."""
    mark = 'class="slide--clone" aria-hidden="true"'
    page = show(
        row(
            *[clone(name, mark) for name in "CD"],
            *map(clone, "AB"),
            *map(TILE.format, "CD"),
            *[clone(name, mark) for name in "AB"],
        )
    )
    assert captured_ranks(page) == IN_ORDER


def test_slides_that_move(show, captured_ranks):
    page = show(row(*map(TILE.format, "ABCD")))
    assert captured_ranks(page) == IN_ORDER
    page.evaluate("row.prepend(row.lastElementChild)")
    page.click("[data-nl-product=B]")
    assert captured_ranks(page, "CLICK") == [("B", 1)]


CAROUSEL = """<style>#row { width: 200px; overflow: hidden } #row > * { flex: none }</style>"""


def test_slides_that_an_endless_carousel_moves_to_the_front(show, captured_ranks):
    """They have not been seen before."""
    page = show(CAROUSEL + row(*map(TILE.format, "ABCD")))
    assert captured_ranks(page) == IN_ORDER[:2]
    page.evaluate("row.prepend(row.lastElementChild)")
    assert captured_ranks(page) == [*IN_ORDER[:2], IN_ORDER[3]]
    page.evaluate("row.prepend(row.lastElementChild)")
    assert captured_ranks(page) == IN_ORDER


def test_list_that_is_sorted(show, captured_ranks):
    """Products that had not been seen get their new ranks."""
    page = show(CAROUSEL + row(*map(TILE.format, "ABCD")))
    assert captured_ranks(page) == IN_ORDER[:2]
    page.evaluate("row.append(...[...row.children].reverse())")
    assert captured_ranks(page) == [*IN_ORDER[:2], ("C", 1), ("D", 0)]


def test_list_that_is_rerendered(show, captured_ranks):
    page = show(row(*map(TILE.format, "ABCD")))
    assert captured_ranks(page) == IN_ORDER
    page.evaluate("() => { row.outerHTML = row.outerHTML; row.prepend(row.lastElementChild); }")
    page.click("[data-nl-product=B]")
    assert captured_ranks(page, "CLICK") == [("B", 1)]
    assert captured_ranks(page) == IN_ORDER


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("visibility: hidden", ""),
        ("opacity: 0", ""),
        ("clip-path: inset(50%)", "clip-path: none"),
        ("transform: scale(0)", ""),
        ("transform: scale(0.001)", ""),
    ],
)
def test_invisible_tile(show, captured_ranks, hidden, shown):
    page = show(SEARCH.format(f'<div id="holder" style="{hidden}">{TILE.format("A")}</div>'))
    assert captured_ranks(page) == []
    page.evaluate("(style) => { holder.style = style; }", shown)
    # A change of style is detected at the next check of hidden tiles.
    eventually(lambda: captured_ranks(page) == [("A", 0)])


def test_browser_without_check_visibility(show, captured_ranks):
    """Such as Safari before 17.4."""
    tiles = [TILE.format(name) for name in "AXBY"]
    tiles[1] = tiles[1].replace("width", "display: none; width")
    tiles[3] = tiles[3].replace("width", "visibility: hidden; width")
    page = show(row(*tiles), before="delete Element.prototype.checkVisibility;")
    assert captured_ranks(page) == IN_ORDER[:2]
    page.locator("[data-nl-product=B]").click()
    assert captured_ranks(page, "CLICK") == [("B", 1)]
    assert page.console_messages == []


def test_visible_only_briefly(show, captured_ranks):
    page = show(
        SEARCH.format(f'<div id="holder" style="opacity: 0">{TILE.format("A")}</div>'), view_ms=600
    )
    page.evaluate(
        """async () => {
            const later = (time) => new Promise((resolve) => setTimeout(resolve, time));
            await later(1000);
            holder.style.opacity = 1;
            await later(250);
            holder.style.opacity = 0;
        }"""
    )
    assert captured_ranks(page) == []


@pytest.mark.parametrize("style", ["float: left", "position: absolute", "position: fixed"])
def test_tile_with_an_empty_box(show, captured_ranks, style):
    """Its content floats or is positioned, and has no size until an image is loaded."""
    page = show(
        SEARCH.format(
            f'<div data-nl-product="A"><a style="{style}"><img style="display: block"></a></div>'
        )
    )
    assert captured_ranks(page) == []
    page.evaluate("document.querySelector('img').style.height = '90px'")
    assert captured_ranks(page) == []
    page.evaluate("document.querySelector('img').style.width = '90px'")
    eventually(lambda: captured_ranks(page) == [("A", 0)])


@pytest.mark.parametrize("depth", [1, 2])
def test_tile_without_a_box(show, captured_ranks, depth):
    wrap = '<div style="display: contents">' * (depth - 1)
    page = show(
        SEARCH.format(
            f'<div data-nl-product="A" style="display: contents">{wrap}'
            '<div style="height: 200px">A</div>' + "</div>" * (depth - 1) + "</div>"
            '<div style="height: 3000px"></div>'
            '<div data-nl-product="B" style="display: contents"><p>B</p></div>'
        )
    )
    # Its content is observed a frame later than a tile with a box, such as the ledger's control.
    eventually(lambda: captured_ranks(page) == [("A", 0)])
    page.evaluate("scrollTo(0, 4000)")
    eventually(lambda: captured_ranks(page) == [("A", 0), ("B", 0)])


@pytest.mark.parametrize("way", ["shown", "filled"])
def test_tile_without_a_box_whose_content_comes_later(show, captured_ranks, way):
    content = '<p style="height: 100px">A</p>'
    page = show(
        SEARCH.format(
            f'<div id="tab" {"hidden" if way == "shown" else ""}><x-card id="card"'
            f' data-nl-product="A" style="display: contents">{content if way == "shown" else ""}'
            "</x-card></div>"
        )
    )
    assert captured_ranks(page) == []
    page.evaluate("(content) => { tab.hidden = false; card.innerHTML = content; }", content)
    eventually(lambda: captured_ranks(page) == [("A", 0)])


OBSERVED = """<script>
  const { observe } = IntersectionObserver.prototype;
  window.observed = [];
  IntersectionObserver.prototype.observe = function (element) {
    observed.push(element.tagName);
    observe.call(this, element);
  };
</script>"""


def test_tile_without_a_box_whose_content_is_replaced(show, captured_ranks):
    """Components show a skeleton first, also below the fold, where no observer reports its end."""
    card = '<x-card data-nl-product="{0}" style="display: contents"><p>...</p></x-card>'
    cards = card.format("A") + '<div style="height: 3000px"></div>' + card.format("B")
    page = show(OBSERVED + SEARCH.format(cards), view_ms=2000)
    eventually(lambda: page.evaluate("observed.filter((name) => name === 'P').length") == 2)
    page.evaluate(
        """() => document.querySelectorAll("x-card").forEach((card) => {
            card.innerHTML = '<p style="height: 100px">product</p>';
        })"""
    )
    assert captured_ranks(page) == [("A", 0)]
    page.evaluate("scrollTo(0, 4000)")
    eventually(lambda: captured_ranks(page) == [("A", 0), ("B", 0)])


def test_empty_box_that_is_filled_later(show, captured_ranks):
    page = show(
        SEARCH.format('<x-card id="card" data-nl-product="A" style="display: block"></x-card>')
    )
    assert captured_ranks(page) == []
    page.evaluate("card.innerHTML = '<p style=\"height: 100px\">A</p>'")
    # The size is detected by the next sample, so a tile inserted later may be seen earlier.
    eventually(lambda: captured_ranks(page) == [("A", 0)])


@pytest.mark.parametrize("way", ["style", "class", "hidden"])
def test_filtered(show, captured_ranks, way):
    page = show(
        "<style>.gone { display: none }</style>" + row(*map(TILE.format, "ABCD")), view_ms=1500
    )
    page.evaluate(
        """(way) => [...row.children].slice(0, 2).forEach((tile) => {
            if (way === "style") tile.style.display = "none";
            if (way === "class") tile.classList.add("gone");
            if (way === "hidden") tile.hidden = true;
        })""",
        way,
    )
    page.click("[data-nl-product=C]")
    assert captured_ranks(page, "CLICK") == [("C", 0)]


@pytest.mark.parametrize(
    ("rule", "act"),
    [
        (":root:has(:checked) .A", lambda page: page.check("input")),
        (":root:has(:target) .A", lambda page: page.evaluate("location.hash = 'row'")),
        (
            "@media (max-width: 700px) { .A",
            lambda page: page.set_viewport_size({"width": 600, "height": 800}),
        ),
    ],
    ids=["checked", "target", "width"],
)
def test_filtered_by_a_style_alone(show, captured_ranks, rule, act):
    page = show(
        f'<style>{rule} {{ display: none }}</style><input type="checkbox">'
        + row(f'<div class="A">{TILE.format("A")}</div>', *map(TILE.format, "BC")),
        view_ms=5000,
    )
    page.click("[data-nl-product=A]")
    act(page)
    page.wait_for_function("() => !document.querySelector('.A').checkVisibility()")
    page.evaluate("new Promise(requestAnimationFrame)")
    page.click("[data-nl-product=B]")
    assert captured_ranks(page, "CLICK") == [("A", 0), ("B", 0)]


@pytest.mark.parametrize("late", [False, True], ids=["present", "attached later"])
@pytest.mark.parametrize("nested", [False, True], ids=["one", "nested"])
def test_shadow_root(show, ledger, late, nested):
    attach = """
        const root = document.querySelector("#host").attachShadow({ mode: "open" });
        const inner = NESTED
            ? root.appendChild(document.createElement("div")).attachShadow({ mode: "open" }) : root;
        inner.innerHTML = '<ul data-nl-list="deep"><li data-nl-product="A">A</li>'
            + '<li data-nl-product="B"><b id="b">B</b></li></ul>';
    """.replace("NESTED", str(nested).lower())
    page = show(
        SEARCH.format('<div id="host"></div>')
        + ("" if late else f"<script>{{ {attach} }}</script>")
    )
    if late:
        ledger.wait_for_all(page)
        page.evaluate(f"() => {{ {attach} }}")
    ledger.wait_for_all(page)
    page.click("#b")
    assert sorted(summarize(ledger.wait_for_all(page))) == [
        ("CLICK_PRODUCT", "B", 1, "chair"),
        ("VIEW_PRODUCT", "A", 0, "chair"),
        ("VIEW_PRODUCT", "B", 1, "chair"),
    ]


def test_hosts_that_are_list_and_tiles(show, captured_ranks):
    """The attributes are on custom elements, the content in their own shadow trees."""
    shadow = '<template shadowrootmode="open">{}</template>'
    content = '<style>:host { display: contents }</style><p style="height: 50px">A</p>'
    page = show(
        SEARCH.format(
            '<x-grid data-nl-list="l">'
            + shadow.format('<b data-nl-product="A">A</b><slot></slot>')
            + f'<x-card data-nl-product="B">{shadow.format(content)}</x-card></x-grid>'
        )
    )
    assert captured_ranks(page) == [("A", 0), ("B", 1)]


def test_custom_element_defined_later(show, ledger):
    page = show(SEARCH.format("<x-list></x-list>"))
    ledger.wait_for_all(page)
    page.evaluate(
        """() => customElements.define("x-list", class extends HTMLElement {
            connectedCallback() {
                this.attachShadow({ mode: "open" }).innerHTML =
                    '<div data-nl-list="l"><p data-nl-product="A">A</p></div>';
            }
        })"""
    )
    assert summarize(ledger.wait_for_all(page)) == [("VIEW_PRODUCT", "A", 0, "chair")]


def test_tile_inserted_into_a_shadow_root(show, ledger):
    page = show(
        SEARCH.format(
            '<div id="host"><template shadowrootmode="open">'
            '<div data-nl-list="l"></div></template></div>'
        )
    )
    ledger.wait_for_all(page)
    page.evaluate(
        """() => {
            document.querySelector("#host").shadowRoot.firstElementChild.innerHTML =
                '<p data-nl-product="A">A</p>';
        }"""
    )
    assert summarize(ledger.wait_for_all(page)) == [("VIEW_PRODUCT", "A", 0, "chair")]


def test_slotted_tile(show, ledger):
    """The context where they are rendered applies to slotted elements, and then their host's."""
    page = show(
        SEARCH.format(
            '<div id="host"><template shadowrootmode="open">'
            '<div data-nl-list="l" data-nl-query="oak"><slot name="l"></slot></div>'
            "<div data-nl-ignore><slot name='i'></slot></div><slot></slot></template>"
            '<p data-nl-product="A">A</p><p data-nl-product="B" slot="l">B</p>'
            '<p data-nl-product="C" slot="i">C</p>'
            '<p data-nl-product="D" slot="l"><i>D</i></p></div>'
        )
    )
    seen = [
        ("VIEW_PRODUCT", "A", None, "chair"),
        ("VIEW_PRODUCT", "B", 0, "oak"),
        ("VIEW_PRODUCT", "D", 1, "oak"),
    ]
    assert sorted(summarize(ledger.wait_for_all(page)), key=str) == seen
    page.click("i")
    assert summarize(ledger.wait_for_all(page))[3:] == [("CLICK_PRODUCT", "D", 1, "oak")]


def test_content_slotted_into_a_tile(show, ledger):
    page = show(
        SEARCH.format(
            '<div><template shadowrootmode="open"><a data-nl-product="A" href="#a">'
            "<slot></slot></a></template><p>Chair</p></div>"
        )
    )
    ledger.wait_for_all(page)
    page.click("p")
    assert summarize(ledger.wait_for_all(page))[1:] == [("CLICK_PRODUCT", "A", None, "chair")]


def test_virtualized_list(show, captured_ranks):
    """Ten rows are recycled for a hundred products during scrolling."""
    page = show(
        SEARCH.format(
            """<div id="view" style="height: 200px; overflow: auto">
            <div data-nl-list="rows" id="rows" style="height: 5000px; position: relative"></div>
            </div>
            <script>
            const draw = () => {
                const first = Math.max(0, Math.floor(view.scrollTop / 50) - 2);
                for (let index = 0; index < 10; index++) {
                    const row = rows.children[index]
                        || rows.appendChild(document.createElement("div"));
                    row.dataset.nlProduct = "P" + (first + index);
                    row.style = `position: absolute; height: 50px; top: ${(first + index) * 50}px`;
                    row.textContent = row.dataset.nlProduct;
                }
            };
            view.addEventListener("scroll", draw);
            draw();
            </script>"""
        )
    )
    assert captured_ranks(page) == [(f"P{index}", index) for index in range(4)]
    for top in range(50, 451, 50):
        page.evaluate("(top) => { document.querySelector('#view').scrollTop = top; }", top)
        captured_ranks(page)
    assert dict(captured_ranks(page)) == {f"P{index}": index for index in range(13)}


def test_more_of_a_list(show, captured_ranks):
    page = show(row(*map(TILE.format, "AB")))
    assert captured_ranks(page) == [("A", 0), ("B", 1)]
    page.evaluate(
        """(tiles) => {
            row.insertAdjacentHTML("beforeend", tiles);
            row.insertAdjacentHTML("afterend",
                '<div data-nl-list="row" data-nl-offset="24"><p data-nl-product="Z">Z</p></div>');
        }""",
        "".join(map(TILE.format, "CD")),
    )
    assert captured_ranks(page) == [*IN_ORDER, ("Z", 24)]


SOURCES = """
<div data-nl-list="l"><p data-nl-product="A" data-nl-index="7">A</p>
<p data-nl-product="B" aria-posinset="3">B</p><p data-nl-product="C">C</p></div>
<p data-nl-product="D">D</p>
"""


def test_source_of_a_rank(show, ledger):
    page = show("")
    page.evaluate(
        """(markup) => {
            window.sources = {};
            neuralens("on", "event", (event) => { sources[event.items[0].id] = event.rankSource; });
            document.body.innerHTML = markup;
        }""",
        SOURCES,
    )
    events = ledger.wait_for_all(page)
    sources = page.evaluate("sources")
    assert {name: sources.get(name) for name in "ABCD"} == {
        "A": "explicit",
        "B": "posinset",
        "C": "order",
        "D": None,
    }
    assert all("rankSource" not in event for event in events)
