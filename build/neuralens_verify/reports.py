"""The report of a visit as text, as JSON, or as annotations for GitHub Actions."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from neuralens_embed.annotations import escape_data, escape_property
from neuralens_embed.notation import describe

from neuralens_verify.findings import Finding
from neuralens_verify.observations import Observations

# Without a banner, a visit that should refuse consent shows nothing about it.
NOTHING_REFUSED = "no consent banner found: nothing was refused"


@dataclass(frozen=True)
class Step:
    """A step of the visit: how many events were captured, sent and acknowledged, and which."""

    name: str
    note: str
    url: str
    captured: int
    sent: int
    acknowledged: int
    suppressed: dict[str, int]
    events: list[str]


def steps_of(seen: Observations) -> list[Step]:
    """Return the steps of a visit, in order."""
    urls = {view.step: view.url for view in seen.views}
    steps = []
    for name, note in seen.steps.items():
        events = [event for event in seen.events if event.step == name]
        eids = {event.eid for event in events}
        step = Step(
            name=name,
            note=note,
            url=urls.get(name, ""),
            captured=len(events),
            sent=len(eids & seen.sent),
            acknowledged=len(eids & seen.acknowledged),
            suppressed=count_reasons(seen, name),
            events=[describe(e.name, e.ids, e.index, e.page, e.query) for e in events],
        )
        steps.append(step)
    return steps


def count_reasons(seen: Observations, step: str) -> dict[str, int]:
    """Count the events suppressed in a step, by reason."""
    counts: dict[str, int] = {}
    for each in seen.suppressed:
        if each.step == step:
            counts[each.reason] = counts.get(each.reason, 0) + 1
    return counts


def as_text(seen: Observations, findings: list[Finding], error: str = "") -> Iterator[str]:
    """Yield lines for each step and its events, the findings, and a summary; none for an error."""
    if error:
        return
    yield seen.address
    if seen.banner:
        yield f"  {'refused' if seen.refused else 'accepted'}: {seen.banner}"
    elif seen.refused:
        yield f"  {NOTHING_REFUSED}"
    steps = steps_of(seen)
    for step in steps:
        note = f" ({step.note})" if step.note else ""
        yield (
            f"  {step.name}{note}: {step.captured} captured, {step.sent} sent,"
            f" {step.acknowledged} acknowledged"
        )
        for event in step.events:
            yield f"    {event}"
        for reason, count in step.suppressed.items():
            yield f"    {count} suppressed: {reason}"
    if seen.is_running and seen.health is None:
        yield (
            "  the relay does not disclose its health to this machine: whether events reach the API"
            " is unknown; run verify on the relay's machine with --relay, or give --status-token"
        )
    for finding in findings:
        yield f"wrong: {finding.cause}: {finding.message}"
        yield f"  on {finding.page}"
        yield f"  {finding.remedy}"
    yield summarize(steps, findings)


def summarize(steps: list[Step], findings: list[Finding]) -> str:
    """Return the totals of a visit in one line."""
    captured = sum(step.captured for step in steps)
    acknowledged = sum(step.acknowledged for step in steps)
    return (
        f"{len(steps)} steps, {captured} events, {acknowledged} acknowledged, {len(findings)} wrong"
    )


def as_json(seen: Observations, findings: list[Finding], error: str = "") -> Iterator[str]:
    """Yield ``{"url", "banner", "steps": [...], "findings": [...], "error"}``, on one line."""
    report = {
        "url": seen.address,
        "banner": seen.banner,
        "steps": [asdict(step) for step in steps_of(seen)],
        "findings": [asdict(finding) for finding in findings],
        "error": error,
    }
    yield json.dumps(report)


def as_github(seen: Observations, findings: list[Finding], error: str = "") -> Iterator[str]:
    """Yield an annotation for each finding, and a summary; or one for an error."""
    if error:
        yield f"::error title=verify::{escape_data(error)}"
        return
    for finding in findings:
        text = f"{finding.message} {finding.remedy} ({finding.page})"
        yield f"::error title={escape_property(finding.cause)}::{escape_data(text)}"
    if seen.refused and not seen.banner:
        yield f"::warning title=consent::{NOTHING_REFUSED}"
    yield escape_data(f"{seen.address}: {summarize(steps_of(seen), findings)}")


# Each takes the observations, the findings, and why the visit failed, "" if it did not.
FORMATS = {"text": as_text, "json": as_json, "github": as_github}
