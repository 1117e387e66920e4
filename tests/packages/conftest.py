"""The wheel in environments of its own; the fixtures are in the module beside this one."""

from tests.packages.wheels import install, wheel
