"""Static checks of the dashboard, the unit and the image."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from neuralens_embed.cli import main
from neuralens_relay.settings import describe

from tests.deploy.conftest import DEPLOY, program
from tests.deploy.promtool import ALERTS, read_metrics

DASHBOARD = json.loads((DEPLOY / "grafana" / "relay.json").read_text())
UNIT = DEPLOY / "neuralens-relay.service"
EXPRESSIONS = [each["expr"] for panel in DASHBOARD["panels"] for each in panel["targets"]]
# Variables that Grafana substitutes.
VARIABLES = {"$__rate_interval": "5m", "$job": "neuralens"}


def test_dashboard_and_alerts_use_the_relays_metrics(spawn, api_down):
    client, _ = spawn(api_down)
    known = {name.partition("{")[0] for name in read_metrics(client.http.get("metrics").text)}
    used = set(re.findall(r"\bneuralens_\w+", " ".join(EXPRESSIONS) + ALERTS.read_text()))
    assert used - known == set()
    # The dashboard shows all metrics, except those that others imply.
    shown = {name.removesuffix("_total").removesuffix("_bucket") for name in used}
    kept = {name.removesuffix("_total") for name in known if not name.endswith("_created")}
    more = {"up", "neuralens_forward_seconds_sum", "neuralens_forward_seconds_count"}
    more |= {"neuralens_forwarding_paused", "neuralens_forwarding_holding"}
    more |= {"neuralens_forward_seconds_bucket"}
    assert kept - shown == more


def test_prometheus_understands_the_dashboard(tmp_path):
    rules = []
    for number, text in enumerate(EXPRESSIONS):
        for name, value in VARIABLES.items():
            text = text.replace(name, value)
        rules.append({"record": f"panel:{number}", "expr": text})
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    check(program("promtool"), "check", "rules", path)


def test_prometheus_understands_its_files():
    check(program("promtool"), "check", "config", DEPLOY / "prometheus" / "prometheus.yml")


def check(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def settings_of(text: str) -> set[str]:
    return set(re.findall(r"\bNEURALENS_[A-Z_]*[A-Z]\b", text))


def test_all_settings_exist():
    known = {each.variable for each in describe()} | {"NEURALENS_RELAY"}
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert settings_of(path.read_text()) - known == set(), path.name


@pytest.mark.parametrize("path", [UNIT, DEPLOY / "Dockerfile"], ids=lambda path: path.name)
def test_the_started_command_exists(path: Path):
    text = path.read_text().replace('", "', " ")
    (call,) = re.findall(r'(?:^CMD \["|bin/neuralens-tracker )(relay [^"\n]+)', text, re.M)
    name, *options = call.split()
    context = main.make_context("neuralens-tracker", [name, *options], resilient_parsing=True)
    command = main.get_command(context, name)
    assert command is not None
    parsed = command.make_context(name, options)
    assert parsed.params["port"] == 8787


def test_systemd_accepts_the_unit(tmp_path):
    """The unit is adapted to the path of an installed program."""
    tracker = tmp_path / "neuralens-tracker"
    tracker.write_text("#!/bin/sh\n")
    tracker.chmod(0o755)
    text = UNIT.read_text()
    assert "/opt/neuralens/bin/neuralens-tracker" in text
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/neuralens/bin/neuralens-tracker", str(tracker)))
    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    # Exposure from 0 (most secure) to 10.
    check(program("systemd-analyze"), "security", "--offline=yes", "--threshold=15", unit)
