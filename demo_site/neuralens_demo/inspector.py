"""The inspector: shows every event that the sandbox accepts, live, with statistics."""

from collections.abc import AsyncIterator, Callable

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from neuralens_embed.bundles import NotBuiltError, directory
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from neuralens_demo.figures import Figures
from neuralens_demo.forms import check_origin
from neuralens_demo.ledger import Entry, Ledger
from neuralens_demo.local_only import LocalOnly
from neuralens_demo.narration import explain, narrate
from neuralens_demo.transit import TransitLog

# The most events sent to a new client; the statistics count all.
MAX_SHOWN = 300
TEMPLATES = Environment(
    loader=PackageLoader("neuralens_demo"), autoescape=True, undefined=StrictUndefined
)


class Inspector:
    """The endpoints, over the sandbox's ledger.

    ``title`` names the shop, ``shop`` is its address, or None if unknown, and ``name`` maps a
    product's id to its name.
    """

    def __init__(
        self,
        ledger: Ledger,
        transits: TransitLog,
        title: str,
        shop: str | None,
        name: Callable[[str], str] = str,
    ) -> None:
        self._ledger = ledger
        self._transits = transits
        self._page = TEMPLATES.get_template("inspector.html").render(title=title, shop=shop)
        self._name = name

    def routes(self) -> list[Route]:
        """Return the routes, under /inspector; its scripts and styles are in STATIC."""
        local = [Middleware(LocalOnly)]
        return [
            Route("/inspector", self.page, middleware=local),
            Route("/inspector/stream", self.stream, middleware=local),
            Route("/inspector/sources", self.sources, methods=["POST"], middleware=local),
            Route("/inspector/clear", self.clear, methods=["POST"], middleware=local),
            Route("/inspector/chart.js", self.chart_library),
        ]

    async def page(self, request: Request) -> Response:
        """Show the page, which reads the stream."""
        return HTMLResponse(self._page)

    async def stream(self, request: Request) -> Response:
        """Stream ``entry`` for each event, ``figures`` after each group, ``cleared`` when cleared.

        It starts with ``cleared`` and the newest events, so that a client that reconnects is
        up to date.
        """
        return EventSourceResponse(self._messages())

    async def clear(self, request: Request) -> Response:
        """Clear the ledger."""
        check_origin(request)
        self._ledger.clear()
        return Response(status_code=204)

    async def sources(self, request: Request) -> Response:
        """Record the sources of an event's rank and query, which the shop's page reports."""
        check_origin(request)
        self._transits.record_sources(await request.body())
        return Response(status_code=204)

    async def chart_library(self, request: Request) -> Response:
        """Serve the chart library, which the build copies from npm."""
        try:
            path = directory() / "demo" / "chart.js"
        except NotBuiltError as error:
            raise HTTPException(404, str(error)) from error
        if not path.is_file():
            raise HTTPException(404, f"There is no {path.name} in {path.parent}: run `make build`.")
        return FileResponse(path, media_type="text/javascript")

    async def _messages(self) -> AsyncIterator[ServerSentEvent]:
        figures = Figures()
        skipped = len(self._ledger.entries()) - MAX_SHOWN
        yield ServerSentEvent("{}", event="cleared")
        async for entries in self._ledger.follow():
            if entries is None:
                figures = Figures()
                yield ServerSentEvent("{}", event="cleared")
            for entry in entries or []:
                figures.count(entry.body)
                skipped -= 1
                if skipped < 0:
                    yield message("entry", self._describe(entry))
            yield message("figures", figures.summary())

    def _describe(self, entry: Entry) -> dict[str, object]:
        return {
            "sequence": entry.sequence,
            "received": entry.received,
            "body": entry.body,
            "words": narrate(entry.body, self._name),
            "transit": self._transits.find(entry.sequence, entry.body),
            "sources": explain(self._transits.sources(entry.sequence, entry.body)),
        }


def message(event: str, data: object) -> ServerSentEvent:
    """Return a server-sent event with JSON data."""
    return ServerSentEvent(msgspec.json.encode(data).decode(), event=event)
