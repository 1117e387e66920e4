"""The snippet and the attribute globals, parsed by an HTML parser."""

import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from neuralens_embed import bundles
from neuralens_embed.attributes import MarkupError, report
from neuralens_embed.jinja import install
from neuralens_embed.names import EVERY_SETTING, RELAY_PATH
from neuralens_embed.snippet import VALUE_TYPES, Snippet
from neuralens_tracker import attributes as names
from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.vocabulary import ACTIONS, MAX_COUNT, MAX_TEXT, PAGES

STUB = "window.neuralens=window.neuralens||function(){(window.neuralens.q=window.neuralens.q||[])}"

# Hostile text: markup, quotes, line separators, control characters, lone surrogates.
HOSTILE = st.one_of(
    st.text(st.characters()),
    st.text(st.sampled_from("</script>\"'`=<!--&;#x0\0\t\n\r\f\x0b\x85\u2028\u2029\ud800\udfff ")),
    st.sampled_from(["</script><script>alert(1)</script>", '" onload="alert(1)', "&quot;&#0;"]),
)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built files."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (tmp_path / "pyproject.toml").touch()
    (dist / "neuralens.stub.js").write_text(STUB)
    hashes = {
        "neuralens.js": "sha384-abc+/=",
        "neuralens.early.js": "sha384-early/3456789012",
        "neuralens.ga4.js": "sha384-ga4",
        "neuralens.pyscript.js": "sha384-python+456789012",
    }
    entries = {name: {"integrity": integrity} for name, integrity in hashes.items()}
    (dist / "manifest.json").write_text(json.dumps(entries))
    monkeypatch.setattr(bundles, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(bundles, "CHECKOUT", tmp_path)
    return dist


def parse(html: str) -> list[Element]:
    """Return the elements of a fragment, in order, as a browser parses it."""
    fragment = html5lib.parseFragment(html, namespaceHTMLElements=False)
    return list(fragment.iter())[1:]


def environment(autoescape: bool = True, **defaults: Any) -> jinja2.Environment:
    made = jinja2.Environment(autoescape=autoescape)
    install(made, **{"app_id": "APP", "integrity": False, **defaults})
    return made


def render(expression: str, autoescape: bool = True, **values: Any) -> str:
    template = environment(autoescape).from_string("<i {{ " + expression + " }}></i>")
    return template.render(**values)


def attributes_of(expression: str, **values: Any) -> dict[str, str]:
    element, *others = parse(render(expression, **values))
    assert others == []
    return dict(element.attrib)


def is_representable(text: str) -> bool:
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def is_accepted(value: str) -> bool:
    """Return whether a text may be an id: the tracker trims it."""
    return is_representable(value) and bool(value.strip()) and len(value) <= MAX_TEXT


def test_the_tag_alone(built: Path) -> None:
    assert str(Snippet(app_id="APP")) == (
        '<script async src="/nl/neuralens.js?v=abc-_=" integrity="sha384-abc+/=" '
        'data-app-id="APP"></script>'
    )


def test_the_tag_with_the_stub_and_a_nonce(built: Path) -> None:
    stub, tag = parse(str(Snippet(app_id="APP", stub=True, nonce="bm9uY2U=")))
    assert stub.attrib == {"nonce": "bm9uY2U="}
    assert stub.text == STUB
    assert tag.attrib["nonce"] == "bm9uY2U="
    assert tag.attrib["src"] == "/nl/neuralens.js?v=abc-_="


def test_a_stub_that_would_end_its_element_is_refused(built: Path) -> None:
    (built / "neuralens.stub.js").write_text("x='</SCRIPT>'")
    with pytest.raises(MarkupError, match=r"neuralens\.stub\.js"):
        Snippet(app_id="APP", stub=True).render()


def test_a_relay_on_another_host() -> None:
    made = Snippet(
        app_id="APP",
        src="https://cdn.example/nl/neuralens.js",
        endpoint="https://relay.example/nl/events",
        integrity=False,
    )
    script_host, relay_host, tag = parse(str(made))
    assert script_host.attrib == {
        "rel": "preconnect",
        "href": "https://cdn.example",
        "crossorigin": "anonymous",
    }
    assert relay_host.attrib == {"rel": "preconnect", "href": "https://relay.example"}
    assert tag.attrib["crossorigin"] == "anonymous"


def test_a_relay_on_the_same_host_needs_no_preconnect() -> None:
    (tag,) = parse(str(Snippet(app_id="APP", integrity=False, endpoint="/nl/events")))
    assert "crossorigin" not in tag.attrib


def test_missing_bundles_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "PACKAGE", tmp_path)
    monkeypatch.setattr(bundles, "CHECKOUT", tmp_path)
    with pytest.raises(bundles.NotBuiltError, match="make build"):
        Snippet(app_id="APP").render()


