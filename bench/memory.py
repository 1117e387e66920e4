"""The relay's memory during ten minutes of load, all of which it stores and forwards.

Resident memory is read every ten seconds, and the last minute compared with the first.
The baseline (see ``bench.baseline``) gets the same load at the same time.
"""

import asyncio
from pathlib import Path
from statistics import median

from bench.relay import BASELINE, RELAY, Server, launch, send_at_rate, serve
from bench.report import Bound, Report

SIZE = 5
RATE = 200
MINUTES = 10
# Seconds between two samples, and samples per minute.
INTERVAL = 10
PER_MINUTE = 6
# The most by which memory may grow.
MAX_RATIO = 1.1


def measure() -> Report:
    """Measure relay and baseline."""
    report = Report(
        f"Resident memory in MiB during {MINUTES} minutes of {RATE} events per second",
        ("server", "first minute", "last minute", "peak"),
    )
    with (
        serve(("-m", "bench.slow_api", "0")) as api,
        launch(RELAY, {"NEURALENS_API_URL": api}) as relay,
        launch(BASELINE) as baseline,
    ):
        samples = asyncio.run(load({"relay": relay, "baseline": baseline}))
    for name, values in samples.items():
        first = median(values[:PER_MINUTE])
        last = median(values[-PER_MINUTE:])
        report.rows.append((name, f"{first:.1f}", f"{last:.1f}", f"{max(values):.1f}"))
        report.bounds.append(Bound(f"growth, {name}", last / first, MAX_RATIO))
    return report


async def load(servers: dict[str, Server]) -> dict[str, list[float]]:
    """Send to all servers; return the resident memory of each after every interval."""
    samples: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(MINUTES * PER_MINUTE):
        await asyncio.gather(
            *[send_at_rate(server.url, SIZE, RATE, INTERVAL) for server in servers.values()]
        )
        for name, server in servers.items():
            samples[name].append(resident(server.pid))
    return samples


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = next(line for line in lines if line.startswith("VmRSS:")).split()[1]
    return int(kib) / 1024
