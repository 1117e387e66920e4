"""The runtimes that the browser tests go through, and which of them wait for the night."""

import pytest
from neuralens_embed import bundles
from neuralens_embed.snippet import RUNTIMES


def built_runtimes() -> list[str]:
    """Return the runtimes whose bundles were built; the default one in any case."""
    try:
        files = bundles.manifest()
    except bundles.NotBuiltError:
        files = {}
    return [name for name, file in RUNTIMES.items() if file in files or name == "javascript"]


@pytest.fixture(params=built_runtimes())
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def is_nightly(item: pytest.Item) -> bool:
    """Tell whether a test repeats on a heavy runtime what the default one has shown.

    The journey in Chromium always runs on all three, and what Brython's early part keeps in any
    case.
    """
    callspec = getattr(item, "callspec", None)
    runtime = callspec.params.get("runtime") if callspec else None
    engine = callspec.params.get("engine", "chromium") if callspec else "chromium"
    always = (item.path.name == "test_journey.py" and engine == "chromium") or (
        item.path.name == "test_early.py" and runtime == "brython"
    )
    return runtime in ("brython", "pyscript") and not always
