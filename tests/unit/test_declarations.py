"""The type declarations match the tracker's tables."""

import inspect
import re
from typing import Any
from unittest.mock import MagicMock

import pytest
from neuralens_build import npm_tools
from neuralens_build.declarations import render
from neuralens_embed.names import EVERY_SETTING
from neuralens_tracker.commands import Commands
from neuralens_tracker.events import FIELDS, REQUIRED
from neuralens_tracker.hooks import LISTENED
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.types import Settings
from neuralens_tracker.vocabulary import CONSENTS, EVENTS, PAGES

DECLARED = render()


def fields_of(interface: str) -> dict[str, bool]:
    """Return the fields of an interface, each with whether it is optional."""
    found = re.search(rf"interface {interface} {{\n(.*?)\n}}", DECLARED, re.DOTALL)
    assert found is not None
    return {
        name: optional == "?"
        for name, optional in re.findall(r"^  (\w+)(\??):", found[1], re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [("EventName", EVENTS), ("Page", PAGES), ("Consent", CONSENTS), ("Listened", LISTENED)],
)
def test_a_type_has_every_value(name: str, words: tuple[str, ...]) -> None:
    found = re.search(rf"^export type {name} = (.*);$", DECLARED, re.MULTILINE)
    assert found is not None
    assert re.findall(r'"([^"]*)"', found[1]) == list(words)


def test_every_setting_is_declared() -> None:
    assert fields_of("Settings") == dict.fromkeys(EVERY_SETTING, True)


def test_an_event_has_the_fields_of_the_wire() -> None:
    assert fields_of("TrackedEvent") == {name: name not in REQUIRED for name in FIELDS}


def test_every_call_is_declared() -> None:
    reports: list[str] = []
    parts: dict[str, Any] = {name: MagicMock() for name in inspect.signature(Commands).parameters}
    parts["hooks"].report = reports.append
    Commands(**parts).run("nonsense")
    calls = reports[0].split("one of ")[1].split(", ")
    assert set(re.findall(r'command: "(\w+)"', DECLARED)) == set(calls)


def test_the_file_is_typescript() -> None:
    assert npm_tools.run_esbuild("--loader=ts", text=DECLARED) == ""


def test_the_type_of_the_settings_names_all_of_them():
    assert list(Settings.__annotations__) == list(SETTINGS)
