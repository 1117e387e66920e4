"""Reads the bodies of requests, within bounds of time, of size and of memory.

A body counts from the first byte that has arrived until its events are stored. Its declared length
does not: it takes no memory, and whoever declares much and sends little would keep others out.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from neuralens_tracker.vocabulary import MAX_BATCH_BYTES
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from neuralens_relay.responses import CLOSING, retry_later

# Bytes of a refused body that are read and discarded: a client that is still sending when the
# connection is closed never sees the response.
MAX_DRAINED = 1 << 20
BODY_TIMEOUT = 10
# Requests of one sender that may be pending at once, and its fraction (1/SHARE) of all bytes.
MAX_PENDING = 256
SHARE = 16
# Retry-After in seconds.
RETRY_SOON = 1


class Upload:
    """A body of which ``size`` bytes are in memory. ``timeout``: while it is arriving."""

    def __init__(self, sender: str | None) -> None:
        self.sender = sender
        self.size = 0
        self.timeout: asyncio.Timeout | None = None
        self._loop = asyncio.get_running_loop()

    def interrupt(self) -> None:
        """Time out, from any thread."""
        self._loop.call_soon_threadsafe(self._interrupt)

    def _interrupt(self) -> None:
        if self.timeout is not None:
            self.timeout.reschedule(0)


class Uploads:
    """The bodies of pending requests: at most ``limit`` bytes, of one sender a SHARE of them.

    If there is no more memory, the body that has been arriving the longest gives way.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = max(limit // SHARE, MAX_BATCH_BYTES)
        # Requests may come from several event loops, each with its thread.
        self._changing = threading.Lock()
        self._size = 0
        self._sizes: Counter[str | None] = Counter()
        self._requests: Counter[str | None] = Counter()
        # The longest arriving first.
        self._arriving: dict[Upload, None] = {}
        self._stopping = False

    def stop_reading(self) -> None:
        """Time out requests whose bodies are still arriving, because the server shuts down."""
        with self._changing:
            self._stopping = True
            for upload in self._arriving:
                upload.interrupt()

    @asynccontextmanager
    async def receive(self, request: Request, sender: str | None) -> AsyncIterator[bytes]:
        """Read a body, which counts until the end of the context; raise HTTPException.

        ``sender`` is None for one that has no share.
        """
        upload = Upload(sender)
        with self._changing:
            if sender is not None and self._requests[sender] >= MAX_PENDING:
                raise too_many()
            self._requests[sender] += 1
            self._arriving[upload] = None
        try:
            body = await self._read(request, upload)
            with self._changing:
                self._arriving.pop(upload, None)
            yield body
        finally:
            with self._changing:
                self._arriving.pop(upload, None)
                self._requests[sender] -= 1
                self._release(upload)
                for counter in (self._requests, self._sizes):
                    if not counter[sender]:
                        del counter[sender]

    async def _read(self, request: Request, upload: Upload) -> bytes:
        """Read a body; one that is refused is drained first."""
        body = bytearray()
        size = 0
        refusal: HTTPException | None = None
        try:
            async with asyncio.timeout(0 if self._stopping else BODY_TIMEOUT) as upload.timeout:
                try:
                    async for chunk in request.stream():
                        size += len(chunk)
                        refusal = refusal or self._grow(upload, len(chunk))
                        if refusal is None:
                            body += chunk
                            continue
                        body.clear()
                        if size > MAX_DRAINED:
                            break
                finally:
                    upload.timeout = None
        except TimeoutError:
            raise retry_later(
                503, "the body took too long to arrive", RETRY_SOON, CLOSING
            ) from None
        except ClientDisconnect:
            raise retry_later(503, "the body is incomplete", RETRY_SOON) from None
        if refusal is not None:
            raise refusal
        return bytes(body)

    def _grow(self, upload: Upload, size: int) -> HTTPException | None:
        """Count bytes that have arrived; return why there is no memory for them."""
        with self._changing:
            refusal = self._find_refusal(upload, size)
            if refusal is None:
                self._size += size
                self._sizes[upload.sender] += size
                upload.size += size
            else:
                self._release(upload)
        return refusal

    def _find_refusal(self, upload: Upload, size: int) -> HTTPException | None:
        """Return why a body may not grow; others give way to it."""
        if upload.size + size > MAX_BATCH_BYTES:
            return HTTPException(413, f"the body is over {MAX_BATCH_BYTES} bytes", CLOSING)
        if upload.sender is not None and self._sizes[upload.sender] + size > self._share:
            return too_many()
        while self._size + size > self._limit:
            others = (each for each in self._arriving if each is not upload and each.size > 0)
            other = next(others, None)
            if upload not in self._arriving or other is None:
                return retry_later(503, "too many requests are pending", RETRY_SOON, CLOSING)
            del self._arriving[other]
            self._release(other)
            other.interrupt()
        return None

    def _release(self, upload: Upload) -> None:
        self._size -= upload.size
        self._sizes[upload.sender] -= upload.size
        upload.size = 0


def too_many() -> HTTPException:
    """Return the refusal of a sender that has too many requests, or too large ones."""
    return retry_later(429, "too many requests at once from this address", RETRY_SOON, CLOSING)
