"""Locates the project's checkout, in which ``npm install`` installs the build's tools."""

from pathlib import Path

# None in an installed wheel: then npm's programs are looked up on PATH.
CHECKOUT = Path(__file__).parents[2]
