"""All rules of portable Python; each has test cases that it refuses and that it allows."""

from types import ModuleType

from neuralens_build.subset.rules import arithmetic, exceptions, items, keys, objects, values
from neuralens_build.subset.rules.rule import Rule


def rules_of(module: ModuleType) -> list[Rule]:
    """Return the rules in a module, in the order of their definition."""
    return [value for value in vars(module).values() if isinstance(value, Rule)]


MODULES = (values, items, keys, arithmetic, exceptions, objects)
RULES = tuple(rule for module in MODULES for rule in rules_of(module))
