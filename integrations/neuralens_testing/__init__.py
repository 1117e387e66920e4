"""Testing what a shop tracks: a sandbox for each test, assertions, and tracking plans.

The pytest plugin is ``neuralens_testing.plugin``, loaded by itself where the wheel is installed.
"""

from neuralens_testing.events import Events
from neuralens_testing.expectations import Expectation, expect
from neuralens_testing.plans import Plan, PlanError
from neuralens_testing.sandbox import Sandbox, SandboxError, start_sandbox

__all__ = [
    "Events",
    "Expectation",
    "Plan",
    "PlanError",
    "Sandbox",
    "SandboxError",
    "expect",
    "start_sandbox",
]
