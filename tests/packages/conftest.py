"""The wheel in new environments; the fixtures are in ``wheels``."""

from tests.packages.wheels import install, wheel
