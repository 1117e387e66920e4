"""The audit: the captured events and problems of a page, and its output formats."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from neuralens_embed.attributes import KNOWN
from neuralens_embed.audit import Event, Problem, audit
from neuralens_embed.cli import main
from neuralens_embed.reports import describe
from neuralens_embed.snippet import RUNTIMES, Snippet
from neuralens_tracker import attributes as names

from tests.markups import MARKUPS

TAG = '<script src="/nl/neuralens.js" data-app-id="A"></script>'
INERT_TAG = TAG.replace("<script", '<script type="text/plain"')
PAGE = """\
<!doctype html>
<script async src="/nl/neuralens.js" data-app-id="APP" data-page="CATEGORY_PAGE"></script>
<ul data-nl-query="oak &amp; elm" data-nl-page="SEARCH_RESULT_PAGE" data-nl-list data-nl-offset=24>
<li data-nl-product="A1"><button data-nl-action="favorite"></button>
<li data-nl-ignore><b data-nl-product="AD"></b>
<li data-nl-product="A1">
<li data-nl-product="A2">
</ul>
<div data-nl-suggestions><input role="combobox" aria-controls="box"></div>
<div role="listbox" id="box"><div role="option">oak <b>table</b></div></div>
<article data-nl-landing="L1"><a data-nl-action="share" href="#">Share</a></article>
<ol data-nl-purchase="7"><li data-nl-product="P1"><li data-nl-product="P2"></ol>
<i data-nl-product="A9"></i>
"""
WRONG = '<p>\n<i data-nl-product="a,b:100%" data-nl-index="x">'


def run(*arguments: str, page: str | None = None) -> Result:
    return CliRunner().invoke(main, ["audit", *arguments], input=page)


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a local server that serves PAGE, and redirects from /away."""

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


@pytest.mark.parametrize("name", MARKUPS)
def test_markup(name: str) -> None:
    report = audit(MARKUPS[name].body)
    assert [describe(event) for event in report.events] == MARKUPS[name].events
    assert [problem.attribute for problem in report.problems] == MARKUPS[name].wrong


def test_captured_events() -> None:
    result = run(page=PAGE)
    assert result.exit_code == 0
    results = 'page SEARCH_RESULT_PAGE, query "oak & elm"'
    assert result.output.splitlines() == [
        f'standard input:4: VIEW_PRODUCT, "A1", index 24, {results}',
        f'standard input:4: CLICK_PRODUCT, "A1", index 24, {results}',
        f'standard input:4: FAVORITE, "A1", index 24, {results}',
        f'standard input:6: CLICK_PRODUCT, "A1", index 24, {results}',
        f'standard input:7: VIEW_PRODUCT, "A2", index 25, {results}',
        f'standard input:7: CLICK_PRODUCT, "A2", index 25, {results}',
        'standard input:10: VIEW_SUGGESTION, "oak table", index 0, page AUTOCOMPLETE',
        'standard input:10: CLICK_SUGGESTION, "oak table", index 0, page AUTOCOMPLETE',
        'standard input:11: LAND_PRODUCT_PAGE, "L1", page PRODUCT_PAGE',
        'standard input:11: SHARE, "L1", page PRODUCT_PAGE',
        'standard input:12: PURCHASE, "P1" "P2", page CATEGORY_PAGE',
        'standard input:13: VIEW_PRODUCT, "A9", page CATEGORY_PAGE',
        'standard input:13: CLICK_PRODUCT, "A9", page CATEGORY_PAGE',
        "standard input: 3 VIEW_PRODUCT, 4 CLICK_PRODUCT, 1 VIEW_SUGGESTION, 1 CLICK_SUGGESTION,"
        " 1 LAND_PRODUCT_PAGE, 1 FAVORITE, 1 SHARE, 1 PURCHASE, 0 wrong; script tag: line 2",
    ]