def test_a_bundle_without_a_manifest_entry_is_reported(built: Path) -> None:
    with pytest.raises(bundles.NotBuiltError, match=r"neuralens\.brython\.js"):
        Snippet(app_id="APP", runtime="brython").render()


def test_a_heavy_runtime_is_loaded_by_the_early_script(built: Path) -> None:
    (tag,) = parse(str(Snippet(app_id="APP", runtime="pyscript", pyscript="alone")))
    assert tag.attrib == {
        "async": "",
        "src": "/nl/neuralens.early.js?v=early_345678",
        "integrity": "sha384-early/3456789012",
        "data-src": "/nl/neuralens.pyscript.js?v=python-45678",
        "data-integrity": "sha384-python+456789012",
        "data-pyscript": "alone",
        "data-app-id": "APP",
    }


def test_the_early_script_has_the_folder_of_the_runtime() -> None:
    made = Snippet(
        app_id="APP",
        runtime="brython",
        src="https://cdn.example/nl/neuralens.brython.js",
        integrity=False,
        versioned=False,
    )
    _, tag = parse(str(made))
    assert tag.attrib["src"] == "https://cdn.example/nl/neuralens.early.js"
    assert tag.attrib["data-src"] == "https://cdn.example/nl/neuralens.brython.js"
    assert "data-integrity" not in tag.attrib


def test_an_address_with_the_version_of_the_script(built: Path) -> None:
    made = Snippet(app_id="APP", runtime="pyscript", integrity=False)
    (tag,) = parse(str(made))
    assert tag.attrib["src"] == "/nl/neuralens.early.js?v=early_345678"
    assert tag.attrib["data-src"] == "/nl/neuralens.pyscript.js?v=python-45678"
    (tag,) = parse(str(Snippet(app_id="APP", src="/x.js?a=1")))
    assert tag.attrib["src"] == "/x.js?a=1&v=abc-_="
    assert tag.attrib["integrity"] == "sha384-abc+/="


def test_the_bundles_of_another_folder(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"neuralens.js": {"integrity": "sha384-own"}}')
    (tag,) = parse(str(Snippet(app_id="APP", folder=tmp_path)))
    assert tag.attrib["integrity"] == "sha384-own"
    with pytest.raises(bundles.NotBuiltError, match=f"{tmp_path}.*make build"):
        Snippet(app_id="APP", folder=tmp_path, stub=True).render()


def test_every_setting_is_an_attribute() -> None:
    values: dict[str, Any] = {
        "endpoint": "/x/events",
        "uid": "u1",
        "page": PAGES[0],
        "query": "chair",
        "consent": "pending",
        "respect_gpc": False,
        "view_ms": 500,
        "suggestion_ms": 0,
        "geo_decimals": 2,
        "attribution_ms": 60000,
        "token": "1795626000.x",
        "debug": True,
        "ga4_index_base": 1,
        "onetrust_group": "C0003",
    }
    assert set(values) | {"app_id"} == set(VALUE_TYPES)
    assert len(VALUE_TYPES) == len(EVERY_SETTING)
    tag, *_ = parse(str(Snippet(app_id="APP", integrity=False, addons=ADDONS, **values)))
    assert {name: value for name, value in tag.attrib.items() if name.startswith("data-")} == {
        "data-app-id": "APP",
        "data-endpoint": "/x/events",
        "data-uid": "u1",
        "data-page": PAGES[0],
        "data-query": "chair",
        "data-consent": "pending",
        "data-respect-gpc": "false",
        "data-view-ms": "500",
        "data-suggestion-ms": "0",
        "data-geo-decimals": "2",
        "data-attribution-ms": "60000",
        "data-token": "1795626000.x",
        "data-debug": "true",
        "data-ga4-index-base": "1",
        "data-onetrust-group": "C0003",
    }


