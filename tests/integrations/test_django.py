"""``neuralens_django`` without a browser: tags, settings, checks, static files, commands."""

import os
import re
import subprocess
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.integrations.shops.django_shop"

import django
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.paginator import Paginator
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.template import Context, Engine
from django.template.backends.jinja2 import Jinja2
from django.test import Client, override_settings
from django.utils.translation import gettext_lazy
from neuralens_django import tracking
from neuralens_django.asgi import mount
from neuralens_django.checks import check
from neuralens_django.configuration import configuration
from neuralens_django.testing import TrackingAssertions
from neuralens_django.tracking import track, track_async
from neuralens_embed import MarkupError
from neuralens_relay.client import EventError
from neuralens_relay.embedding import EmbeddedRelay
from neuralens_relay.settings import SettingsError
from starlette.testclient import TestClient
from werkzeug.test import Client as WsgiClient

from tests.event_loop import run
from tests.integrations.conftest import ROOT
from tests.integrations.shops import django_shop
from tests.integrations.shops.catalog import page_of
from tests.polling import TIMEOUT

django.setup()

NEURALENS = {**django_shop.NEURALENS, "APPLICATION_ID": "APP", "API_KEY": "key"}
KEY = uuid.UUID(int=7)


def render(template: str, request: Any = None, **values: Any) -> str:
    engine = Engine(libraries={"neuralens": "neuralens_django.templatetags.neuralens"})
    context = Context({"request": request, **values}, use_l10n=True)
    return engine.from_string("{% load neuralens %}" + template).render(context)


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("nl_product id", f'data-nl-product="{KEY}"'),
        ("nl_product number 3", 'data-nl-product="1234567" data-nl-index="3"'),
        ("nl_product lazy", 'data-nl-product="Chair"'),
        ("nl_suggestion '<b>'", 'data-nl-suggestion="&lt;b&gt;"'),
        ("nl_suggestions", 'data-nl-suggestions=""'),
        (
            "nl_context page='CATEGORY_PAGE' offset=page",
            'data-nl-page="CATEGORY_PAGE" data-nl-offset="2"',
        ),
        (
            "nl_context query='a' list='l' offset=4",
            'data-nl-query="a" data-nl-list="l" data-nl-offset="4"',
        ),
        ("nl_landing id", f'data-nl-landing="{KEY}"'),
        ("nl_purchase 'O-1'", 'data-nl-purchase="O-1"'),
        ("nl_action 'share'", 'data-nl-action="share"'),
        ("nl_ignore", 'data-nl-ignore=""'),
    ],
)
def test_a_tag_renders_its_attributes(tag: str, attributes: str) -> None:
    values = {
        "id": KEY,
        "number": 1234567,
        "lazy": gettext_lazy("Chair"),
        "page": Paginator(range(5), 2).get_page(2),
    }
    assert render("{% " + tag + " %}", **values) == attributes


@override_settings(NEURALENS=NEURALENS)
def test_the_jinja_backend_has_the_globals() -> None:
    options = {"environment": "neuralens_django.jinja2.environment"}
    backend = Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    request = HttpRequest()
    request.COOKIES["shopper"] = "<u-1>"
    template = backend.from_string("{{ neuralens_snippet() }}|{{ nl.context(offset=page) }}")
    made = template.render({"page": Paginator(range(5), 2).get_page(2)}, request)
    snippet, _, context = made.partition("|")
    assert 'data-uid="&lt;u-1&gt;"' in snippet
    assert context == 'data-nl-offset="2"'


def test_an_invalid_value_raises_in_development() -> None:
    with override_settings(DEBUG=True), pytest.raises(MarkupError, match=r"nl\.product: id"):
        render("{% nl_product nothing %}", nothing=None)


