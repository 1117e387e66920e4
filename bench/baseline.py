"""A baseline for the relay: the same server without an outbox.

``python -m bench.baseline`` parses each batch as JSON, counts its events, and responds with 202. It
validates and stores nothing.
"""

import json

import click
import uvicorn
from neuralens_relay.serving import address, listen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def accept_batch(request: Request) -> JSONResponse:
    """Acknowledge a batch."""
    batch = json.loads(await request.body())
    return JSONResponse({"accepted": len(batch["events"])}, 202)


def main() -> None:
    """Serve on a free port, which is printed, until terminated."""
    listener = listen("127.0.0.1", 0)
    site = Starlette(routes=[Route("/events", accept_batch, methods=["POST"])])
    config = uvicorn.Config(site, log_config=None, access_log=False, server_header=False)
    click.echo(f"Baseline: {address(listener)}")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