def test_an_addon_has_its_own_tag(built: Path) -> None:
    made = Snippet(
        "APP", src="https://cdn.example/nl/neuralens.js", addons=["ga4"], nonce="bm9uY2U="
    )
    *_, tag, addon = parse(str(made))
    assert tag.attrib["src"].startswith("https://cdn.example/nl/neuralens.js?v=")
    assert addon.attrib == {
        "async": "",
        "src": "https://cdn.example/nl/neuralens.ga4.js?v=ga4",
        "integrity": "sha384-ga4",
        "crossorigin": "anonymous",
        "nonce": "bm9uY2U=",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"addons": ["ga5"]}, "addons must be one of ga4"),
        ({"addons": "ga4"}, "addons must be a list, not 'ga4'"),
        ({"ga4_index_base": 1}, "ga4_index_base is a setting of ga4: put that into addons"),
        ({"addons": ["ga4"], "ga4_index_base": "one"}, "ga4_index_base must be a whole number"),
    ],
)
def test_an_invalid_addon_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MarkupError, match=message):
        Snippet("APP", integrity=False, **settings)


def test_settings_that_are_none_are_omitted() -> None:
    (tag,) = parse(str(Snippet(app_id="APP", integrity=False, uid="", query="", page=None)))
    assert set(tag.attrib) == {"async", "src", "data-app-id"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"page": "SEARCH"}, "page must be one of SEARCH_RESULT_PAGE, .*'SEARCH'"),
        ({"consent": "maybe"}, "consent must be one of granted.*'maybe'"),
        ({"view_ms": -1}, "view_ms must be .*-1"),
        ({"view_ms": float("nan")}, "view_ms must be .*nan"),
        ({"debug": "yes"}, "debug must be true or false, not 'yes'"),
        ({"veiw_ms": 1}, "no setting veiw_ms: did you mean view_ms"),
        ({"query": b"oak"}, "query must be text, not b'oak'"),
        ({"app_id": ""}, "app_id must be text of 1 to"),
        ({"uid": " "}, "uid must be text of 1 to"),
        ({"app_id": None}, "app_id must be text of 1 to"),
        ({"uid": "a\0"}, "uid must be text without NUL"),
        ({"src": "javascript:alert(1)"}, "src must be a path or an http or https URL"),
        ({"src": "data:text/javascript,1"}, "src must be a path or an http or https URL"),
        ({"src": "https://[::1"}, "src must be a path or an http or https URL"),
        ({"src": "https://x:99999/a.js"}, "src must be a path or an http or https URL"),
        ({"src": "https://"}, "src must be a path or an http or https URL"),
        ({"endpoint": "//"}, "endpoint must be a path or an http or https URL"),
        ({"endpoint": "java\nscript:x"}, "endpoint must be a path or an http or https URL"),
        ({"nonce": "a b"}, "nonce must be base64 text"),
        ({"runtime": "lua"}, "runtime must be one of javascript, brython, pyscript, not 'lua'"),
        ({"pyscript": "core", "runtime": "pyscript"}, "pyscript must be one of alone, not 'core'"),
        ({"pyscript": "alone"}, "pyscript is for the runtime pyscript, not javascript"),
        ({"crossorigin": "yes"}, "crossorigin must be one of anonymous"),
    ],
)
def test_an_invalid_setting_is_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(MarkupError, match=named):
        Snippet(**{"app_id": "APP", "integrity": False, **values})


@given(app_id=HOSTILE, query=HOSTILE)
def test_hostile_settings_are_escaped(app_id: str, query: str) -> None:
    try:
        made = str(Snippet(app_id=app_id, query=query, integrity=False))
    except MarkupError:
        assert not is_accepted(app_id)
        return
    (tag,) = parse(made)
    assert (tag.tag, tag.text) == ("script", None)
    assert tag.attrib["data-app-id"] == app_id
    kept = "".join(c if is_representable(c) else "\ufffd" for c in query[:MAX_TEXT])
    assert tag.attrib.get("data-query", "") == kept
    assert set(tag.attrib) <= {"async", "src", "data-app-id", "data-query"}


@pytest.mark.parametrize("autoescape", [True, False])
@given(value=HOSTILE)
def test_hostile_ids_are_escaped(autoescape: bool, value: str) -> None:
    try:
        html = render("nl.product(value)", autoescape, value=value)
    except MarkupError:
        assert not is_accepted(value)
        return
    (element,) = parse(html)
    assert element.attrib == {names.PRODUCT: value}


