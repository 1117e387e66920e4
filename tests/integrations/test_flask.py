"""``neuralens_flask`` without a browser."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_talisman import Talisman
from neuralens_embed import MarkupError
from neuralens_flask import Neuralens
from neuralens_relay.client import EventError

from tests.integrations.conftest import ROOT

PAGE = "{{ neuralens_snippet() }}<i {{ nl.product(id) }}></i>"


def shop(folder: Path, **config: Any) -> Flask:
    app = Flask(__name__)
    app.config.update(
        NEURALENS_APPLICATION_ID="APP",
        NEURALENS_API_KEY="key",
        NEURALENS_OUTBOX=f"sqlite:///{folder}/outbox.db",
    )
    app.config.update(config)
    neuralens = Neuralens(app)
    neuralens.uid_loader(lambda: "u-1")
    neuralens.consent_loader(lambda: "pending")
    app.add_url_rule("/page/<key>", "page", lambda key: render_template_string(PAGE, id=key))
    app.add_url_rule("/none", "none", lambda: render_template_string(PAGE, id=None))
    return app


def test_the_snippet_and_the_relay(tmp_path: Path) -> None:
    client = shop(tmp_path).test_client()
    made = client.get("/page/A").text
    assert 'data-app-id="APP"' in made
    assert 'data-uid="u-1"' in made
    assert 'data-consent="pending"' in made
    assert '<i data-nl-product="A"></i>' in made
    assert client.get("/nl/health").json["live"] is True
    assert client.get("/nl").json["health"] == "/nl/health"
    assert client.get("/nlx").status_code == 404
    assert client.get("/nl/neuralens.js").status_code == 200


def test_the_relay_starts_with_the_first_page(tmp_path: Path) -> None:
    shop(tmp_path).test_client().get("/page/A")
    assert (tmp_path / "outbox.db").is_file()


def test_an_invalid_prefix_is_not_fatal_in_production(tmp_path: Path) -> None:
    pages = [shop(tmp_path, NEURALENS_PREFIX="nl").test_client().get("/page/A") for _ in range(2)]
    assert {page.text for page in pages} == {'<i data-nl-product="A"></i>'}
    strict = shop(tmp_path, NEURALENS_PREFIX="nl", NEURALENS_STRICT=True, TESTING=True)
    with pytest.raises(MarkupError, match="prefix must be a URL or begin with /"):
        strict.test_client().get("/page/A")


def test_a_missing_application_id_is_not_fatal_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEURALENS_APPLICATION_ID", raising=False)
    client = shop(tmp_path, NEURALENS_APPLICATION_ID=None).test_client()
    assert client.get("/page/A").text == '<i data-nl-product="A"></i>'


def test_a_missing_key_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = shop(tmp_path, NEURALENS_API_KEY="").test_client()
    with caplog.at_level(logging.ERROR):
        for path in ("/page/A", "/page/B", "/nl/health"):
            client.get(path)
    (record,) = caplog.records
    assert "NEURALENS_API_KEY is not set" in record.message


UNREAD = """
import sys
from pathlib import Path
from tests.integrations.test_flask import shop
shop(Path(sys.argv[1])).test_client().get("/nl/health")
"""


def test_a_response_that_nobody_reads_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UNREAD, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_prefix(tmp_path: Path) -> None:
    client = shop(tmp_path, NEURALENS_PREFIX="/track").test_client()
    assert 'data-endpoint="/track/events"' in client.get("/page/A").text
    assert client.get("/track/health").status_code == 200
    assert client.get("/nl/health").status_code == 404


@pytest.mark.parametrize(("is_own", "prefix"), [(True, "/sub/nl"), (False, "/nl")])
def test_an_application_below_a_path(tmp_path: Path, is_own: bool, prefix: str) -> None:
    """Its own relay is below the path, too; where a proxy leads is absolute."""
    client = shop(tmp_path, NEURALENS_RELAY=is_own).test_client()
    made = client.get("/page/A", base_url="http://localhost/sub").text
    assert f'src="{prefix}/neuralens.js' in made
    assert ('data-endpoint="/sub/nl/events"' in made) == is_own
    assert client.get("/nl/health", base_url="http://localhost/sub").status_code == (
        200 if is_own else 404
    )


def test_the_nonce_of_talisman(tmp_path: Path) -> None:
    app = shop(tmp_path)
    Talisman(
        app,
        force_https=False,
        content_security_policy={"script-src": "'self'"},
        content_security_policy_nonce_in=["script-src"],
    )
    response = app.test_client().get("/page/A")
    _, policy = response.headers["Content-Security-Policy"].split("'nonce-")
    assert f'nonce="{policy.split(chr(39))[0]}"' in response.text


def test_disabled(tmp_path: Path) -> None:
    client = shop(tmp_path, NEURALENS_ENABLED=False).test_client()
    assert client.get("/page/A").text == '<i data-nl-product="A"></i>'
    assert client.get("/nl/health").status_code == 404


def test_an_external_relay_is_not_served(tmp_path: Path) -> None:
    client = shop(tmp_path, NEURALENS_RELAY=False).test_client()
    assert "data-app-id" in client.get("/page/A").text
    assert client.get("/nl/health").status_code == 404


def test_an_invalid_value_raises_only_in_development(tmp_path: Path) -> None:
    assert "<i ></i>" in shop(tmp_path).test_client().get("/none").text
    app = shop(tmp_path, NEURALENS_STRICT=True, TESTING=True)
    with pytest.raises(MarkupError, match=r"nl\.product: id"):
        app.test_client().get("/none")


def test_commands_use_the_settings_of_the_application(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEURALENS_OUTBOX", "")
    app = shop(tmp_path)
    app.test_client().get("/page/A")
    environment = dict(os.environ)
    result = app.test_cli_runner().invoke(args=["neuralens", "relay", "--dead"])
    assert result.exit_code == 0, result.output
    assert result.output == "0 dead letters\n"
    assert dict(os.environ) == environment


def test_pages_are_audited_without_a_server(tmp_path: Path) -> None:
    runner = shop(tmp_path).test_cli_runner()
    done = runner.invoke(args=["neuralens", "audit", "/page/A"])
    assert done.exit_code == 0
    assert '/page/A:1: VIEW_PRODUCT, "A"' in done.output
    assert runner.invoke(args=["neuralens", "audit", "/page/{{ id }}"]).exit_code == 1
    lost = runner.invoke(args=["neuralens", "audit", "/lost"])
    assert (lost.exit_code, "/lost answers 404" in lost.output) == (2, True)


@pytest.mark.usefixtures("without_audit")
def test_an_audit_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    done = shop(tmp_path).test_cli_runner().invoke(args=["neuralens", "audit", "/page/A"])
    assert done.exit_code == 2
    assert "audit needs justhtml: run pip install 'neuralens-tracker[audit]'" in done.output


ORDER = {"ids": ["A", "B"], "order": "O-1", "uid": "u-1"}


def test_a_purchase_is_tracked_from_the_server_once(tmp_path: Path) -> None:
    app = shop(tmp_path)
    with app.app_context():
        neuralens = app.extensions["neuralens"]
        assert neuralens.track("PURCHASE", **ORDER)["accepted"] == 1
        assert neuralens.track("PURCHASE", **ORDER)["duplicates"] == 1


def test_disabled_tracking_only_checks_what_the_server_tracks(tmp_path: Path) -> None:
    app = shop(tmp_path, NEURALENS_ENABLED=False)
    with app.app_context():
        neuralens = app.extensions["neuralens"]
        assert neuralens.track("PURCHASE", **ORDER)["accepted"] == 0
        with pytest.raises(EventError, match="page"):
            neuralens.track("CLICK_PRODUCT", id="A", page="CHAIRS")
    assert not (tmp_path / "outbox.db").exists()
