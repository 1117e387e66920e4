"""The command ``neuralens-tracker demo``, as a process."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.polling import TIMEOUT


@dataclass(frozen=True)
class Demo:
    """The addresses of a demo's shop, and of its sandbox's ledger."""

    shop: str
    ledger: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run the demo on free ports."""
    log = tmp_path_factory.mktemp("demo") / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "neuralens-tracker", "demo", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        found = re.findall(r"http://\S+", "".join(lines))
        assert len(found) == 3, log.read_text()
        shop, _, ledger = found
        yield Demo(shop.rstrip("/"), ledger)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
