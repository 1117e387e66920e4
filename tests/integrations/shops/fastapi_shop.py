"""A shop on FastAPI: the relay is mounted, and starts with the application."""

import uuid
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from neuralens_starlette import Neuralens

from tests.integrations.shops.catalog import CHAIRS, PER_PAGE, find, page_of

templates = Jinja2Templates(Path(__file__).parent / "templates")
neuralens = Neuralens(uid=lambda request: request.cookies.get("shopper"), snippet={"view_ms": 150})
app = FastAPI(lifespan=neuralens.lifespan)
neuralens.mount(app)
neuralens.install(templates)


@app.get("/search", response_class=HTMLResponse)
def search(request: Request, q: str, page: int = 1):
    found = {"query": q, "chairs": page_of(page), "offset": (page - 1) * PER_PAGE}
    return templates.TemplateResponse(request, "search.html", found)


@app.get("/chairs/{key}", response_class=HTMLResponse)
def chair(request: Request, key: uuid.UUID):
    return templates.TemplateResponse(request, "chair.html", {"chair": find(key)})


@app.post("/cart")
def cart():
    return RedirectResponse("/order/O-1", 303)


@app.get("/order/{order}", response_class=HTMLResponse)
def order(request: Request, order: str):
    return templates.TemplateResponse(request, "order.html", {"order": order, "chairs": CHAIRS[:2]})
