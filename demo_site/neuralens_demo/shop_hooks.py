"""The shop's own hooks: drops events of its staff, and adds its region to all others."""

from neuralens_tracker import before

# The staff's account for testing.
STAFF = "staff-test-account"
REGION = "Europe"


def drop_staff(event: dict[str, object]) -> dict[str, object] | None:
    """Drop events of the staff's account."""
    return None if event.get("uid") == STAFF else event


def add_region(event: dict[str, object]) -> dict[str, object]:
    """Add the shop's region unless the page gives a location."""
    if event.get("geo") is None:
        event["geo"] = {"region": REGION}
    return event


before(drop_staff)
before(add_region)
