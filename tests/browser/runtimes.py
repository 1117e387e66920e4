"""The runtimes of the browser tests, and which tests of them are nightly."""

import pytest
from neuralens_embed import bundles
from neuralens_embed.snippet import RUNTIMES


def built_runtimes() -> list[str]:
    """Return the runtimes whose bundles are built, and the default one."""
    try:
        files = bundles.manifest()
    except bundles.NotBuiltError:
        files = {}
    return [name for name, file in RUNTIMES.items() if file in files or name == "javascript"]


@pytest.fixture(params=built_runtimes())
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def is_nightly(item: pytest.Item) -> bool:
    """Return whether a test is a repetition on a heavy runtime.

    The journey in Chromium always runs on all three, and the tests of the early script always run
    on Brython.
    """
    callspec = getattr(item, "callspec", None)
    runtime = callspec.params.get("runtime") if callspec else None
    engine = callspec.params.get("engine", "chromium") if callspec else "chromium"
    always = (item.path.name == "test_journey.py" and engine == "chromium") or (
        item.path.name == "test_early.py" and runtime == "brython"
    )
    return runtime in ("brython", "pyscript") and not always
