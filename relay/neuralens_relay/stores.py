"""Which store an outbox address means."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from neuralens_relay.outbox import Bounds, OutboxError, Store
from neuralens_relay.redis_server import SCHEMES, read_location
from neuralens_relay.redis_store import RedisStore
from neuralens_relay.settings import Settings, SettingsError, variable
from neuralens_relay.sqlite_store import SqliteStore

SQLITE = "sqlite:///"
DAY = 86400
# A relay that has sent nothing for so many times the API's timeout is gone.
GONE = 3


def sqlite_path(address: str) -> Path | None:
    """Return the file of ``sqlite:///relative/path`` or ``sqlite:////absolute/path``.

    None when the address is of Redis; raises SettingsError when it is of another form.
    """
    if address.startswith(SQLITE) and len(address) > len(SQLITE):
        return Path(unquote(address.removeprefix(SQLITE)))
    if urlsplit(address).scheme not in SCHEMES:
        raise SettingsError(
            f"{variable('outbox')} must be sqlite:///PATH (four slashes for an absolute path)"
            " or redis://HOST:PORT/DATABASE"
        )
    try:
        read_location(address)
    except ValueError as error:
        raise SettingsError(f"{variable('outbox')} {error}") from error
    return None


def store_opener(settings: Settings) -> Callable[[], Store]:
    """Return what opens the store that ``settings.outbox`` names; raise SettingsError if none."""
    path = sqlite_path(settings.outbox)
    bounds = Bounds(
        settings.outbox_limit,
        settings.retention_days * DAY,
        settings.dead_limit,
        settings.dead_days * DAY,
    )
    if path is not None:
        return lambda: SqliteStore(path, bounds)
    idle = settings.timeout * GONE
    return lambda: RedisStore(settings.outbox, bounds, idle, settings.redis_vouched)


def open_existing(address: str, vouched: bool) -> Store:
    """Open an outbox to look into; raise OutboxError when there is none at the address."""
    path = sqlite_path(address)
    if path is None:
        return RedisStore(address, vouched=vouched)
    if not path.is_file():
        raise OutboxError(f"there is no outbox {path}: see {variable('outbox')}")
    return SqliteStore(path)