@pytest.mark.parametrize(
    ("markup", "attribute", "message"),
    [
        (
            '<b data-nl-product="a" data-nl-page="HOME">',
            "data-nl-page",
            'data-nl-page="HOME" is wrong: it must be one of SEARCH',
        ),
        (
            '<b data-nl-product="a" data-nl-page="CATEGORY">',
            "data-nl-page",
            'data-nl-page="CATEGORY" is wrong: did you mean CATEGORY_PAGE?',
        ),
        (
            '<i data-nl-product="">',
            "data-nl-product",
            'data-nl-product="" is wrong: it must be text',
        ),
        (
            "<i data-nl-suggestion>",
            "data-nl-suggestion",
            'data-nl-suggestion="" is wrong: it must be',
        ),
        (
            '<i data-nl-product="a" data-nl-index="-1">',
            "data-nl-index",
            'data-nl-index="-1" is wrong: it must be a whole number from 0',
        ),
        (
            '<i data-nl-list data-nl-offset="1.5"><b data-nl-product="a">',
            "data-nl-offset",
            'data-nl-offset="1.5" is wrong: it must be a whole number',
        ),
        (
            '<i data-nl-offset="x"><b data-nl-product="a">',
            "data-nl-offset",
            'data-nl-offset="x" is wrong: it must be a whole number from 0',
        ),
        (
            '<i data-nl-confirm="soon">',
            "data-nl-confirm",
            'data-nl-confirm="soon" is wrong: it must be a whole number from 0',
        ),
        (
            '<i data-nl-index="1">',
            "data-nl-index",
            "data-nl-index is not on an item: put it on the element with data-nl-product or",
        ),
        (
            '<i data-nl-product="a"><b data-nl-action="favourite">',
            "data-nl-action",
            'data-nl-action="favourite" is wrong: did you mean favorite?',
        ),
        (
            '<b data-nl-action="share">',
            "data-nl-action",
            "it must be inside [data-nl-product],[data-nl-landing]",
        ),
        (
            '<i data-nl-purchase="7">',
            "data-nl-purchase",
            "it must be text, around [data-nl-product]",
        ),
        (
            '<i data-nl-prodct="a">',
            "data-nl-prodct",
            "data-nl-prodct is not a tracker attribute: did you mean data-nl-product?",
        ),
        (
            '<i data-nl-x="a">',
            "data-nl-x",
            "data-nl-x is not a tracker attribute: use data-nl-page",
        ),
        (
            f'<i data-nl-product="{"a" * 513}">',
            "data-nl-product",
            "data-nl-product has 513 characters: give at most 512",
        ),
        (
            f'<i data-nl-query="{"a" * 513}"><b data-nl-product="a">',
            "data-nl-query",
            "data-nl-query has 513 characters: give at most 512",
        ),
        (
            '<script src="/nl/neuralens.js"></script>',
            "data-app-id",
            "the script tag has no data-app-id: give the application's id",
        ),
        (
            '<script src="/nl/neuralens.early.js?v=1"></script>',
            "data-app-id",
            "the script tag has no data-app-id",
        ),
        ('<script data-app-id=""></script>', "data-app-id", 'data-app-id="" is wrong: it must be'),
        (
            '<script data-app-id="A" data-debug="x"></script>',
            "data-debug",
            'data-debug="x" is wrong: it must be true or false',
        ),
        (
            '<script data-app-id="A" data-consent="pendign"></script>',
            "data-consent",
            'data-consent="pendign" is wrong: did you mean pending?',
        ),
        (
            '<script data-app-id="A" data-pag="x"></script>',
            "data-pag",
            "data-pag is not a setting: did you mean data-page?",
        ),
    ],
)
def test_problems(markup: str, attribute: str, message: str) -> None:
    html = f"<p>\n{markup}\n"
    (problem,) = audit(html).problems
    assert (problem.line, problem.attribute) == (2, attribute)
    assert message in problem.message
    result = run(page=html)
    assert result.exit_code == 1
    assert f"standard input:2: wrong: {problem.message}" in result.output.splitlines()


@pytest.mark.parametrize("name", ["cookieconsent", "category", "usercentrics", "type", "name"])
def test_attributes_of_consent_platforms_are_no_misspelled_settings(name: str) -> None:
    tag = f'<script src="/nl/neuralens.js" data-app-id="A" data-{name}="statistics"></script>'
    assert audit(tag).problems == []


