"""The runtimes of the browser tests, and which tests of them are nightly."""

from collections.abc import Iterable

import pytest
from neuralens_embed import bundles
from neuralens_embed.snippet import HEAVY, RUNTIMES

# What each runtime itself cannot do without, whatever the tracker does: the names of the cases that
# take it away.
NEEDED = {
    "brython": [
        "JSON is replaced later",
        "accessors of every object",
        "additions to objects",
        "frozen objects",
        "methods broken later",
        "methods of functions",
        "no proxies",
    ],
    "pyscript": [
        "JSON is replaced later",
        "a variable that shadows a class",
        "console throws",
        "methods broken later",
        "no console",
        "no fetch and no beacons",
        "no proxies",
        "searching throws",
        "time throws",
    ],
}


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


def skip_if_needed(runtime: str, name: str) -> None:
    """Skip a case that takes away what the runtime itself needs."""
    if name in NEEDED.get(runtime, []):
        pytest.skip(f"{runtime} itself does not run: {name}")


def repetition_of(item: pytest.Item) -> tuple[str, str]:
    """Return the runtime and the browser of a test, "" and "chromium" if it has none."""
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params if callspec else {}
    return parameters.get("runtime", ""), parameters.get("engine", "chromium")


def is_nightly(item: pytest.Item) -> bool:
    """Return whether a test is a repetition on a heavy runtime.

    The journey in Chromium always runs on all three, and the tests of the early script always run
    on Brython.
    """
    runtime, engine = repetition_of(item)
    always = (item.path.name == "test_journey.py" and engine == "chromium") or (
        item.path.name == "test_early.py" and runtime == "brython"
    )
    return runtime in HEAVY and not always


def find_redundant(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the repetitions on a heavy runtime, or in another browser, that show nothing new.

    That a heavy runtime works in other browsers is shown by the journey. Of a test marked
    ``one_case`` only the first case is repeated.
    """
    redundant = set()
    repeated = set()
    for item in items:
        runtime, engine = repetition_of(item)
        is_heavy, is_elsewhere = runtime in HEAVY, engine != "chromium"
        if item.path.name == "test_journey.py" or not (is_heavy or is_elsewhere):
            continue
        # Not by the indices of its parameters: pytest counts them across runtimes and browsers.
        repetition = (item.nodeid.partition("[")[0], runtime, engine)
        is_one_case = item.get_closest_marker("one_case") is not None
        if (is_heavy and is_elsewhere) or (is_one_case and repetition in repeated):
            redundant.add(item)
        repeated.add(repetition)
    return redundant