@given(value=HOSTILE)
def test_hostile_queries_never_raise(value: str) -> None:
    found = attributes_of("nl.context(query=value)", value=value)
    kept = "".join(c if is_representable(c) else "\ufffd" for c in value[:MAX_TEXT])
    assert found == {names.QUERY: kept}


@given(value=HOSTILE)
def test_markup_counts_as_text(value: str) -> None:
    if is_accepted(value):
        found = attributes_of("nl.suggestion(value)", value=Markup(value))
        assert found == {names.SUGGESTION: value}


def test_the_attributes() -> None:
    assert attributes_of("nl.product('AV768', 3, page='CATEGORY_PAGE', query='x')") == {
        names.PRODUCT: "AV768",
        names.INDEX: "3",
        names.PAGE: "CATEGORY_PAGE",
        names.QUERY: "x",
    }
    assert attributes_of("nl.product(42)") == {names.PRODUCT: "42"}
    assert attributes_of("nl.suggestion('oak table', index=0)") == {
        names.SUGGESTION: "oak table",
        names.INDEX: "0",
    }
    assert attributes_of("nl.suggestions()") == {names.SUGGESTIONS: ""}
    assert attributes_of("nl.context(page='AUTOCOMPLETE', query='', list='', offset=24)") == {
        names.PAGE: "AUTOCOMPLETE",
        names.QUERY: "",
        names.LIST: "",
        names.OFFSET: "24",
    }
    assert attributes_of("nl.context()") == {}
    assert attributes_of("nl.landing('AV768')") == {names.LANDING: "AV768"}
    assert attributes_of("nl.purchase('2024-7')") == {names.PURCHASE_ORDER: "2024-7"}
    assert attributes_of("nl.ignore()") == {names.IGNORE: ""}
    for action in ACTIONS:
        assert attributes_of(f"nl.action('{action}')") == {names.ACTION: action}


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("nl.product('')", "nl.product: id must be text of 1 to 512 characters, not ''"),
        ("nl.product(nothing)", "nl.product: id must be text .*Undefined"),
        ("nl.product(none)", "nl.product: id must be text .*None"),
        ("nl.product(true)", "nl.product: id must be text .*True"),
        ("nl.product('a' * 513)", "nl.product: id must be text of 1 to 512"),
        ("nl.product('a', '3')", "nl.product: index must be a whole number from 0 to .*'3'"),
        ("nl.product('a', -1)", "nl.product: index must be .*-1"),
        ("nl.product('a', 1.5)", r"nl.product: index must be .*1\.5"),
        ("nl.product('a', most + 1)", "nl.product: index must be"),
        ("nl.suggestion('')", "nl.suggestion: value must be text"),
        ("nl.landing(none)", "nl.landing: id must be text"),
        ("nl.purchase('')", "nl.purchase: order must be text"),
        ("nl.action('like')", "nl.action: name must be one of add-to-cart, .*'like'"),
        ("nl.context(page='HOME')", "nl.context: page must be one of .*'HOME'"),
        ("nl.context(offset='24')", "nl.context: offset must be a whole number"),
        ("nl.context(list=[1])", r"nl.context: list must be text .*\[1\]"),
        ("nl.context(query=[3])", r"nl.context: query must be text, not \[3\]"),
    ],
)
def test_an_invalid_value_is_refused(expression: str, named: str) -> None:
    with pytest.raises(MarkupError, match=named):
        render(expression, most=MAX_COUNT)


def test_the_snippet_in_a_template_has_defaults() -> None:
    made = environment(page="CATEGORY_PAGE")
    html = made.from_string("{{ neuralens_snippet(query=query) }}").render(query='"><b>')
    (tag,) = parse(html)
    assert tag.attrib["data-app-id"] == "APP"
    assert tag.attrib["data-page"] == "CATEGORY_PAGE"
    assert tag.attrib["data-query"] == '"><b>'


def test_a_snippet_renders_in_a_template() -> None:
    made = Snippet(app_id="APP", integrity=False)
    html = jinja2.Environment(autoescape=True).from_string("{{ made }}").render(made=made)
    assert html == str(made)


