"""The inspector: every event as the sandbox took it, live, and what they add up to."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from neuralens_embed.bundles import NotBuiltError, directory
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from neuralens_demo.callers import OwnCallers
from neuralens_demo.figures import Figures
from neuralens_demo.forms import check_origin
from neuralens_demo.ledger import Entry, Ledger
from neuralens_demo.narration import explain, narrate
from neuralens_demo.waypoints import Waypoints

# Events that a window shows when it is opened; the figures count all there are.
SHOWN = 300
TEMPLATES = Environment(
    loader=PackageLoader("neuralens_demo"), autoescape=True, undefined=StrictUndefined
)


class Inspector:
    """The endpoints, over the sandbox's ledger.

    ``title`` is whose events these are, ``shop`` the address of that shop where it is known, and
    ``name`` turns a product's id into words.
    """

    def __init__(
        self,
        ledger: Ledger,
        waypoints: Waypoints,
        title: str,
        shop: str | None,
        name: Callable[[str], str] = str,
    ) -> None:
        self._ledger = ledger
        self._waypoints = waypoints
        self._page = TEMPLATES.get_template("inspector.html").render(title=title, shop=shop)
        self._name = name

    def routes(self) -> list[Route]:
        """Return the routes, at /inspector; its scripts and styles are those of STATIC."""
        own = [Middleware(OwnCallers)]
        return [
            Route("/inspector", self.page, middleware=own),
            Route("/inspector/stream", self.stream, middleware=own),
            Route("/inspector/sources", self.sources, methods=["POST"], middleware=own),
            Route("/inspector/clear", self.clear, methods=["POST"], middleware=own),
            Route("/inspector/chart.js", self.chart_library),
        ]

    async def page(self, request: Request) -> Response:
        """Show the page, which fills itself from the stream."""
        return HTMLResponse(self._page)

    async def stream(self, request: Request) -> Response:
        """Stream ``entry`` for each event, ``figures`` after each lot, ``cleared`` when cleared.

        It always begins with ``cleared`` and the newest events, so that a window that has lost its
        connection shows the truth again.
        """
        return EventSourceResponse(self._messages())

    async def clear(self, request: Request) -> Response:
        """Forget all events."""
        check_origin(request)
        self._ledger.clear()
        return Response(status_code=204)

    async def sources(self, request: Request) -> Response:
        """Note where an event has its rank and its query from, as the shop's page was told."""
        check_origin(request)
        self._waypoints.note_sources(await request.body())
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
        skipped = len(self._ledger.entries()) - SHOWN
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

    def _describe(self, entry: Entry) -> dict[str, Any]:
        return {
            "sequence": entry.sequence,
            "received": entry.received,
            "body": entry.body,
            "words": narrate(entry.body, self._name),
            "way": self._waypoints.find(entry.sequence, entry.body),
            "sources": explain(self._waypoints.sources(entry.sequence, entry.body)),
        }


def message(event: str, data: object) -> ServerSentEvent:
    """Return a server-sent event with JSON in it."""
    return ServerSentEvent(msgspec.json.encode(data).decode(), event=event)
