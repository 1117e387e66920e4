"""A shop on Flask: the relay is part of the WSGI application."""

import uuid

from flask import Flask, redirect, render_template, request
from neuralens_flask import Neuralens

from tests.integrations.shops.catalog import CHAIRS, PER_PAGE, find, page_of

neuralens = Neuralens()


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["NEURALENS_SNIPPET"] = {"view_ms": 150}
    neuralens.init_app(app)

    @app.get("/search")
    def search():
        number = request.args.get("page", 1, int)
        found = {"chairs": page_of(number), "offset": (number - 1) * PER_PAGE}
        return render_template("search.html", query=request.args["q"], **found)

    @app.get("/chairs/<uuid:key>")
    def chair(key: uuid.UUID):
        return render_template("chair.html", chair=find(key))

    @app.post("/cart")
    def cart():
        return redirect("/order/O-1", 303)

    @app.get("/order/<order>")
    def order(order: str):
        return render_template("order.html", order=order, chairs=CHAIRS[:2])

    return app


@neuralens.uid_loader
def shopper() -> str | None:
    return request.cookies.get("shopper")