def test_settings_of_the_tag_apply_to_the_page() -> None:
    tag = '<script data-app-id="A" data-page="CATEGORY_PAGE" data-query="sofa"></script>'
    (view, click) = audit(f'{tag}<i data-nl-product="a">').events
    assert view == Event("VIEW_PRODUCT", ("a",), None, "CATEGORY_PAGE", "sofa", 1)
    assert click == Event("CLICK_PRODUCT", ("a",), None, "CATEGORY_PAGE", "sofa", 1)


def test_json() -> None:
    result = run("--format", "json", page=WRONG)
    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "events": [
            {
                "event": event,
                "ids": ["a,b:100%"],
                "index": None,
                "page": None,
                "query": None,
                "line": 2,
            }
            for event in ("VIEW_PRODUCT", "CLICK_PRODUCT")
        ],
        "problems": [
            {
                "line": 2,
                "attribute": "data-nl-index",
                "message": 'data-nl-index="x" is wrong: it must be a whole number from 0',
            }
        ],
    }


def test_json_of_several_pages_is_one_object_per_line(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f'<i data-nl-landing="{name}">', "utf-8")
    result = run("--format", "json", str(tmp_path / "a"), str(tmp_path / "b"))
    assert result.exit_code == 0
    reports = [json.loads(line) for line in result.output.splitlines()]
    assert [report["events"][0]["ids"] for report in reports] == [["a"], ["b"]]


def test_annotations_for_github(tmp_path: Path) -> None:
    page = tmp_path / "a,b.html"
    page.write_text('<i data-nl-product="100%\n" data-nl-index="100%\n">', "utf-8")
    result = run("--format", "github", str(page))
    assert result.exit_code == 1
    place = str(page).replace(",", "%2C")
    assert result.output.splitlines() == [
        f"::error file={place},line=1,title=data-nl-index::"
        'data-nl-index="100%25%0A" is wrong: it must be a whole number from 0',
        f"{page}: 1 VIEW_PRODUCT, 1 CLICK_PRODUCT, 1 wrong; no script tag",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path: Path, encoding: str) -> None:
    page = tmp_path / "page.html"
    mark = "\ufeff" if encoding.endswith("e") else ""
    page.write_bytes(f'{mark}<i data-nl-product="Stühle">'.encode(encoding))
    assert f'{page}:1: VIEW_PRODUCT, "Stühle"' in run(str(page)).output.splitlines()


def test_an_unknown_format_is_one_sentence() -> None:
    result = run("--format", "xml", page=PAGE)
    assert result.exit_code == 2
    assert "'xml' is not one of 'text', 'json', 'github'" in result.output


@pytest.mark.parametrize(
    "value",
    [
        "None",
        "null",
        "undefined",
        "{{ product.upc }}",
        "{!! $product->id !!}",
        "{% id %}",
        "<?= $id ?>",
        "[object HTMLElement]",
        "function id() { return 1 }",
        "<Product: oak chair>",
        "<shop.Product object at 0x7f1>",
        "#<Product:0x01>",
        "1,234,567",
        "1\u202f234",
        "{product.id}",
        # Of {product.id + 1}, without quotes.
        "{product.id",
        "{getId(product)}",
        "sku-undefined",
        "['AV768']",
        "€ 129.00",
        "129,95 EUR",
        "oak%20chair",
    ],
)
def test_a_template_mistake_is_not_an_id(value: str) -> None:
    (problem,) = audit(f'<i data-nl-product="{value}">').problems
    assert problem.attribute == "data-nl-product"
    assert f'"{value}" is not an id: ' in problem.message


def test_an_object_is_not_taken_for_json() -> None:
    (problem,) = audit('<i data-nl-product="[object Object]">').problems
    assert "a template has printed an object" in problem.message


@pytest.mark.parametrize(
    "value", ["AV768", "None-such", "1234567", "1,23", "12.345", "nul", "{AF25-4F}"]
)
def test_similar_values_are_ids(value: str) -> None:
    assert audit(f'<i data-nl-product="{value}">').problems == []


