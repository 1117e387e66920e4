"""``neuralens_starlette`` without a browser."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates
from neuralens_relay.client import EventError
from neuralens_starlette import Neuralens
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from tests.event_loop import run


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


def assert_relay_at(client: TestClient, page: str, prefix: str, served: str | None = None) -> None:
    """Assert that a page names the relay at a prefix, and that the relay is served there."""
    made = client.get(page).text
    assert f'src="{prefix}/neuralens.js?v=' in made
    assert f'data-endpoint="{prefix}/events"' in made
    assert client.get(f"{served or prefix}/neuralens.js").status_code == 200


def test_an_application_in_another_one(tmp_path: Path) -> None:
    """Its own mounts are not part of the address, parameters and the server's root path are."""
    app, neuralens = shop(tmp_path)
    page = Route("/page", lambda request: neuralens_page(request, tmp_path, neuralens))
    app.mount("/sale", Starlette(routes=[page]))
    around = Starlette(
        routes=[
            Mount("/shop", app),
            Mount("/zipped", GZipMiddleware(app)),
            Mount("/{city}", routes=[Mount("/shop", app)]),
            page,
        ]
    )
    client = TestClient(around)
    assert_relay_at(client, "/shop/page", "/shop/nl")
    assert_relay_at(client, "/shop/sale/page", "/shop/nl")
    assert_relay_at(client, "/zipped/page", "/zipped/nl")
    assert_relay_at(client, "/bern/shop/page", "/bern/shop/nl")
    # The page of the application around it.
    assert_relay_at(client, "/page", "/shop/nl")
    proxied = TestClient(around, root_path="/eu")
    for path in ("/eu/shop/page", "/eu/page"):
        assert_relay_at(proxied, path, "/eu/shop/nl")


def neuralens_page(request: Request, folder: Path, neuralens: Neuralens) -> Any:
    templates = Jinja2Templates(folder)
    neuralens.install(templates)
    return templates.TemplateResponse(request, "page.html", {"id": "A"})


def test_a_proxy_that_strips_the_root_path(tmp_path: Path) -> None:
    app, _ = shop(tmp_path)
    app.root_path = "/shop"
    assert_relay_at(TestClient(app), "/page", "/shop/nl", served="/nl")


def test_a_given_prefix_is_absolute(tmp_path: Path) -> None:
    app, _ = shop(tmp_path)
    client = TestClient(Starlette(routes=[Mount("/shop", app)]))
    (tmp_path / "page.html").write_text("{{ neuralens_snippet(prefix='/track') }}")
    made = client.get("/shop/page").text
    assert 'src="/track/neuralens.js?v=' in made
    assert 'data-endpoint="/track/events"' in made
    # Nor is the relay that a proxy leads to below the path of an application.
    elsewhere = Neuralens("APP", prefix="https://relay.example/nl")
    request = Request({"type": "http", "app": app, "root_path": "/shop"})
    assert 'src="https://relay.example/nl/neuralens.js?v=' in elsewhere.render(request)
    with pytest.raises(ValueError, match=r"prefix must be a path such as /nl, not 'https:"):
        elsewhere.mount(app)


def test_a_page_without_a_request(tmp_path: Path) -> None:
    _, neuralens = shop(tmp_path, uid=lambda request: request.cookies["shopper"])
    templates = Jinja2Templates(tmp_path)
    neuralens.install(templates)
    assert 'src="/nl/neuralens.js?v=' in templates.get_template("page.html").render(id="A")


def test_a_route_that_matches_every_path_does_not_hide_the_relay(tmp_path: Path) -> None:
    app = FastAPI()
    app.get("/{path:path}")(lambda path: path)
    Neuralens("APP", api_key="key", outbox=f"sqlite:///{tmp_path}/outbox.db").mount(app)
    client = TestClient(app)
    assert client.get("/nl/neuralens.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/anything").json() == "anything"


def test_disabled(tmp_path: Path) -> None:
    app, _ = shop(tmp_path, enabled=False, api_key=None)
    with TestClient(app) as client:
        assert client.get("/page").text == '<i data-nl-product="A"></i>'
        assert client.post("/nl/events").status_code == 404


def test_an_invalid_value_is_not_fatal_in_production(tmp_path: Path) -> None:
    app, _ = shop(tmp_path)
    with TestClient(app) as client:
        assert "<i ></i>" in client.get("/page?key=").text


def test_a_missing_application_id_is_not_fatal_in_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NEURALENS_APPLICATION_ID", raising=False)
    assert Neuralens().render(None) == ""


def test_a_missing_key_does_not_fail_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEURALENS_API_KEY", raising=False)
    app, _ = shop(tmp_path, api_key=None)
    response = TestClient(app).post("/nl/events", content=b"{}")
    assert (response.status_code, response.json()) == (503, {"error": "the relay is not set up"})


ORDER = {"ids": ["A", "B"], "order": "O-1", "uid": "u-1"}


def test_a_purchase_is_tracked_from_the_server_once(tmp_path: Path) -> None:
    app, neuralens = shop(tmp_path)

    @app.post("/paid")
    async def paid() -> Any:
        return await neuralens.track("PURCHASE", **ORDER)

    @app.post("/paid-again")
    def paid_again() -> Any:
        return neuralens.relay.client().track("PURCHASE", **ORDER)

    with TestClient(app) as client:
        assert client.post("/paid").json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert client.post("/paid-again").json() == {"accepted": 0, "duplicates": 1, "rejected": []}


def test_disabled_tracking_only_checks_what_the_server_tracks(tmp_path: Path) -> None:
    _, neuralens = shop(tmp_path, enabled=False)
    nothing = {"accepted": 0, "duplicates": 0, "rejected": []}
    assert run(neuralens.track("PURCHASE", **ORDER)) == nothing
    with pytest.raises(EventError, match="page"):
        run(neuralens.track("CLICK_PRODUCT", id="A", page="CHAIRS"))
    assert not (tmp_path / "outbox.db").exists()
