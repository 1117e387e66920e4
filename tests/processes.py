"""Runs commands of the project as processes."""

import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

from tests.polling import TIMEOUT

# The credentials of the relays and the sandboxes of tests.
KEY, APPLICATION = "test-key-4711", "test-app"
RELAY = "neuralens_relay.cli:relay"
SANDBOX = "neuralens_demo.cli:sandbox"


class Process:
    """A server command on a free port; ``url`` is the address that it prints."""

    def __init__(
        self,
        command: str,
        *,
        environment: dict[str, str],
        cwd: Path,
        descriptors: int | None = None,
    ) -> None:
        """``command`` is MODULE:FUNCTION; ``descriptors`` limits open files."""
        self._command = command
        self._environment = environment
        self._cwd = cwd
        self._descriptors = descriptors
        self._log = cwd / f"{command.rpartition(':')[2]}-{uuid4()}.log"
        self.start()

    def start(self) -> None:
        """Start or restart the command."""
        module, name = self._command.split(":")
        with self._log.open("ab") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, "-c", f"from {module} import {name}; {name}()", "--port", "0"],
                cwd=self._cwd,
                env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **self._environment},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=lower_descriptors(self._descriptors) if self._descriptors else None,
            )
        assert self.popen.stdout
        ready, _, _ = select.select([self.popen.stdout], [], [], TIMEOUT)
        line = self.popen.stdout.readline() if ready else ""
        if "http" not in line:
            self.popen.kill()
            self.popen.communicate()
            raise AssertionError(f"{self._command} did not start: {line!r} {self.errors()}")
        self.url = line.split()[1]

    @property
    def runs(self) -> bool:
        return self.popen.poll() is None

    def errors(self) -> str:
        """Return its standard error."""
        return self._log.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.popen.send_signal(number)
        try:
            return self.popen.wait(TIMEOUT)
        finally:
            self.popen.kill()
            self.popen.wait()
            assert self.popen.stdout
            self.popen.stdout.close()


def lower_descriptors(count: int) -> Callable[[], None]:
    """Return a function that limits the open files of a process."""
    return partial(resource.setrlimit, resource.RLIMIT_NOFILE, (count, count))


def fork(function: Callable[[], object]) -> int:
    """Run a function in a forked process; return its process id."""
    child = os.fork()
    if child == 0:
        signal.alarm(int(TIMEOUT))
        try:
            function()
            os._exit(0)
        finally:
            os._exit(2)
    return child


def join(child: int) -> int:
    """Wait for a forked process; return its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
