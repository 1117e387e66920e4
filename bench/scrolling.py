"""What the tracker costs while a shopper scrolls through a list that is rendered in part.

The page shows 10,000 tiles in four columns, of which only those in the window have elements: while
it scrolls, each element becomes one tile after another. Each sample is a new Chromium whose
processor is slowed four times; it scrolls through the whole list, the same way each frame, with the
tracker or without. ``frame`` is the mean time between two frames, ``worst in twenty`` the 95th
percentile, ``busy`` the main thread's tasks a frame, by the browser's own trace.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from neuralens_embed.bundles import read
from playwright.sync_api import Page, sync_playwright

from bench.chromium import fresh_page, slow_down, traced
from bench.report import Bound, Report, spread
from bench.site import APPLICATION, serve
from bench.start import IDLE

SLOWDOWN = 4
SAMPLES = 4
TILES = 10_000
FRAMES = 250
HERE = Path(__file__).parent / "page"
COLUMNS = ("frame", "worst in twenty", "busy")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chairs</title>
<link rel="icon" href="data:,"><style>
ul { position: relative; margin: 0; padding: 0 }
li { position: absolute; inline-size: 24%; block-size: 180px; list-style: none }
</style></head><body><main data-nl-page="CATEGORY_PAGE"><ul data-nl-list="all"></ul></main>
</body></html>"""
# The time between frames with the tracker, of that without it.
MOST = 1.05


def measure() -> Report:
    """Measure the page with the tracker and without, in turn."""
    subjects = {"without": "", "with the tracker": read("neuralens.js")}
    taken: Mapping[str, dict[str, list[float]]] = {name: defaultdict(list) for name in subjects}
    with serve({"/list": PAGE}) as url, sync_playwright() as playwright:
        for _ in range(SAMPLES):
            for name, code in subjects.items():
                with fresh_page(playwright) as page:
                    page.goto(f"{url}/list")
                    for column, value in sample(page, code).items():
                        taken[name][column].append(value)
    return report(taken)


def sample(page: Page, code: str) -> dict[str, float]:
    """Scroll through the list; return milliseconds by column."""
    slow_down(page, SLOWDOWN)
    page.evaluate(IDLE)
    given = {
        "code": code,
        "settings": {"appId": APPLICATION},
        "tiles": TILES,
        "frames": FRAMES,
    }
    with traced(page, "begin", "end") as trace:
        found = page.evaluate((HERE / "scroll.js").read_text("utf-8"), given)
    if code and found["views"] == 0:
        raise AssertionError("the tracker has seen no tile after the scroll")
    frames = sorted(found["frames"])
    times = (sum(frames) / len(frames), frames[len(frames) * 19 // 20], sum(trace.tasks) / FRAMES)
    return dict(zip(COLUMNS, times, strict=True))


def report(taken: Mapping[str, Mapping[str, Sequence[float]]]) -> Report:
    """Return the medians, and what the bound says of them."""
    without, with_tracker = (median(row["frame"]) for row in taken.values())
    return Report(
        f"A scroll through {TILES:,} virtualised tiles in {FRAMES} frames, "
        f"the CPU slowed {SLOWDOWN} times, ms: median of {SAMPLES} browsers (range)",
        ("", *COLUMNS),
        [(name, *(spread(row[column]) for column in COLUMNS)) for name, row in taken.items()],
        bounds=[
            Bound("time between frames, of that without the tracker", with_tracker / without, MOST)
        ],
    )
