"""How long the tracker keeps the main thread busy until it has taken a page in.

Each sample is a new Chromium whose processor is slowed four times. When the page has loaded, the
script is added to it in one inline element. ``script`` is the time from before that element is
added to after, so parsing, compiling, evaluating and initialising. ``taken in`` adds the time in
every callback that the script gave the browser (idle slices, timers, observers), up to the
moment when an observer has told it of the last tile: what the work is cut into counts no less.
``ranked`` is the time for one click on every tile, each of which becomes an event with its rank.
``longest task`` is the longest in the browser's own trace of the main thread, layout and
observers included, from before the script to the first product view, which needs the rank too.

@snowplow/browser-tracker is started as its documents say. What it does later is not counted.
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
# Milliseconds after which a script that still has not taken the page in is at fault.
PATIENCE = 60_000
FEW, MANY = 1_000, 10_000
HERE = Path(__file__).parent / "page"
COLUMNS = ("script", "taken in", "ranked", "longest task")
# A browser that has just started is busy with itself for a while.
IDLE = """() => new Promise((done) => {
  let calm = 0;
  const look = (deadline) => {
    calm = deadline.timeRemaining() > 40 ? calm + 1 : 0;
    if (calm < 20) requestIdleCallback(look);
    else done();
  };
  requestIdleCallback(look);
})"""

# Taking in and initialising, as a part of what the peer needs to initialise.
MOST_OF_PEER = 0.5
# A task that is longer is a long one: https://www.w3.org/TR/longtasks-1/.
MOST_TASK = 50
# Ten times as many tiles may take a little more than ten times as long, and no square.
MOST_GROWTH = 12


def measure() -> Report:
    """Measure the tracker with few tiles and many, and the peer, in turn."""
    tracker = read("neuralens.js")
    peer = npm_tools.run_esbuild(str(HERE / "snowplow.js"), "--bundle", "--minify", "--format=iife")
    subjects = {
        "snowplow": (peer, 0),
        f"{FEW:,} tiles": (tracker, FEW),
        f"{MANY:,} tiles": (tracker, MANY),
    }
    taken: Mapping[str, dict[str, list[float]]] = {name: defaultdict(list) for name in subjects}
    pages = {f"/tiles/{count}": render(count) for count in (FEW, MANY)}
    with serve(pages) as url, sync_playwright() as playwright:
        for _ in range(SAMPLES):
            for name, (code, tiles) in subjects.items():
                with fresh_page(playwright) as page:
                    page.goto(f"{url}/tiles/{tiles or FEW}")
                    for column, value in sample(page, code, tiles).items():
                        taken[name][column].append(value)
    return report(taken)


def sample(page: Page, code: str, tiles: int) -> dict[str, float]:
    """Add the code to a page that has loaded; return milliseconds by column."""
    page.evaluate((HERE / "clock.js").read_text("utf-8"))
    slow_down(page, SLOWDOWN)
    page.evaluate(IDLE)
    given = {
        "code": code,
        "settings": {"appId": APPLICATION},
        "tiles": tiles,
        "patience": PATIENCE,
    }
    with traced(page, "begin", "end") as trace:
        found = page.evaluate((HERE / "start.js").read_text("utf-8"), given)
    if tiles and found["last"] != tiles - 1:
        raise AssertionError(f"the last of {tiles} tiles has rank {found['last']}")
    times = (found["evaluated"], found["taken"], found["ranked"], max(trace.tasks))
    return dict(zip(COLUMNS, times, strict=True))


def report(taken: Mapping[str, Mapping[str, Sequence[float]]]) -> Report:
    """Return the medians, and what the bounds say of them."""
    report = Report(
        f"Start with the CPU slowed {SLOWDOWN} times, ms: median of {SAMPLES} browsers (range)",
        ("", *COLUMNS),
        [(name, *(spread(row[column]) for column in COLUMNS)) for name, row in taken.items()],
    )
    peer, few, many = (
        {column: median(row[column]) for column in COLUMNS} for row in taken.values()
    )
    report.bounds = [
        Bound(
            f"{FEW:,} tiles taken in, of snowplow's script",
            few["taken in"] / peer["script"],
            MOST_OF_PEER,
        ),
        *(
            Bound(
                f"{MANY:,} tiles {column}, of {FEW:,} tiles {column}",
                many[column] / few[column],
                MOST_GROWTH,
            )
            for column in ("taken in", "ranked")
        ),
        Bound(f"longest task with {MANY:,} tiles, ms", many["longest task"], MOST_TASK),
    ]
    return report
