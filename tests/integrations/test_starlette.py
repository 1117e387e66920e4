"""``neuralens_starlette`` without a browser."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates
from neuralens_starlette import Neuralens
from starlette.testclient import TestClient


def shop(folder: Path, lifespan: Any = None, **settings: Any) -> tuple[FastAPI, Neuralens]:
    (folder / "page.html").write_text("{{ neuralens_snippet() }}<i {{ nl.product(id) }}></i>")
    templates = Jinja2Templates(folder)
    values = {"api_key": "key", "outbox": f"sqlite:///{folder}/outbox.db", **settings}
    neuralens = Neuralens("APP", **values)
    app = FastAPI(lifespan=neuralens.lifespan_with(lifespan) if lifespan else neuralens.lifespan)
    neuralens.mount(app)
    neuralens.install(templates)

    @app.get("/page")
    def page(request: Request, key: str = "A") -> Any:
        return templates.TemplateResponse(request, "page.html", {"id": key or None})

    return app, neuralens


def test_the_relay_has_the_lifespan_of_the_application(tmp_path: Path) -> None:
    app, _ = shop(tmp_path)
    with TestClient(app) as client:
        assert (tmp_path / "outbox.db").is_file()
        assert client.get("/nl/health").json()["live"] is True
        assert client.get("/nl/neuralens.js").status_code == 200


def test_an_application_keeps_its_own_lifespan(tmp_path: Path) -> None:
    calls = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> Any:
        calls.append("begin")
        yield {"shop": "chairs"}
        calls.append("end")

    app, _ = shop(tmp_path, lifespan)
    with TestClient(app) as client:
        assert client.app_state == {"shop": "chairs"}
        assert client.get("/nl/health").status_code == 200
    assert calls == ["begin", "end"]


def test_values_of_the_request(tmp_path: Path) -> None:
    app, _ = shop(
        tmp_path,
        nonce=lambda request: request.headers["x-nonce"],
        uid=lambda request: request.cookies.get("shopper"),
        consent=lambda request: "pending",
    )
    with TestClient(app, cookies={"shopper": "u-1"}) as client:
        made = client.get("/page", headers={"x-nonce": "bm9uY2U="}).text
    assert 'nonce="bm9uY2U="' in made
    assert 'data-uid="u-1"' in made
    assert 'data-consent="pending"' in made


def test_a_root_path_and_a_prefix_are_part_of_the_addresses(tmp_path: Path) -> None:
    app, _ = shop(tmp_path, prefix="/track")
    with TestClient(app, root_path="/shop") as client:
        made = client.get("/shop/page").text
        assert client.get("/shop/track/neuralens.js").status_code == 200
    assert 'src="/shop/track/neuralens.js?v=' in made
    assert 'data-endpoint="/shop/track/events"' in made


def test_disabled(tmp_path: Path) -> None:
    app, _ = shop(tmp_path, enabled=False, api_key=None)
    with TestClient(app) as client:
        assert client.get("/page").text == '<i data-nl-product="A"></i>'
        assert client.post("/nl/events").status_code == 404


def test_an_invalid_value_is_not_fatal_in_production(tmp_path: Path) -> None:
    app, _ = shop(tmp_path)
    with TestClient(app) as client:
        assert "<i ></i>" in client.get("/page?key=").text


def test_a_missing_key_does_not_fail_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEURALENS_API_KEY", raising=False)
    app, _ = shop(tmp_path, api_key=None)
    response = TestClient(app).post("/nl/events", content=b"{}")
    assert (response.status_code, response.json()) == (503, {"error": "the relay is not set up"})