def test_a_prefix_sets_the_address_and_the_endpoint() -> None:
    (tag,) = parse(str(Snippet(app_id="APP", prefix="/track/", integrity=False, versioned=False)))
    assert tag.attrib["src"] == "/track/neuralens.js"
    assert tag.attrib["data-endpoint"] == "/track/events"


def test_a_prefix_that_depends_on_the_page_is_refused() -> None:
    with pytest.raises(MarkupError, match="prefix must be a URL or begin with /, not 'nl'"):
        Snippet(app_id="APP", prefix="nl/")
    for prefix in ("/", "//shop.example/nl", "https://shop.example/nl"):
        assert Snippet(app_id="APP", prefix=prefix).src.startswith(prefix)


def test_the_prefix_is_that_of_the_default_endpoint() -> None:
    default = EVERY_SETTING["endpoint"].default
    assert (RELAY_PATH, default) == ("/nl", "/nl/events")


class Lazy:
    """A lazy string of a framework, evaluated when it is read."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Pretending(Lazy):
    """A lazy string that also pretends to be a str, as some of Django's do."""

    @property
    def __class__(self) -> type:
        return str


SOME_UUID = uuid.UUID("7b4a0f7e-4c5d-4a52-9d0b-2f1b43c9a001")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (SOME_UUID, str(SOME_UUID)),
        (Decimal("17"), "17"),
        (42, "42"),
        (Lazy("AV768"), "AV768"),
        (Pretending("AV768"), "AV768"),
        (Markup("A&B"), "A&B"),
    ],
    ids=["UUID", "Decimal", "int", "lazy", "pretending", "Markup"],
)
def test_ids_of_other_types(value: Any, text: str) -> None:
    assert attributes_of("nl.product(id)", id=value) == {names.PRODUCT: text}


@pytest.mark.parametrize("value", [None, True, 1.5, b"AV768", ["AV768"], {}, object(), ""])
def test_ids_of_invalid_types_are_refused(value: Any) -> None:
    with pytest.raises(MarkupError, match=r"nl\.product: id"):
        render("nl.product(id)", id=value)


def test_a_lazy_nonce_and_uid_are_read_when_they_are_rendered() -> None:
    made = Snippet("APP", nonce=Pretending("bm9uY2U="), uid=Lazy("u1"), integrity=False)
    (tag,) = parse(str(made))
    assert tag.attrib["nonce"] == "bm9uY2U="
    assert tag.attrib["data-uid"] == "u1"


def test_without_strict_an_invalid_value_is_omitted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    report.cache_clear()
    template = environment(strict=False).from_string(
        "<i {{ nl.product('A', index=-1) }}></i><i {{ nl.product(none) }}></i>"
        "{{ neuralens_snippet(uid=' ', view_ms=200) }}"
    )
    for _ in range(3):
        first, second, tag = parse(template.render())
    assert first.attrib == {names.PRODUCT: "A"}
    assert second.attrib == {}
    assert tag.attrib["data-view-ms"] == "200"
    assert "data-uid" not in tag.attrib
    logged = sorted(record.getMessage().split(" must ")[0] for record in caplog.records)
    assert logged == [
        "left out of the page: nl.product: id",
        "left out of the page: nl.product: index",
        "left out of the page: uid",
    ]


@pytest.mark.parametrize(
    "wrong", [{"prefix": "nl"}, {"app_id": ""}, {"runtime": "python"}, {"ga4_index_base": 1}]
)
def test_without_strict_a_snippet_that_cannot_be_made_is_empty(
    wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    report.cache_clear()
    template = "{{ neuralens_snippet() }}"
    for _ in range(2):
        assert environment(strict=False, **wrong).from_string(template).render() == ""
    (record,) = caplog.records
    assert record.getMessage().startswith("left out of the page: the snippet, because ")
    with pytest.raises(MarkupError):
        environment(**wrong).from_string(template).render()


def test_values_may_be_functions_of_the_context() -> None:
    template = environment(uid=lambda context: context["user"]).from_string(
        "{{ neuralens_snippet() }}"
    )
    for user in ("u1", "u2"):
        (tag,) = parse(template.render(user=user))
        assert tag.attrib["data-uid"] == user


def test_str_of_a_snippet_is_markup() -> None:
    assert isinstance(Snippet("APP", integrity=False).__str__(), Markup)
