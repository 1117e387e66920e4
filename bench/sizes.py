"""The sizes of the files in dist/: raw, gzip -9 and brotli -11."""

import gzip

from neuralens_build.distribution import BUDGETS, LOAD_BUDGETS
from neuralens_embed.bundles import directory, manifest

from bench.report import Bound, Report


def measure() -> Report:
    """Measure every file in the manifest, and files that load together, against the budgets."""
    report = Report("Sizes of the files in dist/, in bytes", ("", "raw", "gzip", "brotli"))
    for name, entry in manifest().items():
        content = (directory() / name).read_bytes()
        sizes = (len(content), len(gzip.compress(content, 9)), entry["brotli"])
        report.rows.append((name, *(f"{size:,}" for size in sizes)))
        if name in BUDGETS:
            report.bounds.append(Bound(f"brotli bytes of {name}", entry["brotli"], BUDGETS[name]))
    for starts, budget in LOAD_BUDGETS.items():
        load = sum(entry["brotli"] for name, entry in manifest().items() if name.startswith(starts))
        report.bounds.append(Bound(f"brotli bytes of {', '.join(starts)}*", load, budget))
    return report
