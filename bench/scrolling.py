"""The tracker's overhead while a shopper scrolls through a virtualized list.

The page has 10,000 tiles in four columns, of which only those in the viewport have elements, which
are recycled while scrolling. Each sample is a new Chromium with a CPU throttled four times, which
scrolls through the whole list at a constant speed, with the tracker or without. ``frame`` is the
mean time between frames, ``p95`` the 95th percentile, ``busy`` the main thread's processor time per
frame, by the browser's trace. The bound is for the time between frames, which is what a shopper
sees; a frame that is ready before the display's refresh hides work, which ``busy`` shows.
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
COLUMNS = ("frame", "p95", "busy")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chairs</title>
<link rel="icon" href="data:,"><style>
ul { position: relative; margin: 0; padding: 0 }
li { position: absolute; inline-size: 24%; block-size: 180px; list-style: none }
</style></head><body><main data-nl-page="CATEGORY_PAGE"><ul data-nl-list="all"></ul></main>
</body></html>"""
# With the tracker, divided by without.
MAX_RATIO = 1.05


def measure() -> Report:
    """Measure the page with and without the tracker, alternately."""
    subjects = {"without": "", "with the tracker": read("neuralens.js")}
    samples: Mapping[str, dict[str, list[float]]] = {name: defaultdict(list) for name in subjects}
    with serve({"/list": PAGE}) as url, sync_playwright() as playwright:
        for _ in range(SAMPLES):
            for name, code in subjects.items():
                with fresh_page(playwright) as page:
                    page.goto(f"{url}/list")
                    for column, value in sample(page, code).items():
                        samples[name][column].append(value)
    return report(samples)


def sample(page: Page, code: str) -> dict[str, float]:
    """Scroll through the list; return milliseconds by column."""
    slow_down(page, SLOWDOWN)
    page.evaluate(IDLE)
    arguments = {
        "code": code,
        "settings": {"appId": APPLICATION},
        "tiles": TILES,
        "frames": FRAMES,
    }
    with traced(page, "begin", "end") as trace:
        found = page.evaluate((HERE / "scroll.js").read_text("utf-8"), arguments)
    if code and found["views"] == 0:
        raise AssertionError("the tracker has captured no view")
    frames = sorted(found["frames"])
    return {
        "frame": sum(frames) / len(frames),
        "p95": frames[len(frames) * 19 // 20],
        "busy": trace.processor / FRAMES,
    }


def report(samples: Mapping[str, Mapping[str, Sequence[float]]]) -> Report:
    """Return the medians and the bounds."""
    without, with_tracker = samples.values()
    ratio = median(with_tracker["frame"]) / median(without["frame"])
    return Report(
        f"Scrolling through {TILES:,} virtualized tiles in {FRAMES} frames, "
        f"CPU throttled {SLOWDOWN} times, ms: median of {SAMPLES} browsers (range)",
        ("", *COLUMNS),
        [(name, *(spread(row[column]) for column in COLUMNS)) for name, row in samples.items()],
        bounds=[Bound("time between frames, with the tracker / without", ratio, MAX_RATIO)],
    )
