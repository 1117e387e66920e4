"""The tracker runs under a strict Content-Security-Policy and gives it nothing to report."""

import pytest

SCRIPTS = {
    "javascript": "'self'",
    "brython": "'self'",
    # PyScript's core makes functions of text; MicroPython alone does not.
    "pyscript": "'self' 'unsafe-eval'",
}
REST = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'"
NONCE = "bm9uY2Utb2YtdGhpcy1wYWdl"
BODY = '<main data-nl-list="a"><button data-nl-product="A">Chair</button></main>'
# Later, for a debugger's own call may do everything.
EVALUATES = """() => new Promise((resolve) => setTimeout(() => {
    try { resolve(eval("true")) } catch { resolve(false) }
}))"""
TRUSTED = "; require-trusted-types-for 'script'; trusted-types 'none'"


@pytest.fixture
def watched(context):
    """A tab that keeps what a page does against its policy."""
    tab = context.new_page()
    tab.add_init_script(
        """window.violations = [];
        addEventListener("securitypolicyviolation", ({ violatedDirective, sourceFile }) =>
            violations.push(`${violatedDirective} ${sourceFile}`));"""
    )
    return tab


def told(events):
    return [(event.name, event.id, event["index"]) for event in events]


def expect_all_captured(page, ledger):
    assert told(ledger.settle(page)) == [("VIEW_PRODUCT", "A", 0)]
    page.click("button")
    assert told(ledger.settle(page))[1:] == [("CLICK_PRODUCT", "A", 0)]
    assert page.evaluate("violations") == []
    assert page.said == []


def test_own_scripts_only(show, ledger, watched, runtime):
    policy = f"script-src {SCRIPTS[runtime]}; {REST}"
    page = show(BODY, tab=watched, headers={"Content-Security-Policy": policy})
    expect_all_captured(page, ledger)
    # The policy is in force.
    assert page.evaluate(EVALUATES) is ("'unsafe-eval'" in policy)


def test_nonce(show, ledger, watched, runtime):
    """The inline stub runs where it carries the page's nonce."""
    policy = f"script-src 'nonce-{NONCE}' {SCRIPTS[runtime]}; {REST}"
    page = show(
        f"""{BODY}
        <script nonce="{NONCE}">neuralens("track", "SHARE", {{ id: "early" }})</script>""",
        tab=watched,
        headers={"Content-Security-Policy": policy},
        stub=True,
        nonce=NONCE,
    )
    seen = ledger.settle(page)
    assert sorted((event.name, event.id) for event in seen) == [
        ("SHARE", "early"),
        ("VIEW_PRODUCT", "A"),
    ]
    assert page.evaluate("violations") == []
    assert page.said == []


def test_trusted_types(show, ledger, watched, runtime):
    if runtime != "javascript":
        pytest.skip("the runtime's own code makes scripts")
    policy = f"script-src 'self'; {REST}{TRUSTED}"
    page = show(BODY, tab=watched, headers={"Content-Security-Policy": policy})
    expect_all_captured(page, ledger)
