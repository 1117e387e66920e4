"""Diagnoses faults from the observations: each cause once, with its remedy.

A fault masks those behind it: without the script there are no events, and an endpoint that does
not respond cannot reject the application id. Therefore the path of an event is followed from the
tag to the API, and only the first fault on it is reported. Faults of the markup, and of
the events that it leads to, are independent of that path.
"""

from collections.abc import Iterator

from neuralens_verify.delivery import check_consent, check_delivery, check_relay
from neuralens_verify.events import check_events
from neuralens_verify.findings import Finding
from neuralens_verify.loading import check_loads, check_script, check_tags
from neuralens_verify.markup import check_markup
from neuralens_verify.observations import Observations


def diagnose(seen: Observations) -> list[Finding]:
    """Return the findings, the first one of each cause."""
    if reloads := next(check_loads(seen), None):
        # A page that does not stay cannot be diagnosed further.
        return [reloads]
    markup = list(check_markup(seen))
    findings = [*diagnose_path(seen), *markup, *check_events(seen, markup)]
    return list({finding.cause: finding for finding in reversed(findings)}.values())[::-1]


def diagnose_path(seen: Observations) -> Iterator[Finding]:
    """Yield duplicate tags, and the first fault that stops an event on its path."""
    for view in seen.views:
        yield from check_tags(view)
    for view in seen.views:
        if finding := check_script(seen, view):
            yield finding
            return
    for check in (check_delivery, check_consent, check_relay):
        if finding := check(seen):
            yield finding
            return
