"""Opens the store that an outbox URL names."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from neuralens_relay.balance import DAY
from neuralens_relay.settings import OutboxSettings, Settings, SettingsError, mask, variable
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import Bounds, OutboxError, Store

SQLITE = "sqlite:///"
# The schemes for Redis, whose client is optional.
REDIS = ("redis", "rediss")
# A lease expires after this multiple of the API's timeout.
LEASE_TIMEOUTS = 3


def sqlite_path(address: str) -> Path | None:
    """Return the file of ``sqlite:///relative/path`` or ``sqlite:////absolute/path``.

    None if the URL is for Redis; raises SettingsError if it is invalid.
    """
    name = unquote(address.removeprefix(SQLITE))
    if address.startswith(SQLITE) and name and "\0" not in name:
        if name == ":memory:" or "?" in address or not Path(name).name:
            raise SettingsError(
                f"{variable('outbox')} must name a file, without options: sqlite:///PATH"
            )
        return Path(name)
    if address.partition("://")[0].partition("+")[0] not in REDIS:
        raise SettingsError(
            f"{variable('outbox')} must be sqlite:///PATH (four slashes for an absolute path)"
            " or redis://HOST:PORT/DATABASE"
        )
    try:
        from neuralens_relay.redis_server import read_location

        read_location(address)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{variable('outbox')} is a Redis, which needs {error.name}: "
            "run pip install 'neuralens-tracker[redis]'"
        ) from error
    except ValueError as error:
        raise SettingsError(f"{variable('outbox')} {error}") from error
    return None


def describe_place(address: str) -> str:
    """Return the file or server of an outbox, for messages; raises SettingsError."""
    path = sqlite_path(address)
    if path is None:
        return str(mask("outbox", address))
    try:
        # Without access to the disk, which may hang.
        return os.path.abspath(path)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{variable('outbox')} is a relative path, but the current folder has been deleted:"
            " change to another, or give an absolute path (sqlite:////PATH)"
        ) from error


def store_opener(settings: OutboxSettings, client: str = "") -> Callable[[], Store]:
    """Return a function that opens the store of ``settings.outbox``; raise SettingsError.

    ``client``: the application of a client, whose settings may lack it; "" if unknown.
    """
    path = sqlite_path(settings.outbox)
    bounds = Bounds(
        settings.outbox_limit,
        settings.retention_days * DAY,
        settings.order_retention_days * DAY,
        settings.dead_limit,
        settings.dead_days * DAY,
    )
    is_client = not isinstance(settings, Settings)
    application = settings.application_id if isinstance(settings, Settings) else client
    if path is not None:
        return lambda: SqliteStore(path, bounds, application)
    from neuralens_relay.redis_store import RedisStore

    idle = settings.timeout * LEASE_TIMEOUTS
    return lambda: RedisStore(
        settings.outbox, bounds, idle, settings.redis_vouched, application, is_client
    )


def open_existing(address: str, vouched: bool) -> Store:
    """Open an existing outbox; raise OutboxError if there is none."""
    path = sqlite_path(address)
    if path is None:
        from neuralens_relay.redis_store import RedisStore

        return RedisStore(address, vouched=vouched)
    # Path.is_file would raise OSError if the name is too long.
    if not os.path.isfile(path):
        raise OutboxError(f"there is no outbox {path}: see {variable('outbox')}")
    return SqliteStore(path)
