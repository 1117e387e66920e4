"""The checkout of the project, where ``npm install`` puts what the build needs."""

from pathlib import Path

# In an installed wheel there is none here, and programs of npm are looked for on PATH.
CHECKOUT = Path(__file__).parents[2]
