"""Pages that change permanently, or throw when they are read."""

from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "id", "index")

TILES = "".join(f'<li data-nl-product="P{index}">{index}</li>' for index in range(3))
PAGE = f'<ol data-nl-list="l" data-nl-page="CATEGORY_PAGE">{TILES}</ol><p id="noise">0</p>'


VIEWS = [("VIEW_PRODUCT", f"P{index}", index) for index in range(3)]


def test_permanent_mutations(show, ledger):
    """Views are captured once, while the page changes as often as it can."""
    page = show(
        PAGE,
        before="""
        window.rounds = 0;
        const storm = () => {
            const noise = document.querySelector("#noise");
            if (noise) {
                for (let change = 0; change < 50; change += 1) {
                    noise.className = `c${rounds}-${change}`;
                    noise.textContent = `${rounds} ${change}`;
                    noise.toggleAttribute("hidden");
                    const made = document.createElement("i");
                    noise.append(made);
                    made.remove();
                }
                // The list is drawn again as it was, too.
                const tile = document.querySelector("li");
                tile.replaceWith(tile.cloneNode(true));
                rounds += 1;
            }
            if (rounds < 2000) setTimeout(storm);
        };
        storm();""",
    )
    page.click("li >> nth=1")
    page.wait_for_function("rounds > 200")
    page.evaluate("rounds = 2000")
    assert sorted(select(ledger.wait_for_all(page), *FIELDS)) == [
        ("CLICK_PRODUCT", "P1", 1),
        *VIEWS,
    ]
    assert page.console_messages == []


def test_a_custom_element_that_throws_when_it_is_read(show, ledger):
    page = show(
        PAGE.replace("<p ", "<x-thrower data-nl-product='X'>X</x-thrower><p "),
        before="""
        const throws = () => { throw new Error("do not read me"); };
        const names = ["closest", "matches", "getAttribute", "hasAttribute", "querySelectorAll",
            "querySelector", "getBoundingClientRect", "getClientRects", "checkVisibility",
            "getRootNode", "contains", "textContent", "innerHTML", "outerHTML", "parentElement",
            "parentNode", "childNodes", "children", "shadowRoot", "isConnected", "nodeType",
            "dataset", "id", "className", "hidden", "value", "toString", "tagName"];
        customElements.define("x-thrower", class extends HTMLElement {
            constructor() {
                super();
                for (const name of names) {
                    Object.defineProperty(this, name, { get: throws, configurable: true });
                }
            }
        });""",
    )
    page.evaluate("document.querySelector('x-thrower').click()")
    events = sorted(select(ledger.wait_for_all(page), *FIELDS))
    assert events == [("CLICK_PRODUCT", "X", None), *VIEWS, ("VIEW_PRODUCT", "X", None)]
    assert [line for line in page.console_messages if line.startswith("thrown")] == []
