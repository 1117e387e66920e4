"""``python -m tests.integrations.serving NAME``: serves a shop and prints its address.

NAME is a key of SHOPS. WSGI applications run on Werkzeug, ASGI applications on uvicorn.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from neuralens_relay.serving import address, listen
from werkzeug.serving import make_server

HOST = "127.0.0.1"


def fastapi() -> Any:
    from tests.integrations.shops.fastapi_shop import app

    return app


def flask() -> Any:
    from tests.integrations.shops.flask_shop import create_app

    return create_app()


def django_wsgi() -> Any:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.integrations.shops.django_shop"
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def django_asgi() -> Any:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.integrations.shops.django_shop"
    from django.core.asgi import get_asgi_application

    application = get_asgi_application()
    from neuralens_django.asgi import mount

    return mount(application)


def serve_asgi(app: Any) -> None:
    with listen(HOST, 0) as listener:
        print(address(listener), flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def serve_wsgi(app: Any) -> None:
    server = make_server(HOST, 0, app, threaded=True)
    print(f"http://{HOST}:{server.server_port}", flush=True)
    server.serve_forever()


SHOPS: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "fastapi": (fastapi, serve_asgi),
    "flask": (flask, serve_wsgi),
    "django-wsgi": (django_wsgi, serve_wsgi),
    "django-asgi": (django_asgi, serve_asgi),
}

if __name__ == "__main__":
    make, serve = SHOPS[sys.argv[1]]
    serve(make())
