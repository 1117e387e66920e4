"""Use of the installed wheel in a shop: the snippet, the audit, and an event through the relay.

Run by the interpreter of an environment that holds the wheel, and no test's library. Prints what
it saw as JSON.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("neuralens-tracker"))
TIMEOUT = 60
SECRETS = {"NEURALENS_API_KEY": "key", "NEURALENS_APPLICATION_ID": "APP"}


@contextmanager
def running(command, **variables):
    """Run a server command; yield the address that it prints."""
    process = subprocess.Popen(
        [PROGRAM, command, "--port", "0"],
        env={**os.environ, **SECRETS, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        yield re.search(r"http://[^\s)]+", line)[0]
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def batch():
    """Return a batch with one event, as the tracker sends it."""
    now = time.time()
    event = {"eid": "1", "event": "SHARE", "items": [{"id": "A"}], "timestamp": int(now)}
    head = {"v": 1, "app": "APP", "batch": "b", "sent": now, "lost": 0}
    return json.dumps({**head, "events": [event]}).encode()


def post(address):
    """Post a batch as a page of the relay's origin does; return the response."""
    host = re.search("//([^/]+)", address)[1]
    request = urllib.request.Request(
        f"{address}/events?b=b",
        batch(),
        {"Content-Type": "text/plain", "Origin": f"http://{host}"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.load(answer)


def journey(outbox):
    """Return the ids that a stand-in for the API received, through a relay with a new outbox."""
    with (
        running("sandbox") as api,
        running(
            "relay", NEURALENS_API_URL=f"{api}/analytics/event", NEURALENS_OUTBOX=outbox
        ) as relay,
    ):
        accepted = post(relay)["accepted"]
        deadline = time.monotonic() + TIMEOUT
        entries = []
        while not entries and time.monotonic() < deadline:
            time.sleep(0.05)
            with urllib.request.urlopen(f"{api}/ledger", timeout=TIMEOUT) as answer:
                entries = json.load(answer)
        return accepted, [entry["body"]["items"][0]["id"] for entry in entries]


def main():
    from jinja2 import Environment
    from neuralens_embed.jinja import install

    environment = Environment(autoescape=True)
    install(environment, app_id="APP")
    template = environment.from_string("{{ neuralens_snippet() }}<p {{ nl.product('A', 3) }}>")
    page = template.render()
    command = [PROGRAM, "audit", "--format", "json"]
    audit = subprocess.run(command, input=page, capture_output=True, text=True, check=True)
    accepted, received = journey("sqlite:///outbox.db")
    names = sys.argv[1:]
    print(
        json.dumps(
            {
                "page": page,
                "audit": json.loads(audit.stdout),
                "accepted": accepted,
                "received": received,
                "versions": {name: version(name) for name in names},
            }
        )
    )


if __name__ == "__main__":
    main()
