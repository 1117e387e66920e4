"""Puts the built bundles into the wheel; a wheel without them cannot be made."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DIST = "dist"


class BundlesHook(BuildHookInterface[Any]):
    """Adds ``dist`` to the package ``neuralens_embed``, where ``bundles.directory`` finds it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Have dist included; an editable install reads the checkout's and needs none."""
        if version == "editable":
            return
        dist = Path(self.root) / DIST
        if not (dist / "manifest.json").is_file():
            raise FileNotFoundError(f"there are no bundles in {dist}: run `make build` first")
        build_data["force_include"][str(dist)] = f"neuralens_embed/{DIST}"
