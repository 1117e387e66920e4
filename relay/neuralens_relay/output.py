"""Writes to standard output and error, which may stop being read.

A pager, a collector or a service manager that hangs must not stop the relay, too: a write to a full
pipe blocks until somebody reads.
"""

import logging
import os
import select
from contextlib import suppress
from typing import TextIO

# Bytes that can be written without blocking, if any can (PIPE_BUF on Linux).
PIECE = 4096
# Seconds for which a reader may be busy.
PATIENCE = 0.1


class Output(logging.Handler):
    """Writes records to a stream, and drops those that nobody reads.

    ``stream`` is None if the process was started without it.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        # The number is not known in advance: without the stream it may be that of any other file.
        self._descriptor = None if stream is None else stream.fileno()
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, preceded by the number of those dropped before it."""
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        self.write(text)

    def write(self, text: str) -> None:
        """Write a line, preceded by the number of those dropped before it."""
        text = f"{text}\n"
        if self._dropped:
            text = f"\n{self._dropped} messages were dropped, because nobody read the log\n{text}"
        # The disk may be full, or the reader of the pipe gone.
        with suppress(OSError):
            self._write(text.encode(errors="backslashreplace"))

    def _write(self, rest: bytes) -> None:
        if self._descriptor is None:
            return
        while rest:
            # It was waited for once.
            patience = 0 if self._dropped else PATIENCE
            if not select.select([], [self._descriptor], [], patience)[1]:
                self._dropped += 1
                return
            rest = rest[os.write(self._descriptor, rest[:PIECE]) :]
        self._dropped = 0
