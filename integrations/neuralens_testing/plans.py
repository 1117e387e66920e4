"""Tracking plans: files that specify, step by step, what a shop should track.

    [[step]]
    page = "/search?q=chair"
    action = "click the second chair"
    events = [
        'CLICK_PRODUCT CH-1 #1 SEARCH_RESULT_PAGE "chair"',
        'LAND_PRODUCT_PAGE CH-1 #1 PRODUCT_PAGE "chair"',
    ]

``page`` is where the step begins; "": where the previous one ended. ``action`` is what a shopper
does there, in words that the test maps to a function; "": only look.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuralens_embed.notation import parse

from neuralens_testing.differences import compare
from neuralens_testing.events import Events

KEYS = ("page", "action", "events")


class PlanError(ValueError):
    """A plan cannot be read or executed; the message names the file and the step."""


@dataclass(frozen=True)
class Step:
    """One step of a plan."""

    page: str
    action: str
    events: tuple[str, ...]

    @property
    def name(self) -> str:
        """A description of the step."""
        return ": ".join(part for part in (self.page, self.action) if part) or "look"


@dataclass(frozen=True)
class Plan:
    """A tracking plan."""

    path: Path
    steps: tuple[Step, ...]

    @classmethod
    def read(cls, path: str | Path) -> "Plan":
        """Read a plan; raises PlanError."""
        path = Path(path)
        try:
            content = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PlanError(f"{path} cannot be read: {error}") from error
        steps = content.get("step")
        if not isinstance(steps, list) or not steps:
            raise PlanError(f"{path} has no steps: write [[step]] above each")
        for name in set(content) - {"step"}:
            raise PlanError(f"{path} has the key {name!r}: it may have steps only")
        return cls(
            path, tuple(read_step(path, number, step) for number, step in enumerate(steps, 1))
        )

    def follow(
        self,
        events: Events,
        open_page: Callable[[str], Any],
        actions: Mapping[str, Callable[[], Any]],
    ) -> None:
        """Execute every step, and raise AssertionError with all differences.

        ``open_page(page)`` opens a page, ``actions`` carry out the plan's actions by their words.
        """
        __tracebackhide__ = True
        differences = []
        for step in self.steps:
            if step.action and step.action not in actions:
                raise PlanError(f"{self.path}: no function is given for the action {step.action!r}")
            events.forget()
            if step.page:
                open_page(step.page)
            if step.action:
                actions[step.action]()
            events.wait_for_count(len(step.events))
            difference = compare(step.events, events.settle())
            if difference:
                reason = events.explain_absence()
                differences.append("\n".join(filter(None, (step.name, difference, reason))))
        if differences:
            text = "\n\n".join(differences)
            raise AssertionError(f"the journey differs from {self.path.name}:\n\n{text}")


def read_step(path: Path, number: int, step: object) -> Step:
    """Return a step of a plan's file."""
    where = f"{path}, step {number}"
    if not isinstance(step, dict):
        raise PlanError(f"{where} is not a table: write [[step]] above it")
    for name in sorted(set(step) - set(KEYS)):
        raise PlanError(f"{where} has the key {name!r}: it may have {', '.join(KEYS)}")
    page, action, events = step.get("page", ""), step.get("action", ""), step.get("events", [])
    if not isinstance(page, str) or not isinstance(action, str) or not isinstance(events, list):
        raise PlanError(f"{where}: page and action are text, events is a list of texts")
    try:
        return Step(page, action, tuple(parse(str(line)) for line in events))
    except ValueError as error:
        raise PlanError(f"{where}: {error}") from error
