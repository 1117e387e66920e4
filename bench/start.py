"""The main thread's time for starting the tracker and processing a page.

Each sample is a new Chromium with a CPU throttled four times. After the page has loaded, the script
is inserted as one inline element. ``script`` is the duration of that insertion: parsing, compiling,
evaluating and initializing. ``processed`` adds the time of all callbacks of the script (idle
slices, timers, observers) until an observer has reported the last tile: the total work, however it
is sliced. ``ranked`` is the time for a click on every tile, each of which becomes an event with a
rank. ``longest task`` is the longest in the browser's trace of the main thread, including layout
and observers, from before the script until the first product view, which also has a rank.

@snowplow/browser-tracker is started as documented. Its later work is not counted.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from neuralens_build import npm_tools
from neuralens_embed.bundles import read
from playwright.sync_api import Page, sync_playwright

from bench.chromium import fresh_page, slow_down, traced
from bench.report import Bound, Report, spread
from bench.site import APPLICATION, render, serve

SLOWDOWN = 4
SAMPLES = 7
# Milliseconds until a script must have processed the page.
TIMEOUT = 60_000
FEW, MANY = 1_000, 10_000
HERE = Path(__file__).parent / "page"
COLUMNS = ("script", "processed", "ranked", "longest task")
# Wait until a browser that has just started is idle.
IDLE = """() => new Promise((done) => {
  let calm = 0;
  const look = (deadline) => {
    calm = deadline.timeRemaining() > 40 ? calm + 1 : 0;
    if (calm < 20) requestIdleCallback(look);
    else done();
  };
  requestIdleCallback(look);
})"""

# Processing a page, divided by the peer's initialization.
MAX_OF_PEER = 0.35
# The threshold for long tasks: https://www.w3.org/TR/longtasks-1/.
MAX_TASK = 50
# For ten times as many tiles: roughly linear.
MAX_GROWTH = 12


def measure() -> Report:
    """Measure the tracker with few and with many tiles, and the peer, alternately."""
    tracker = read("neuralens.js")
    peer = npm_tools.run_esbuild(str(HERE / "snowplow.js"), "--bundle", "--minify", "--format=iife")
    subjects = {
        "snowplow": (peer, 0),
        f"{FEW:,} tiles": (tracker, FEW),
        f"{MANY:,} tiles": (tracker, MANY),
    }
    samples: Mapping[str, dict[str, list[float]]] = {name: defaultdict(list) for name in subjects}
    pages = {f"/tiles/{count}": render(count) for count in (FEW, MANY)}
    with serve(pages) as url, sync_playwright() as playwright:
        for _ in range(SAMPLES):
            for name, (code, tiles) in subjects.items():
                with fresh_page(playwright) as page:
                    page.goto(f"{url}/tiles/{tiles or FEW}")
                    for column, value in sample(page, code, tiles).items():
                        samples[name][column].append(value)
    return report(samples)


def sample(page: Page, code: str, tiles: int) -> dict[str, float]:
    """Insert the code into a loaded page; return milliseconds by column."""
    page.evaluate((HERE / "clock.js").read_text("utf-8"))
    slow_down(page, SLOWDOWN)
    page.evaluate(IDLE)
    arguments = {
        "code": code,
        "settings": {"appId": APPLICATION},
        "tiles": tiles,
        "timeout": TIMEOUT,
    }
    with traced(page, "begin", "end") as trace:
        found = page.evaluate((HERE / "start.js").read_text("utf-8"), arguments)
    if tiles and found["last"] != tiles - 1:
        raise AssertionError(f"the last of {tiles} tiles has rank {found['last']}")
    return {
        "script": found["evaluated"],
        "processed": found["processed"],
        "ranked": found["ranked"],
        "longest task": max(trace.tasks),
    }


def report(samples: Mapping[str, Mapping[str, Sequence[float]]]) -> Report:
    """Return the medians and the bounds."""
    report = Report(
        f"Start, CPU throttled {SLOWDOWN} times, ms: median of {SAMPLES} browsers (range)",
        ("", *COLUMNS),
        [(name, *(spread(row[column]) for column in COLUMNS)) for name, row in samples.items()],
    )
    peer, few, many = (
        {column: median(row[column]) for column in COLUMNS} for row in samples.values()
    )
    report.bounds = [
        Bound(
            f"{FEW:,} tiles processed / snowplow's script",
            few["processed"] / peer["script"],
            MAX_OF_PEER,
        ),
        *(
            Bound(
                f"{MANY:,} tiles {column} / {FEW:,} tiles {column}",
                many[column] / few[column],
                MAX_GROWTH,
            )
            for column in ("processed", "ranked")
        ),
        Bound(f"longest task with {MANY:,} tiles, ms", many["longest task"], MAX_TASK),
    ]
    return report
