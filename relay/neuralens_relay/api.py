"""The HTTP client of the event API: one event per request."""

import html
import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from traceback import format_tb
from typing import Self
from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp.connector import Connection
from neuralens_embed.names import LOCAL_HOSTS

from neuralens_relay.answers import Answer, Fate, read_answer
from neuralens_relay.notices import Notices
from neuralens_relay.settings import Settings, variable

log = logging.getLogger(__name__)

# Bytes; the documented response has a few dozen.
MAX_ANSWER = 65536
# Characters of a reason that are kept.
MAX_REASON = 500
REDACTED = "[key]"


class UnexpectedDataError(aiohttp.ClientConnectionError):
    """The API has sent something on a connection before the request."""


# Failures before anything was sent: the API cannot have accepted the event.
UNSENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, UnexpectedDataError)


class Request(aiohttp.ClientRequest):
    """A request that is not sent if a response already waits: aiohttp would take it for its own."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request; raise UnexpectedDataError, which closes the connection."""
        if conn.protocol is None or conn.protocol.should_close:
            raise UnexpectedDataError("a response came before the request")
        return await super().send(conn)


class ApiClient:
    """Sends events over keep-alive connections. An async context manager, for one event loop."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        """``clock`` returns Unix time."""
        self._settings = settings
        self._clock = clock
        self._key = key_pattern(settings.api_key)
        self._notices = Notices(log, monotonic)

    async def __aenter__(self) -> Self:
        """Open the session."""
        address = urlsplit(self._settings.api_url)
        if address.scheme == "http" and address.hostname not in LOCAL_HOSTS:
            log.warning("%s is not https: the key is sent in clear text", variable("api_url"))
        # aiohttp rather than httpx, which needs several times the CPU with many in flight.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._settings.concurrency),
            timeout=aiohttp.ClientTimeout(
                total=self._settings.timeout, sock_connect=self._settings.timeout / 2
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "X-Neuralens-API-Key": f"Bearer {self._settings.api_key}",
                "X-Neuralens-Application-ID": self._settings.application_id,
                "Content-Type": "application/json",
            },
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            request_class=Request,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def send(self, body: bytes) -> Answer:
        """Send one event and classify the response; never raises."""
        try:
            # Following a redirect would send the key to another host.
            async with self._session.post(
                self._settings.api_url, data=body, allow_redirects=False
            ) as response:
                content = await read_bounded(response)
                answer = read_answer(response.status, response.headers, content, self._clock())
        except TimeoutError as error:
            reason = f"no answer within {self._settings.timeout:g} seconds"
            answer = Answer(Fate.RETRY, reason, ambiguous=not isinstance(error, UNSENT))
        except Exception as error:
            # Any failure must leave the event to be retried.
            reason = f"{type(error).__name__}: {error}"
            answer = Answer(Fate.RETRY, reason, ambiguous=not isinstance(error, UNSENT))
            if not isinstance(error, (aiohttp.ClientError, OSError)):
                # Without the traceback's last line: it may quote a response that echoes the key.
                trace = "".join(format_tb(error.__traceback__))
                safe = sanitize(reason, self._key)
                kind = type(error).__name__
                self._notices.log(
                    logging.ERROR, kind, "unexpected error in a request: %s\n%s", safe, trace
                )
        return replace(answer, reason=sanitize(answer.reason, self._key))


def key_pattern(key: str) -> re.Pattern[str]:
    """Return a pattern of the key, also escaped, and in lower case, as in a redirect's host."""
    escaped = {key, json.dumps(key)[1:-1], quote(key, safe=""), html.escape(key)}
    longest_first = sorted(escaped, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def sanitize(reason: str, key: re.Pattern[str]) -> str:
    """Return a reason as one short line without the key, which a response may echo."""
    line = key.sub(REDACTED, reason)[:MAX_REASON]
    return "".join(character if character.isprintable() else " " for character in line)


async def read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response, truncated to MAX_ANSWER bytes."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) >= MAX_ANSWER:
            response.close()
            break
    return bytes(content[:MAX_ANSWER])