def test_an_invalid_value_is_omitted_and_logged_once_in_production(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        assert render("{% nl_landing nothing %}", nothing=["of production"]) == ""
    logged = [record for record in caplog.records if "of production" in record.getMessage()]
    assert [record.name for record in logged] == ["neuralens"]


@override_settings(NEURALENS=NEURALENS)
def test_the_snippet_has_the_uid_and_the_nonce() -> None:
    request = HttpRequest()
    request.COOKIES["shopper"] = "u-1"
    request.csp_nonce = gettext_lazy("bm9uY2U=")  # type: ignore[attr-defined]
    made = render("{% neuralens_snippet page='CATEGORY_PAGE' %}", request)
    assert 'data-app-id="APP"' in made
    assert 'data-uid="u-1"' in made
    assert 'nonce="bm9uY2U="' in made
    assert 'data-page="CATEGORY_PAGE"' in made


@override_settings(NEURALENS={"APPLICATION_ID": "APP"})
def test_the_uid_is_that_of_an_authenticated_user() -> None:
    class User:
        pk = 17
        is_authenticated = True

    request = HttpRequest()
    request.user = User()
    assert 'data-uid="17"' in render("{% neuralens_snippet %}", request)
    User.is_authenticated = False
    assert "data-uid" not in render("{% neuralens_snippet %}", request)


@pytest.mark.parametrize("strict", [True, False])
def test_without_an_application_id_a_page_has_no_snippet(
    strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEURALENS_APPLICATION_ID", raising=False)
    expected = pytest.raises(SettingsError, match="APPLICATION_ID") if strict else nullcontext()
    with override_settings(NEURALENS={"STRICT": strict}), expected:
        assert render("{% neuralens_snippet %}", HttpRequest()) == ""


@override_settings(NEURALENS={**NEURALENS, "ENABLED": False})
def test_disabled() -> None:
    assert render("{% neuralens_snippet %}", HttpRequest()) == ""
    assert Client().post("/nl/events").status_code == 404


@override_settings(NEURALENS={**NEURALENS, "PREFIX": "/track/"})
def test_the_prefix_sets_both_addresses() -> None:
    made = render("{% neuralens_snippet %}", HttpRequest())
    assert 'src="/track/neuralens.js?v=' in made
    assert 'data-endpoint="/track/events"' in made


@pytest.mark.parametrize(("urls", "prefix"), [(None, "/shop/nl"), ("elsewhere", "/nl")])
def test_a_project_below_a_path(
    urls: str | None, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own relay is below the path, too; where a proxy leads is absolute."""
    if urls:
        _, *patterns = django_shop.urlpatterns
        monkeypatch.setitem(sys.modules, urls, types.SimpleNamespace(urlpatterns=patterns))
    with stored_in(tmp_path), override_settings(ROOT_URLCONF=urls or django_shop.ROOT_URLCONF):
        client = WsgiClient(get_wsgi_application())
        for base, forced in (("http://localhost/shop", None), ("http://localhost", "/shop")):
            with override_settings(FORCE_SCRIPT_NAME=forced):
                made = client.get("/search?q=oak", base_url=base).text
                assert f'src="{prefix}/neuralens.js?v=' in made
                assert ('data-endpoint="/shop/nl/events"' in made) == (urls is None)
                script = client.get("/nl/neuralens.js", base_url=base)
                assert script.status_code == (404 if urls else 200)


def test_a_project_under_asgi_below_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuralens_django.mounted.mounts", [])
    monkeypatch.setattr("neuralens_django.mounted.is_routed", lambda: False)
    with stored_in(tmp_path):
        client = TestClient(mount(get_asgi_application()), root_path="/shop")
        made = client.get("/shop/search?q=oak").text
        assert 'src="/shop/nl/neuralens.js?v=' in made
        assert 'data-endpoint="/shop/nl/events"' in made
        assert client.get("/shop/nl/neuralens.js").status_code == 200


@override_settings(NEURALENS={"APLICATION_ID": "APP"})
def test_an_unknown_key_is_reported() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"APLICATION_ID.*APPLICATION_ID"):
        configuration()
    assert [found.id for found in check()] == ["neuralens.E002"]


@override_settings(NEURALENS={**NEURALENS, "CONSNET": "shop.consent"})
def test_an_invalid_setting_disables_the_tracking_in_production(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without the key CONSENT, nobody would be asked."""
    shop = Client()
    for _ in range(2):
        page = shop.get(SEARCH)
        assert (page.status_code, b"neuralens.js" in page.content) == (200, False)
        assert shop.post("/nl/events").status_code == 404
    said = [record.getMessage() for record in caplog.records if "CONSNET" in record.getMessage()]
    assert [line.partition(":")[0] for line in said] == ["nothing is tracked"]
    with override_settings(DEBUG=True), pytest.raises(ImproperlyConfigured, match="CONSNET"):
        shop.get(SEARCH)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (None, "NEURALENS must be a dict, not None"),
        ({"PREFIX": "nl/"}, "prefix must be a URL or begin with /, not 'nl'"),
        ({"SNIPPET": {"viewms": 500}}, "there is no setting viewms: did you mean view_ms?"),
    ],
)
def test_what_no_page_could_be_rendered_with_is_reported(setting: object, message: str) -> None:
    with override_settings(NEURALENS=setting):
        assert [(found.id, found.msg) for found in check()] == [("neuralens.E002", message)]


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({"NEURALENS": {**NEURALENS, "OUTBOX": "sqlite:////var/lib/outbox.db"}}, []),
        ({"NEURALENS": {}}, ["neuralens.W003", "neuralens.E001", "neuralens.E003"]),
        ({"NEURALENS": {**NEURALENS, "PREFIX": "/x", "OUTBOX": "redis://h"}}, ["neuralens.W002"]),
        ({"NEURALENS": NEURALENS}, ["neuralens.W003"]),
        ({"NEURALENS": {**NEURALENS, "OUTBOX": "sqlite:////nowhere/o.db"}}, ["neuralens.W004"]),
        ({"NEURALENS": {**NEURALENS, "OUTBOX": "/var/lib/outbox.db"}}, ["neuralens.E004"]),
        ({"NEURALENS": {**NEURALENS, "OUTBOX": "redis://h", "TIMEOUT": 0}}, ["neuralens.E004"]),
        ({"NEURALENS": {"ENABLED": False}}, []),
        (
            {
                "NEURALENS": {**NEURALENS, "OUTBOX": "redis://h"},
                "SECURE_CSP": {"default-src": ["'none'"]},
            },
            ["neuralens.W001", "neuralens.W001"],
        ),
    ],
)
def test_the_checks_report_missing_settings(
    settings: dict[str, Any], ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "APPLICATION_ID", "OUTBOX"):
        monkeypatch.delenv(f"NEURALENS_{name}", raising=False)
    with override_settings(**settings):
        found = run_checks(tags=["neuralens"], include_deployment_checks=True)
    assert [message.id for message in found] == ids


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [(["check"], []), (["check", "--deploy", "--tag", "neuralens"], ["E001", "E003"])],
)
def test_an_image_is_built_without_secrets(arguments: list[str], ids: list[str]) -> None:
    done = manage(*arguments, NEURALENS_API_KEY="", NEURALENS_APPLICATION_ID="")
    assert re.findall(r"neuralens\.(E\d+)", done.stderr) == ids, done.stderr
    assert done.returncode == (1 if ids else 0)