@pytest.mark.parametrize(
    ("html", "hint"),
    [
        ("<p>A page</p>", "no script tag"),
        ('{"status": "ok"}', "this is not an HTML page"),
        (TAG, "script tag: line 1"),
        (f"{TAG}\n\n{TAG}", "script tags: lines 1, 3"),
        # As consent platforms want them, of which one runs at most.
        (f"{INERT_TAG}\n\n{TAG}", "script tag: line 3"),
        (f"{INERT_TAG}\n\n{INERT_TAG}", "script tag: line 1"),
    ],
)
def test_the_summary_has_a_hint(html: str, hint: str) -> None:
    assert audit(html).hints == [hint]


@pytest.mark.parametrize(
    ("ids", "value"),
    [
        (["7", "999", "1.234"], "1.234"),
        (["12.345.678"], "12.345.678"),
        (["7", "1234", "1.234"], ""),
        (["AV768", "1.234"], ""),
        (["0.123"], ""),
        (["7", "12"], ""),
    ],
)
def test_ids_that_may_be_printed_numbers_are_a_hint(ids: list[str], value: str) -> None:
    tiles = [f'<i data-nl-product="{item_id}"></i>' for item_id in ids]
    report = audit("\n".join([*tiles, '<i data-nl-suggestion="oak"></i>']))
    assert report.problems == []
    hint = f'"{value}" (line {len(ids)}) looks like a number printed with separators: if so, '
    assert report.hints == ["no script tag", *([f"{hint}print the plain id"] if value else [])]


def test_attributes_for_a_script_are_a_hint() -> None:
    tiles = ["[attr.data-nl-product]", ":data-nl-product", ":data-nl-product"]
    report = audit("\n".join(f'<i {name}="p.id"></i>' for name in tiles))
    assert report.problems == []
    listed = "[attr.data-nl-product] (line 1), :data-nl-product (lines 2, 3)"
    remedy = "audit its result, or use verify"
    assert report.hints == [
        "no script tag",
        f"not run: the script that renders {listed}: {remedy}",
    ]


def test_a_second_tag_is_reported() -> None:
    (problem,) = audit(f"{TAG}\n\n{TAG}").problems
    assert (problem.line, problem.attribute) == (3, "src")
    assert "only the script tag on line 1 has an effect" in problem.message
    assert audit(f"{INERT_TAG}\n\n{TAG}").problems == []


@pytest.mark.parametrize("versioned", [True, False])
def test_an_integrity_that_browsers_refuse_is_reported(versioned: bool) -> None:
    """At an address without a version, or with that of another file than the integrity."""
    made = str(Snippet("A", versioned=versioned))
    assert audit(made).problems == []
    (problem,) = audit(made.replace("sha384-", "sha384-A")).problems
    assert (problem.line, problem.attribute) == (1, "integrity")
    assert problem.message.startswith("its integrity does not match the built neuralens.js")


def test_an_integrity_of_another_version_is_a_hint() -> None:
    """The relay may serve that version at the address that names it."""
    made = str(Snippet("A")).replace("sha384-", "sha384-A").replace("?v=", "?v=A")
    version = re.search(r"[?]v=([^\"]*)", made)[1]
    report = audit(made.replace(version, version[:12]))
    assert report.problems == []
    (_, hint) = report.hints
    assert hint.startswith("its integrity does not match the built neuralens.js")


@pytest.mark.parametrize("runtime", list(RUNTIMES))
def test_a_generated_snippet_has_no_problems(runtime: str) -> None:
    made = Snippet("A", runtime=runtime, integrity=False, versioned=False, view_ms=500)
    assert run(page=str(made)).output == "standard input: no events, 0 wrong; script tag: line 1\n"


def test_ignored_markup_has_no_problems() -> None:
    result = run(page='<i data-nl-ignore><b data-nl-product="" data-nl-x="1">')
    summary = "standard input: no events, 0 wrong; no script tag\n"
    assert (result.exit_code, result.output) == (0, summary)


def test_a_file_and_a_local_page(tmp_path: Path, served: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE, "utf-8")
    lines = len(run(page=PAGE).output.splitlines())
    assert len(run(str(file), f"{served}/").output.splitlines()) == 2 * lines


