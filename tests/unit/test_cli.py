"""The command line: one group, the snippet from options, the audit of pages."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from neuralens_embed import bundles
from neuralens_embed.audit import KNOWN, Audit
from neuralens_embed.cli import COMMANDS, main
from neuralens_embed.snippet import KINDS, RUNTIMES, Snippet, kebab
from neuralens_tracker import attributes as names
from neuralens_tracker.vocabulary import PAGES

PAGE = """\
<!doctype html>
<script async src="/nl/neuralens.js" data-app-id="APP" data-page="CATEGORY_PAGE"></script>
<ul data-nl-query="oak &amp; elm" data-nl-page="SEARCH_RESULT_PAGE" data-nl-list data-nl-offset=24>
<li data-nl-product="A1"><button data-nl-action="favorite">
<li data-nl-ignore><b data-nl-product="AD"></b>
<li data-nl-product="A1">
<li data-nl-product="A2">
<li data-nl-product="A3" data-nl-index="7">
<li data-nl-product="A4" aria-posinset="3">
</ul>
<div data-nl-suggestions><input role="combobox" aria-controls="box"></div>
<div role="listbox" id="box"><div role="option">oak <b>table</b></div></div>
<article data-nl-landing="L1"><a data-nl-action="share" href="#">Share</a></article>
<ol data-nl-purchase="7"><li data-nl-product="P1"><li data-nl-product="P2"></ol>
<i data-nl-product="A9"></i>
"""


def run(*arguments: str, page: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=page)


def audit(page: str) -> list[str]:
    return run("audit", page=page).output.splitlines()


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a server on this machine that serves PAGE, and redirects from /away."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://example.com/")
                self.end_headers()
                return
            self.send_response(200 if self.path == "/" else 404)
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys\nfrom neuralens_embed.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = ('aiohttp', 'starlette', 'neuralens_build.hooks')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *lines, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line]
    assert (
        listed
        == sorted(COMMANDS)
        == sorted(["demo", "relay", "sandbox", "snippet", "build", "audit"])
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_unknown_command_is_one_sentence() -> None:
    result = run("serve")
    assert result.exit_code == 2
    assert "No such command 'serve'" in result.output


def test_the_snippet_from_options() -> None:
    options = ["--page", PAGES[0], "--view-ms", "500", "--nonce", "abc", "--query", '"><b>']
    result = run("snippet", "--app-id", "APP", "--no-integrity", *options)
    assert result.exit_code == 0
    expected = Snippet(
        "APP", page=PAGES[0], view_ms=500, nonce="abc", query='"><b>', integrity=False
    )
    assert result.output == f"{expected}\n"


def test_the_snippet_has_an_option_for_every_setting() -> None:
    listed = run("snippet", "--help").output
    assert [name for name in KINDS if f"--{kebab(name)} " not in listed] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Missing option '--app-id'"),
        (["--app-id", "A", "--page", "HOME"], "page must be one of SEARCH_RESULT_PAGE"),
        (
            ["--app-id", "A", "--runtime", "lua"],
            "runtime must be one of javascript, brython, pyscript",
        ),
        (["--app-id", "A", "--view-ms", "soon"], "view_ms must be a whole number from 0"),
    ],
)
def test_a_wrong_option_is_one_sentence(options: list[str], said: str) -> None:
    result = run("snippet", *options)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_wrong_runtime_is_one_sentence() -> None:
    result = run("snippet", "--app-id", "A", "--runtime", "lua")
    assert (result.exit_code, result.output) == (
        2,
        "Error: runtime must be one of javascript, brython, pyscript, not 'lua'\n",
    )


@pytest.mark.parametrize("runtime", ["brython", "pyscript"])
def test_a_bundle_that_is_not_built_is_one_sentence(tmp_path: Path, runtime: str) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    options = ["--app-id", "A", "--runtime", runtime, "--bundles", str(tmp_path)]
    result = run("snippet", *options)
    assert result.exit_code == 2
    assert f"has no neuralens.{runtime}.js: run `make build` again" in result.output
    assert result.output.count("\n") == 1


def test_what_is_not_built_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "PACKAGE", tmp_path)
    monkeypatch.setattr(bundles, "CHECKOUT", tmp_path)
    result = run("snippet", "--app-id", "APP")
    assert result.exit_code == 2
    assert "make build" in result.output


def test_the_audit_says_what_would_be_captured() -> None:
    result = run("audit", page=PAGE)
    assert result.exit_code == 0
    results = 'page SEARCH_RESULT_PAGE, query "oak & elm"'
    assert result.output.splitlines() == [
        f'standard input:4: VIEW_PRODUCT and CLICK_PRODUCT, "A1", index 24, {results}',
        f'standard input:4: FAVORITE, "A1", index 24, {results}',
        f'standard input:6: VIEW_PRODUCT and CLICK_PRODUCT, "A1", index 24, {results}',
        f'standard input:7: VIEW_PRODUCT and CLICK_PRODUCT, "A2", index 25, {results}',
        f'standard input:8: VIEW_PRODUCT and CLICK_PRODUCT, "A3", index 7, {results}',
        f'standard input:9: VIEW_PRODUCT and CLICK_PRODUCT, "A4", index 2, {results}',
        'standard input:12: VIEW_SUGGESTION and CLICK_SUGGESTION, "oak table", index 0, '
        "page AUTOCOMPLETE",
        'standard input:13: LAND_PRODUCT_PAGE, "L1", page PRODUCT_PAGE',
        'standard input:13: SHARE, "L1", page PRODUCT_PAGE',
        'standard input:14: PURCHASE, "P1" "P2", page CATEGORY_PAGE',
        'standard input:15: VIEW_PRODUCT and CLICK_PRODUCT, "A9", page CATEGORY_PAGE',
    ]


@pytest.mark.parametrize(
    ("markup", "wrong"),
    [
        ('<i data-nl-page="HOME">', 'data-nl-page="HOME" is wrong: it must be one of SEARCH'),
        ('<i data-nl-page="CATEGORY">', "did you mean CATEGORY_PAGE?"),
        ('<i data-nl-product="">', 'data-nl-product="" is wrong: it must be text'),
        ("<i data-nl-suggestion>", 'data-nl-suggestion="" is wrong: it must be text'),
        ('<i data-nl-product="a" data-nl-index="x">', 'data-nl-index="x" is wrong: it must be a'),
        ('<i data-nl-product="a" data-nl-index="-1">', 'data-nl-index="-1" is wrong'),
        ('<i data-nl-offset="1.5">', 'data-nl-offset="1.5" is wrong: it must be a whole number'),
        ('<i data-nl-index="1">', "data-nl-index stands on no item: put it on the element with"),
        ('<i data-nl-product="a"><b data-nl-action="favourite">', "did you mean favorite?"),
        ('<b data-nl-action="share">', "data-nl-action stands in no product: put it inside"),
        ('<i data-nl-purchase="7">', "data-nl-purchase holds no products: put data-nl-product"),
        ('<i data-nl-prodct="a">', "data-nl-prodct is no attribute of the tracker: did you mean"),
        ('<i data-nl-x="a">', "data-nl-x is no attribute of the tracker: there are data-nl-page"),
        (f'<i data-nl-product="{"a" * 513}">', "data-nl-product has 513 characters: give at most"),
        ('<script src="/nl/neuralens.js"></script>', "the script tag has no data-app-id"),
        ('<script data-app-id=""></script>', 'data-app-id="" is wrong: it must be text of 1 to'),
        ('<script data-app-id="A" data-debug="x"></script>', 'data-debug="x" is wrong: it must be'),
        ('<script src="/nl/neuralens.early.js"></script>', "the script tag has no data-app-id"),
        ('<script data-app-id="A" data-pag="x"></script>', "data-pag is no setting: did you mean"),
    ],
)
def test_the_audit_says_what_is_wrong(markup: str, wrong: str) -> None:
    result = run("audit", page=f"<p>\n{markup}\n")
    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if wrong in line] != []
    assert "standard input:2: wrong: " in result.output


@pytest.mark.parametrize("runtime", list(RUNTIMES))
def test_the_audit_knows_its_own_snippet(runtime: str) -> None:
    made = Snippet("A", runtime=runtime, integrity=False, view_ms=500)
    assert run("audit", page=str(made)).output == ""


def test_what_is_ignored_is_not_judged() -> None:
    result = run("audit", page='<i data-nl-ignore><b data-nl-product="" data-nl-x="1">')
    assert (result.exit_code, result.output) == (0, "")


def test_the_audit_of_a_file_and_of_a_local_page(tmp_path: Path, served: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE, "utf-8")
    lines = len(audit(PAGE))
    assert len(run("audit", str(file), f"{served}/").output.splitlines()) == 2 * lines


def test_pages_that_cannot_be_read_are_one_sentence(served: str) -> None:
    for page, said in {
        "/nowhere/page.html": "cannot read /nowhere/page.html: No such file",
        "https://example.com/": "https://example.com/ is not on this machine",
        f"{served}/away": "http://example.com/ is not on this machine",
        f"{served}/lost": "/lost answered 404",
        "http://127.0.0.1:1/": "cannot reach http://127.0.0.1:1/",
    }.items():
        result = run("audit", page)
        assert result.exit_code == 2
        assert said in result.output
        assert result.output.count("\n") == 1


@given(
    st.lists(
        st.one_of(
            st.builds(
                "<{} {}='{}'>".format,
                st.sampled_from(["li", "div", "p", "td", "input", "script"]),
                st.sampled_from([*KNOWN, "role", "data-app-id", "aria-controls", "id"]),
                st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"])),
            ),
            st.sampled_from(["</li>", "</div>", "</p>", "</script>", "<!--", "text", "<", "]]>"]),
        )
    )
)
def test_any_markup_can_be_audited(parts: list[str]) -> None:
    report = Audit("\n".join(parts))
    lines = len("\n".join(parts).split("\n")) + 1
    assert all(1 <= found.line <= lines for found in report.findings())
    assert all(capture.ids for capture in report.captures())


def test_deep_markup_is_no_trouble() -> None:
    depth = 5000
    html = f"<div {names.PAGE}='AUTOCOMPLETE'>" + "<div>" * depth + f"<i {names.PRODUCT}='a'>"
    (capture,) = Audit(html).captures()
    assert (capture.ids, capture.page) == (("a",), "AUTOCOMPLETE")
