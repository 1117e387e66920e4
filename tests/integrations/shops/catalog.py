"""What the three small shops sell: one catalog, so that their journeys have one ledger."""

import uuid
from dataclasses import dataclass

PER_PAGE = 3


@dataclass(frozen=True)
class Chair:
    """A product; its key is a UUID, as many shops' are."""

    key: uuid.UUID
    name: str


CHAIRS = [Chair(uuid.UUID(int=number), f"Chair {number}") for number in range(1, 8)]


def find(key: uuid.UUID) -> Chair:
    return next(chair for chair in CHAIRS if chair.key == key)


def page_of(number: int) -> list[Chair]:
    return CHAIRS[(number - 1) * PER_PAGE : number * PER_PAGE]
