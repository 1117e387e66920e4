"""Which store an outbox address means."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from neuralens_relay.outbox import OutboxError, Store
from neuralens_relay.redis_store import RedisStore
from neuralens_relay.settings import Settings, SettingsError, variable
from neuralens_relay.sqlite_store import SqliteStore

SQLITE = "sqlite:///"
REDIS = ("redis", "rediss")
DAY = 86400
# A relay that has sent nothing for so many times the API's timeout is gone.
GONE = 3


def sqlite_path(address: str) -> Path | None:
    """Return the file of ``sqlite:///relative/path`` or ``sqlite:////absolute/path``.

    None when the address is of Redis; raises SettingsError when it is of another form.
    """
    if address.startswith(SQLITE) and len(address) > len(SQLITE):
        return Path(unquote(address.removeprefix(SQLITE)))
    parts = urlsplit(address)
    if parts.scheme in REDIS and parts.hostname:
        return None
    raise SettingsError(
        f"{variable('outbox')} must be sqlite:///PATH (four slashes for an absolute path)"
        " or redis://HOST:PORT/DATABASE"
    )


def store_opener(settings: Settings) -> Callable[[], Store]:
    """Return what opens the store that ``settings.outbox`` names; raise SettingsError if none."""
    path = sqlite_path(settings.outbox)
    retention = settings.retention_days * DAY
    if path is not None:
        return lambda: SqliteStore(path, settings.outbox_limit, retention)
    idle = settings.timeout * GONE
    return lambda: RedisStore(settings.outbox, settings.outbox_limit, retention, idle)


def open_existing(address: str) -> Store:
    """Open an outbox to look into; raise OutboxError when there is none at the address."""
    path = sqlite_path(address)
    if path is None:
        return RedisStore(address, limit=0, retention=0, idle=DAY)
    if not path.is_file():
        raise OutboxError(f"there is no outbox {path}: see {variable('outbox')}")
    return SqliteStore(path)
