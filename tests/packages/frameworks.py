"""The snippet in Flask's and Django's templates, and the relay mounted in FastAPI.

Run by the interpreter of an environment that holds the wheel and the frameworks. Prints what it saw
as JSON.
"""

import json
import os
import socket
import threading
import time
import urllib.request

import uvicorn
from journey import SECRETS, TIMEOUT, post


def in_flask():
    """Return a page of a Flask application."""
    from flask import Flask, render_template_string
    from neuralens_embed.jinja import install

    app = Flask(__name__)
    install(app.jinja_env, app_id="APP")
    app.add_url_rule("/", view_func=lambda: render_template_string("{{ neuralens_snippet() }}"))
    return app.test_client().get("/").get_data(as_text=True)


def in_django():
    """Return a page rendered by Django's templates."""
    import django
    from django.conf import settings
    from django.template import Context, Engine
    from neuralens_embed import Snippet

    settings.configure()
    django.setup()
    return Engine().from_string("{{ snippet }}").render(Context({"snippet": Snippet("APP")}))


def in_fastapi():
    """Return the response of a relay mounted in FastAPI to a batch."""
    from fastapi import FastAPI
    from neuralens_relay import create_app

    os.environ.update(SECRETS, NEURALENS_OUTBOX="sqlite:///mounted.db")
    # Unreachable, so that events stay in the outbox.
    os.environ["NEURALENS_API_URL"] = "http://127.0.0.1:9/"
    relay = create_app()
    app = FastAPI(lifespan=relay.state.relay.lifespan)
    app.get("/own")(lambda: {"own": True})
    app.mount("/nl", relay)
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + TIMEOUT
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        with urllib.request.urlopen(f"{address}/own", timeout=TIMEOUT) as answer:
            own = json.load(answer)
        return own, post(f"{address}/nl")
    finally:
        server.should_exit = True
        thread.join()


def main():
    own, answer = in_fastapi()
    print(json.dumps({"flask": in_flask(), "django": in_django(), "own": own, "answer": answer}))


if __name__ == "__main__":
    main()