CSP_NONCE = type("Nonce", (), {"__repr__": lambda self: "csp.constants.NONCE"})()


@pytest.mark.parametrize(
    ("settings", "blocked"),
    [
        ({"SECURE_CSP": {"default-src": ["'self'"]}}, []),
        ({"SECURE_CSP": {"default-src": "'none'", "connect-src": {"'self'"}}}, ["the script"]),
        (
            {
                "SECURE_CSP": {
                    "script-src": ["<CSP_NONCE_SENTINEL>", "'strict-dynamic'"],
                    "connect-src": ["https://api.example"],
                }
            },
            ["events"],
        ),
        (
            {
                "CONTENT_SECURITY_POLICY": {
                    "DIRECTIVES": {"default-src": ["'self'"], "script-src": [CSP_NONCE]}
                }
            },
            [],
        ),
        (
            {
                "CONTENT_SECURITY_POLICY": {
                    "DIRECTIVES": {"script-src": ["'self'", "'strict-dynamic'"]}
                }
            },
            ["the script"],
        ),
        ({"CONTENT_SECURITY_POLICY": None}, []),
        ({"CSP_DEFAULT_SRC": "'none'"}, ["events"]),
        ({"CSP_DEFAULT_SRC": "'none'", "CSP_INCLUDE_NONCE_IN": []}, ["events", "the script"]),
        ({"CSP_DEFAULT_SRC": ("'self'",), "CSP_CONNECT_SRC": None}, []),
        ({"CSP_SCRIPT_SRC": ["'self'"]}, []),
        (
            {
                "NEURALENS": {"PREFIX": "https://relay.example/nl"},
                "CSP_CONNECT_SRC": ["https://relay.example"],
                "CSP_SCRIPT_SRC": ["'self'"],
            },
            ["the script"],
        ),
    ],
)
def test_a_policy_that_blocks_the_tracker_is_reported(
    settings: dict[str, Any], blocked: list[str]
) -> None:
    with override_settings(**settings):
        found = [found.msg for found in check() if found.id == "neuralens.W001"]
    assert found == [f"The content security policy blocks {what}." for what in blocked]


