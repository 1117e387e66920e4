"""The shop's own hooks: what its staff tries out is not tracked, and events name its region."""

from neuralens_tracker import before

# The account that the shop's people test with.
STAFF = "staff-test-account"
REGION = "Europe"


def drop_staff(event: dict[str, object]) -> dict[str, object] | None:
    """Drop what the staff's test account does."""
    return None if event.get("uid") == STAFF else event


def add_region(event: dict[str, object]) -> dict[str, object]:
    """Add the shop's region where the page does not say where the shopper is."""
    if event.get("geo") is None:
        event["geo"] = {"region": REGION}
    return event


before(drop_staff)
before(add_region)
