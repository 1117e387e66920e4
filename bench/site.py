"""The measured pages, and the relay under /nl, on one origin."""

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from neuralens_embed.names import RELAY_PATH
from neuralens_relay import Settings, create_app
from neuralens_relay.serving import address, listen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

APPLICATION = "bench"
# Unreachable, so that events stay in the relay's outbox.
NOWHERE = "http://127.0.0.1:9/"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Chairs</title><link rel="icon" href="data:,">
{head}<style>ul {{ display: grid; grid-template-columns: repeat(4, 1fr); padding: 0 }}
li {{ block-size: 12rem; list-style: none }}</style></head>
<body><main data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair"><ul data-nl-list="results">
{tiles}
</ul></main></body></html>"""
TILE = """<li data-nl-product="P{number}"><a href="/blank"><h2>Chair {number}</h2></a>
<p>Oak, oiled <b>199.00</b></p><button data-nl-action="add-to-cart">Add</button></li>"""


def render(tiles: int, head: str = "") -> str:
    """Return a page of search results."""
    return PAGE.format(head=head, tiles="\n".join(TILE.format(number=n) for n in range(tiles)))


@contextmanager
def serve(pages: Mapping[str, str], bundles: Path | None = None) -> Iterator[str]:
    """Serve pages by their paths, and a relay; yield the address, without a trailing slash.

    ``bundles`` is a folder of bundles, by default the build's.
    """

    async def respond(request: Request) -> HTMLResponse:
        return HTMLResponse(pages[request.url.path])

    with tempfile.TemporaryDirectory() as folder, listen("127.0.0.1", 0) as listener:
        settings = Settings(
            api_key="none",
            application_id=APPLICATION,
            api_url=NOWHERE,
            outbox=f"sqlite:///{folder}/outbox.db",
        )
        relay = create_app(settings, bundles)
        site = Starlette(
            routes=[*(Route(path, respond) for path in pages), Mount(RELAY_PATH, relay)],
            lifespan=relay.state.relay.lifespan,
        )
        server = uvicorn.Server(uvicorn.Config(site, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield address(listener)
        finally:
            server.should_exit = True
            thread.join()