def test_the_scripts_are_static_files(tmp_path: Path) -> None:
    with override_settings(
        NEURALENS={**NEURALENS, "STATIC": True},
        INSTALLED_APPS=["neuralens_django", "django.contrib.staticfiles"],
        STATICFILES_FINDERS=["neuralens_django.finders.BundleFinder"],
        STATIC_URL="/static/",
        STATIC_ROOT=str(tmp_path),
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        assert (tmp_path / "neuralens" / "neuralens.js").is_file()
        made = render("{% neuralens_snippet %}", HttpRequest())
    assert 'src="/static/neuralens/neuralens.js"' in made


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dead_letters_are_listed_by_a_command(serve: Callable[..., str], tmp_path: Path) -> None:
    # The relay starts when the first page is rendered.
    httpx.get(f"{serve('django-wsgi')}/search?q=chair", timeout=TIMEOUT).raise_for_status()
    outbox = {"NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/outbox.db"}
    done = manage("neuralens_dead", **outbox)
    assert (done.returncode, done.stdout) == (0, "0 dead letters\n"), done.stderr
    assert manage("neuralens_replay", **outbox).returncode == 0
    # An option of the relay's, one of Django's, and no exit where other code has called it.
    done = manage("neuralens_dead", "--json", "-v", "2", **outbox)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    with override_settings(NEURALENS={**NEURALENS, "OUTBOX": outbox["NEURALENS_OUTBOX"]}):
        call_command("neuralens_replay")
    assert "2 of the ids" in manage("neuralens_replay", "order-1", "order-2", **outbox).stderr


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("neuralens_dead", ["--json"]),
        ("neuralens_replay", ["eids"]),
        ("neuralens_relay", ["--host", "--salvage OLD NEW", "--erase UID"]),
        ("neuralens_doctor", ["--consent", "--browser PATH"]),
    ],
)
def test_the_help_of_a_command_has_its_own_options(command: str, own: list[str]) -> None:
    printed = manage(command, "--help").stdout
    assert "--settings SETTINGS" in printed
    assert all(option in printed for option in own)
    assert ("--port" in printed) == (command == "neuralens_relay")


