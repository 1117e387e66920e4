"""A list of 10,000 tiles; on the heavy runtimes, of 2,000, which are more than are seen at once."""

import pytest

from tests.polling import eventually


@pytest.fixture
def count(runtime):
    return 10_000 if runtime == "javascript" else 2_000


def test_all_are_captured(show, ledger, count):
    tiles = "".join(f'<p data-nl-product="P{index}">{index}</p>' for index in range(count))
    page = show(f'<main data-nl-list="results" data-nl-page="CATEGORY_PAGE">{tiles}</main>')
    first = ledger.wait_for_all(page)
    assert [event["index"] for event in first] == list(range(len(first)))
    for index in (count // 2, count - 1):
        page.evaluate(
            "(id) => scrollTo(0, document.querySelector(id).offsetTop - 400)",
            f'[data-nl-product="P{index}"]',
        )
        # Distant tiles are processed last.
        eventually(
            lambda name=f"P{index}": name in [event.id for event in ledger.wait_for_all(page)]
        )
    assert all(event.id == f"P{event['index']}" for event in ledger.wait_for_all(page))
    page.get_by_text(str(count - 1)).click()
    click = ledger.wait_for_all(page)[-1]
    assert (click.name, click["index"]) == ("CLICK_PRODUCT", count - 1)
    assert page.console_messages == []


def test_all_inserted_at_once(show, ledger, count):
    page = show('<main data-nl-list="results"></main>')
    page.evaluate(
        """(count) => {
            document.querySelector("main").innerHTML = Array.from({ length: count }, (_, index) =>
                `<p data-nl-product="P${index}">${index}</p>`).join("");
            scrollTo(0, document.body.scrollHeight);
        }""",
        count,
    )
    page.get_by_text(str(count - 1)).click()
    eventually(lambda: f"P{count - 1}" in [event.id for event in ledger.wait_for_all(page)])
    assert all(event.id == f"P{event['index']}" for event in ledger.wait_for_all(page))


@pytest.mark.parametrize(
    "change",
    [
        "document.querySelectorAll('p:nth-of-type(-n+1190)').forEach((p) => p.remove())",
        "document.body.className = 'short'",
        "document.querySelector('input').click()",
    ],
    ids=["removal", "class", "checkbox"],
)
def test_distant_tiles_that_come_near_without_scrolling(show, ledger, change):
    """After a hundred products, distant ones are not observed until the page changes."""
    tiles = "".join(f'<p data-nl-product="P{index}">{index}</p>' for index in range(1_200))
    rest = "p:nth-of-type(-n + 1190)"
    style = f"<style>.short {rest}, :checked ~ {rest} {{ display: none }}</style>"
    page = show(f"<main>{style}<input type=checkbox>{tiles}</main>")
    ledger.wait_for_all(page)
    page.evaluate(change)
    last = {f"P{index}" for index in range(1_190, 1_200)}
    eventually(lambda: last <= {event.id for event in ledger.wait_for_all(page)})


# Records for each access to stored items and cookies the milliseconds since the page began. In
# Chromium, a listener of changes loads the stored items, too.
ACCESSES = """
    window.accesses = [];
    const began = performance.now();
    function note(owner, name) {
        const found = Object.getOwnPropertyDescriptor(owner, name);
        const noted = (original) => original && function (...values) {
            const isOther = name === "addEventListener" && values[0] !== "storage";
            if (!isOther) accesses.push(performance.now() - began);
            return original.apply(this, values);
        };
        for (const part of ["get", "set", "value"]) {
            if (found[part]) found[part] = noted(found[part]);
        }
        Object.defineProperty(owner, name, found);
    }
    for (const name of ["getItem", "setItem", "removeItem"]) note(Storage.prototype, name);
    note(Document.prototype, "cookie");
    note(EventTarget.prototype, "addEventListener");"""


def test_start_leaves_storage_for_later(show, ledger):
    """The browser blocks the page at the first access, so most of it should have rendered."""
    page = show("<p data-nl-product=A>A</p>", before=ACCESSES, view_ms=1000)
    assert [event.id for event in ledger.wait_for_all(page)] == ["A"]
    # Timers may be a millisecond early.
    assert min(page.evaluate("accesses")) > 298
