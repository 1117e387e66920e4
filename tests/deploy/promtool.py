"""Alerts on the metrics of real relays, evaluated by Prometheus's own promtool."""

import json
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.conftest import DEPLOY, program

ALERTS = DEPLOY / "prometheus" / "alerts.yml"
TARGET = {"job": "neuralens", "instance": "relay:8787"}
# A scrape: the value of each series, by name and labels.
Scrape = dict[str, float]


def series(name: str, labels: Mapping[str, str]) -> str:
    """Return a series in PromQL, with the labels that Prometheus adds."""
    pairs = ", ".join(f"{key}={json.dumps(value)}" for key, value in {**labels, **TARGET}.items())
    return f"{name}{{{pairs}}}"


def read_metrics(text: str) -> Scrape:
    """Return the scrape of a relay's metrics."""
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    found = {series(each.name, each.labels): each.value for each in samples}
    return {**found, series("up", {}): 1.0}


def unreachable() -> Scrape:
    """Return the scrape of a relay that does not respond."""
    return {series("up", {}): 0.0}


@dataclass(frozen=True)
class History:
    """What Prometheus has scraped of a relay: ``before`` in the first hour, then ``after``.

    That is for ``minutes``, every ``interval`` minutes. ``growing``: seconds by which the age of
    the oldest event grows from one scrape to the next.
    """

    before: Scrape
    after: Scrape
    minutes: int = 20
    growing: float = 0.0
    interval: int = 1

    def series(self) -> list[dict[str, str]]:
        """Return the series in promtool's notation."""
        rows = []
        for name in {**self.before, **self.after}:
            old, new = self.before.get(name), self.after.get(name)
            slope = self.growing if name.startswith("neuralens_outbox_oldest_seconds") else 0.0
            hour, rest = 60 // self.interval, self.minutes // self.interval
            first = f"_x{hour}" if old is None else f"{old}+0x{hour}"
            then = "" if new is None else f" {new}+{slope}x{rest}"
            rows.append({"series": name, "values": first + then})
        return rows


def check_alerts(history: History, expected: Collection[str], folder: Path) -> None:
    """Assert by promtool that exactly the expected alerts fire at the end of a history."""
    interval = f"{history.interval}m"
    query = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{60 + history.minutes}m",
        "exp_samples": [{"labels": json_labels(name), "value": 1} for name in expected],
    }
    test = {
        "interval": interval,
        "input_series": history.series(),
        "promql_expr_test": [query],
    }
    path = folder / "test.yml"
    # JSON is YAML.
    rules = {"rule_files": [str(ALERTS)], "evaluation_interval": interval, "tests": [test]}
    path.write_text(json.dumps(rules))
    done = subprocess.run(
        [program("promtool"), "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def json_labels(alert: str) -> str:
    """Return the labels of one row of the expected alerts."""
    return f"{{alertname={json.dumps(alert)}}}"
