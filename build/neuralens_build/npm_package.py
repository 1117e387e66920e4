"""Builds the npm package: bundles, types, web-types for editors, and a helper for tests."""

import json
import shutil
from pathlib import Path
from typing import Any

from neuralens_tracker.addon_settings import ADDONS, name_file
from neuralens_tracker.reference import ATTRIBUTES, Attribute
from neuralens_tracker.value_types import COUNT
from neuralens_tracker.vocabulary import EVENTS, PAGES, VERSION

from neuralens_build.checkout import CHECKOUT
from neuralens_build.npm_tools import run_program

OWN = Path(__file__).parent / "npm"
SCRIPTS = ("neuralens.js", "neuralens.mjs", "neuralens.stub.js", *map(name_file, ADDONS))

# The conditions by which bundlers and runtimes ask for what runs on a server.
SERVERS = ("node", "edge-light", "workerd")


def assemble(dist: Path, folder: Path) -> None:
    """Write the package's files into a folder, for ``npm pack``, from the built bundles."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(OWN, folder)
    for name in SCRIPTS:
        for file in (name, f"{name}.map"):
            shutil.copy(dist / file, folder)
    shutil.copy(dist / "neuralens.d.ts", folder)
    shutil.copy(CHECKOUT / "LICENSE", folder)
    constants = {"EVENTS": EVENTS, "PAGES": PAGES}
    lines = (f"export const {name} = {json.dumps(words)};\n" for name, words in constants.items())
    (folder / "vocabulary.mjs").write_text("".join(lines), "utf-8")
    write(folder / "package.json", manifest())
    write(folder / "web-types.json", web_types())


def pack(folder: Path, destination: Path) -> Path:
    """Make the file that npm publishes of an assembled folder, and return its path."""
    options = ("--silent", "--pack-destination", str(destination.resolve()))
    return destination / run_program("npm", "pack", *options, folder=folder).strip()


def write(path: Path, value: dict[str, object]) -> None:
    """Write a value as JSON."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def manifest() -> dict[str, object]:
    """Return package.json."""
    return {
        "name": "neuralens-tracker",
        "version": VERSION,
        "description": "Reports what shoppers see and do to the Neuralens event API.",
        "license": "MIT",
        "keywords": ["analytics", "e-commerce", "events", "search", "tracking"],
        "type": "module",
        "exports": {
            ".": {"types": "./neuralens.d.ts", "default": "./neuralens.mjs"},
            "./playwright": {"types": "./playwright.d.ts", "default": "./playwright.mjs"},
            # Add-ons need a browser, but applications also import them to render pages.
            "./*.js": {
                "types": "./addon.d.ts",
                **dict.fromkeys(SERVERS, "./server.mjs"),
                "default": "./*.js",
            },
            "./web-types.json": "./web-types.json",
            "./package.json": "./package.json",
        },
        "types": "./neuralens.d.ts",
        "engines": {"node": ">=18"},
        "sideEffects": ["./*.js"],
        "web-types": "./web-types.json",
        "peerDependencies": {"@playwright/test": ">=1.40"},
        "peerDependenciesMeta": {"@playwright/test": {"optional": True}},
    }


def web_types() -> dict[str, object]:
    """Return the attributes as web-types, for completion in editors.

    Source: https://json.schemastore.org/web-types.json.
    """
    attributes = [describe(name, each) for name, each in ATTRIBUTES.items()]
    return {
        "$schema": "https://json.schemastore.org/web-types",
        "name": "neuralens-tracker",
        "version": VERSION,
        "description-markup": "markdown",
        "contributions": {"html": {"attributes": attributes}},
    }


def describe(name: str, attribute: Attribute) -> dict[str, Any]:
    """Return an attribute with its possible values."""
    takes = attribute.takes
    described: dict[str, Any] = {"name": name, "description": attribute.meaning}
    if takes is None:
        described["value"] = {"kind": "no-value"}
    elif isinstance(takes, str):
        described["value"] = {"type": "number" if takes == COUNT else "string"}
    else:
        described["value"] = {"type": "enum"}
        described["values"] = [{"name": word} for word in takes]
    if attribute.optional:
        described["value"]["required"] = False
    return described