def test_an_unreadable_page_is_one_sentence(served: str) -> None:
    for page, message in {
        "/nowhere/page.html": "cannot read /nowhere/page.html: No such file",
        "https://example.com/": "https://example.com/ is not on this machine",
        f"{served}/away": "http://example.com/ is not on this machine",
        f"{served}/lost": "/lost answered 404",
        "http://127.0.0.1:1/": "cannot reach http://127.0.0.1:1/",
    }.items():
        result = run(page)
        assert result.exit_code == 2
        assert message in result.output
        assert result.output.count("\n") == 1


@given(
    st.lists(
        st.one_of(
            st.builds(
                "<{} {}='{}'>".format,
                st.sampled_from(["li", "div", "p", "td", "input", "script", "template", "svg"]),
                st.sampled_from([*KNOWN, "role", "data-app-id", "aria-controls", "id", "style"]),
                st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"])),
            ),
            st.sampled_from(["</li>", "</div>", "</p>", "</script>", "<!--", "text", "<", "]]>"]),
        )
    )
)
def test_any_markup_can_be_audited(parts: list[str]) -> None:
    html = "\n".join(parts)
    report = audit(html)
    lines = len(html.split("\n"))
    assert all(1 <= problem.line <= lines for problem in report.problems)
    assert all(1 <= event.line <= lines and event.ids for event in report.events)


def test_deeply_nested_markup() -> None:
    html = f"<div {names.PAGE}='AUTOCOMPLETE'>" + "<div>" * 5000 + f"<i {names.PRODUCT}='a'>"
    view, _ = audit(html).events
    assert (view.ids, view.page) == (("a",), "AUTOCOMPLETE")


def test_pages_are_independent() -> None:
    audit(MARKUPS["one product twice in a list"].body)
    assert audit("<p>").events == []
    assert audit('<i data-nl-x="1">').problems == [
        Problem(1, "data-nl-x", audit('<i data-nl-x="1">').problems[0].message)
    ]


@pytest.mark.parametrize(
    "tag", ['{{ nl.context(page="AUTOCOMPLETE") }}', '{% nl_context page="AUTOCOMPLETE" %}']
)
def test_a_template_is_not_a_page(tag: str) -> None:
    (problem,) = audit(f"{TAG}\n<ol {tag}><li>Oak chair</li></ol>").problems
    remedy = "was not rendered: audit the page as the shop serves it, not its template"
    assert (problem.line, problem.message) == (2, f"{tag[:2]} {remedy}")


@pytest.mark.parametrize(
    "query", ["<%= params[:q] %>", "{{ $query }}", "None", "oak &amp;amp; elm"]
)
def test_a_query_that_is_not_rendered_is_reported(query: str) -> None:
    html = f'{TAG}<ol {names.QUERY}="{query}"><li {names.PRODUCT}="A"></ol>'
    (problem,) = audit(html).problems
    assert problem.attribute == names.QUERY
    assert "is not a search text: " in problem.message
    assert audit(html.replace(query, "oak &amp; elm")).problems == []


def test_an_attribute_with_two_values_is_reported() -> None:
    html = '<p>\n<i data-nl-product="A" class="a" data-nl-product="B" data-nl-index="1"></i>'
    (problem,) = audit(html).problems
    assert (problem.line, problem.attribute) == (2, names.PRODUCT)
    assert problem.message.startswith('data-nl-product is there twice: "A" counts, and "B" does')
    assert audit(html.replace('"B"', '"A"')).problems == []


def test_a_script_that_an_asset_pipeline_has_renamed_is_the_tracker() -> None:
    renamed = TAG.replace("neuralens.js", "neuralens.a0ed508b2571.js")
    assert audit(renamed).summary().endswith("script tag: line 1")
    addon = TAG.replace("neuralens.js", "neuralens.ga4.a0ed508b2571.js")
    assert audit(addon).summary().endswith("no script tag")
    (problem,) = audit(TAG + renamed).problems
    assert "the tracker is loaded twice" in problem.message
