"""All rules of portable Python, each with a case that it refuses and one that it lets pass."""

from types import ModuleType

from neuralens_build.subset.rules import arithmetic, items, objects, values
from neuralens_build.subset.rules.rule import Rule


def rules_of(module: ModuleType) -> list[Rule]:
    """Return the rules that a module defines, in its order."""
    return [value for value in vars(module).values() if isinstance(value, Rule)]


RULES = tuple(rule for module in (values, items, arithmetic, objects) for rule in rules_of(module))