def test_the_relay_runs_by_a_command_with_options_of_django(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "django", "neuralens_relay", "--port", "0", "--no-color"),
            *("--pythonpath", str(ROOT), "--settings", os.environ["DJANGO_SETTINGS_MODULE"]),
        ],
        env={
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "NEURALENS_API_KEY": "key",
            "NEURALENS_APPLICATION_ID": "APP",
            "NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/outbox.db",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            url = process.stdout.readline().split()[1]
            assert httpx.get(f"{url}/health", timeout=TIMEOUT).status_code == 200
            process.terminate()
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()


def test_a_relay_without_a_key_reports_it_and_the_shop_works(serve: Callable[..., str]) -> None:
    shop = serve("django-wsgi", NEURALENS_API_KEY="")
    assert httpx.get(f"{shop}/search?q=chair", timeout=TIMEOUT).status_code == 200
    answer = httpx.post(f"{shop}/nl/events", content="{}", timeout=TIMEOUT)
    assert answer.status_code == 503
    assert answer.json() == {"error": "the relay is not set up"}
    assert "Retry-After" in answer.headers


SEARCH = "/search?q=oak"


class Case(TrackingAssertions):
    """A test case as in a Django project."""


def stored_in(folder: Path) -> override_settings:
    """Settings with an outbox in a folder."""
    return override_settings(NEURALENS={**NEURALENS, "OUTBOX": f"sqlite:///{folder}/outbox.db"})


def test_assertions_on_a_page_without_a_browser(tmp_path: Path) -> None:
    with stored_in(tmp_path):
        response = Client().get(SEARCH)
    chairs = [chair.key for chair in page_of(1)]
    Case().assertTracks(response, "VIEW_PRODUCT", ids=chairs, query="oak")
    Case().assertTracks(response, "CLICK_PRODUCT", page="SEARCH_RESULT_PAGE")
    with pytest.raises(AssertionError, match="does not track PURCHASE; it does:\nVIEW_PRODUCT"):
        Case().assertTracks(response, "PURCHASE")
    with pytest.raises(AssertionError, match="does not track VIEW_PRODUCT of A; it does:"):
        Case().assertTracks(response, "VIEW_PRODUCT", ids=["A"])
    with pytest.raises(ValueError, match="there is no event LOOK"):
        Case().assertTracks(response, "LOOK")
    with pytest.raises(AssertionError, match="the page tracks:\nVIEW_PRODUCT"):
        Case().assertTracksNothing(response)


def test_pages_are_audited_without_a_server(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with stored_in(tmp_path):
        call_command("neuralens_audit", SEARCH)
    printed = capsys.readouterr().out
    assert printed.count(f"{SEARCH}:") == 7
    assert printed.splitlines()[-1].startswith(
        f"{SEARCH}: 3 VIEW_PRODUCT, 3 CLICK_PRODUCT, 0 wrong"
    )
    with pytest.raises(CommandError, match="/lost answers 404"):
        call_command("neuralens_audit", "/lost")


@pytest.mark.usefixtures("without_audit")
def test_an_audit_without_its_extra_says_what_to_install() -> None:
    with pytest.raises(CommandError, match="run pip install 'neuralens-tracker"):
        call_command("neuralens_audit", SEARCH)


ORDER = {"ids": ["A", "B"], "order": "O-1", "uid": "u-1"}


@pytest.fixture
def fresh_relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another relay beside that of this process, which earlier tests may have left running."""
    fresh = EmbeddedRelay(lambda: configuration().relay)
    monkeypatch.setattr(tracking, "relay", lambda: fresh)
    yield
    with override_settings(NEURALENS=NEURALENS):
        fresh.client().close()


def test_a_purchase_is_tracked_from_the_server_once(tmp_path: Path, fresh_relay: None) -> None:
    outbox = f"sqlite:///{tmp_path}/outbox.db"
    with override_settings(NEURALENS={**NEURALENS, "OUTBOX": outbox}):
        assert track("PURCHASE", **ORDER)["accepted"] == 1
        assert run(track_async("PURCHASE", **ORDER))["duplicates"] == 1


def test_disabled_tracking_only_checks_what_the_server_tracks(
    tmp_path: Path, fresh_relay: None
) -> None:
    outbox = f"sqlite:///{tmp_path}/outbox.db"
    with override_settings(NEURALENS={**NEURALENS, "OUTBOX": outbox, "ENABLED": False}):
        assert track("PURCHASE", **ORDER)["accepted"] == 0
        with pytest.raises(EventError, match="page"):
            run(track_async("CLICK_PRODUCT", id="A", page="CHAIRS"))
    assert not (tmp_path / "outbox.db").exists()
