"""The cost of each of the tracker's runtimes.

Each sample is a new Chromium, at full speed or with a CPU throttled four times, and a page of 24
products with the snippet of one runtime, served by a relay on loopback; the baseline is the page
without a snippet. ``bytes`` is the transfer size of all responses, including headers, by Resource
Timing. ``ready`` is the time from the start of the navigation until the tracker listens; for the
baseline, until the page's load event. ``long tasks`` is the total duration of tasks over 50 ms,
until one second after that. ``click to beacon`` is the time from a real click on a product's link
to the beacon that is sent while the page unloads; for the baseline, until the page is unloaded.

"brython, source" is the same tracker as Python source with the complete brython.js, as in a page
that runs Python without a build.
"""

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
from neuralens_build import brython, sources
from neuralens_embed.bundles import MANIFEST, directory, manifest
from neuralens_embed.names import RELAY_PATH
from neuralens_embed.snippet import RUNTIMES, Snippet
from playwright.sync_api import Page, sync_playwright

from bench.chromium import fresh_page, slow_down
from bench.report import Bound, Report, spread
from bench.site import APPLICATION, render, serve

SPEEDS = (1, 4)
SAMPLES = 5
TILES = 24
COLUMNS = ("bytes", "ready", "long tasks", "click to beacon")
BASELINE_PAGE = "empty page"
FROM_SOURCE = "brython, source"
INSTRUMENTS = (Path(__file__).parent / "page" / "journey.js").read_text("utf-8")
# The Brython bundle's time to ready, throttled, divided by that of the source.
MAX_OF_SOURCE = 0.65
IS_SETTLED = "() => notes.ready && performance.now() > notes.ready + 1000"
LOADED = "() => (notes.ready = performance.getEntriesByType('navigation')[0].loadEventEnd)"
TRANSFERRED = """() => ["navigation", "resource"]
    .flatMap(kind => performance.getEntriesByType(kind))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""

# The simplest way to run Python in a page with Brython.
SOURCE_PAGE = f"""<script src="{RELAY_PATH}/brython.js"></script>
<script src="{RELAY_PATH}/modules.js" data-app-id="{APPLICATION}"></script>
<script type="text/python">
from neuralens_tracker.main import start
from neuralens_tracker.web.ffi import call, get, window
start(call(get(window, "document"), "querySelector", "script[data-app-id]"))
</script>"""


def measure() -> Report:
    """Measure all runtimes that are built, alternately."""
    built = [name for name, file in RUNTIMES.items() if file in manifest()]
    heads = {
        BASELINE_PAGE: "",
        **{name: Snippet(APPLICATION, runtime=name).render() for name in built},
    }
    if "brython" in built:
        heads[FROM_SOURCE] = SOURCE_PAGE
    pages = {f"/{number}": render(TILES, head) for number, head in enumerate(heads.values())}
    samples: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with (
        with_source() as bundles,
        serve({"/blank": "", **pages}, bundles) as url,
        sync_playwright() as playwright,
    ):
        for name in json.loads((bundles / MANIFEST).read_bytes()):
            # The relay compresses what the build has not at the first request.
            httpx.get(f"{url}{RELAY_PATH}/{name}", timeout=60).raise_for_status()
        for _ in range(SAMPLES):
            for number, name in enumerate(heads):
                for speed in SPEEDS:
                    with fresh_page(playwright) as page:
                        found = sample(page, url, f"/{number}", speed, name == BASELINE_PAGE)
                        for column, value in found.items():
                            samples[name, speed][column].append(value)
    return report(samples, [name for name in RUNTIMES if name not in built])


def sample(page: Page, url: str, path: str, speed: int, is_baseline: bool) -> dict[str, float]:
    """Open the page, click a product once the tracker is ready; return the values by column."""
    # Throttling applies to the renderer process, which the next page of the origin shares.
    page.goto(f"{url}/blank")
    slow_down(page, speed)
    page.add_init_script(INSTRUMENTS)
    page.goto(url + path)
    if is_baseline:
        page.evaluate(LOADED)
    page.wait_for_function(IS_SETTLED)
    notes: dict[str, float] = page.evaluate("() => notes")
    transferred = page.evaluate(TRANSFERRED)
    page.locator("h2").first.click()
    page.wait_for_url("**/blank")
    kept: dict[str, object] = page.evaluate("() => ({...sessionStorage})")
    end = float(kept["left" if is_baseline else "sent"])
    return {
        "bytes": transferred,
        "ready": notes["ready"],
        "long tasks": notes["longTasks"],
        "click to beacon": end - float(kept["clicked"]),
    }


@contextmanager
def with_source() -> Iterator[Path]:
    """Yield a folder with all bundles, the complete brython.js, and the tracker's Python source."""
    with tempfile.TemporaryDirectory() as number:
        folder = Path(number) / "dist"
        shutil.copytree(directory(), folder)
        extra = {
            "brython.js": brython.read_runtime(),
            "modules.js": brython.build_source(sources.read("brython")),
        }
        for name, text in extra.items():
            (folder / name).write_text(text, "utf-8")
        (folder / MANIFEST).write_text(json.dumps({**manifest(), **dict.fromkeys(extra)}), "utf-8")
        yield folder


def report(samples: dict[tuple[str, int], dict[str, list[float]]], missing: list[str]) -> Report:
    """Return the medians and the bound."""
    report = Report(f"Runtimes; ms, median of {SAMPLES} browsers (range)", ("", "CPU", *COLUMNS))
    for (name, speed), row in samples.items():
        cells = [f"{median(row['bytes']):,.0f}", *(spread(row[column]) for column in COLUMNS[1:])]
        report.rows.append((name, f"1/{speed}" if speed > 1 else "1", *cells))
    report.remarks = [f"{name} was skipped: it is not in {MANIFEST}" for name in missing]
    slowed = SPEEDS[-1]
    if ("brython", slowed) in samples:
        ahead, source = (
            median(samples[name, slowed]["ready"]) for name in ("brython", FROM_SOURCE)
        )
        report.bounds = [
            Bound("brython ready, throttled / its source", ahead / source, MAX_OF_SOURCE)
        ]
    return report
