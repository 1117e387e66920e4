"""The tracker runs under a strict Content-Security-Policy without violations."""

import pytest

from tests.browser.summaries import select

# The fields of events that matter here.
FIELDS = ("event", "id", "index")

SCRIPTS = {
    "javascript": "'self'",
    "brython": "'self'",
    # PyScript's core needs eval; MicroPython alone does not.
    "pyscript": "'self' 'unsafe-eval'",
}
REST = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'"
NONCE = "bm9uY2Utb2YtdGhpcy1wYWdl"
BODY = '<main data-nl-list="a"><button data-nl-product="A">Chair</button></main>'
# Deferred, because evaluations by a debugger bypass the policy.
EVALUATES = """() => new Promise((resolve) => setTimeout(() => {
    try { resolve(eval("true")) } catch { resolve(false) }
}))"""
TRUSTED = "; require-trusted-types-for 'script'; trusted-types 'none'"


@pytest.fixture
def monitored_tab(context):
    """A tab that collects violations of a page's policy."""
    tab = context.new_page()
    tab.add_init_script(
        """window.violations = [];
        addEventListener("securitypolicyviolation", ({ violatedDirective, sourceFile }) =>
            violations.push(`${violatedDirective} ${sourceFile}`));"""
    )
    return tab


def expect_all_captured(page, ledger):
    assert select(ledger.wait_for_all(page), *FIELDS) == [("VIEW_PRODUCT", "A", 0)]
    page.click("button")
    assert select(ledger.wait_for_all(page), *FIELDS)[1:] == [("CLICK_PRODUCT", "A", 0)]
    assert page.evaluate("violations") == []
    assert page.console_messages == []


def test_own_scripts_only(show, ledger, monitored_tab, runtime):
    policy = f"script-src {SCRIPTS[runtime]}; {REST}"
    page = show(BODY, tab=monitored_tab, headers={"Content-Security-Policy": policy})
    expect_all_captured(page, ledger)
    # The policy is enforced.
    assert page.evaluate(EVALUATES) is ("'unsafe-eval'" in policy)


def test_nonce(show, ledger, monitored_tab, runtime):
    """The inline stub runs if it has the page's nonce."""
    policy = f"script-src 'nonce-{NONCE}' {SCRIPTS[runtime]}; {REST}"
    page = show(
        f"""{BODY}
        <script nonce="{NONCE}">neuralens("track", "SHARE", {{ id: "early" }})</script>""",
        tab=monitored_tab,
        headers={"Content-Security-Policy": policy},
        stub=True,
        nonce=NONCE,
    )
    seen = ledger.wait_for_all(page)
    assert sorted((event.name, event.id) for event in seen) == [
        ("SHARE", "early"),
        ("VIEW_PRODUCT", "A"),
    ]
    assert page.evaluate("violations") == []
    assert page.console_messages == []


def test_trusted_types(show, ledger, monitored_tab, runtime):
    if runtime != "javascript":
        pytest.skip("the runtime's own code makes scripts")
    policy = f"script-src 'self'; {REST}{TRUSTED}"
    page = show(BODY, tab=monitored_tab, headers={"Content-Security-Policy": policy})
    expect_all_captured(page, ledger)
