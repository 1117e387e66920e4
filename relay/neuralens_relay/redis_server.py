"""Connects to the Redis server of an outbox URL, and verifies that it is durable.

===================================  ==========================================================
``redis://HOST:PORT/DATABASE``       one server; ``rediss://`` over TLS
``redis+sentinel://HOST:PORT,.../SERVICE/DATABASE``
                                     the primary that Sentinels name; ``rediss+sentinel://`` is
                                     over TLS. ``?sentinel_username=`` and
                                     ``?sentinel_password=`` are for the Sentinels
===================================  ==========================================================

The server's user and password precede the host, as in any URL.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from neuralens_relay.addresses import split_url

SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
PORT = 6379
SENTINEL_PORT = 26379
# Seconds for one command.
TIMEOUT = 5
REQUIRED = {
    "appendonly": "yes",
    "appendfsync": "always",
    # Otherwise nothing is written to the disk while the append-only file is rewritten.
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}
# The part of it that INFO shows, where CONFIG cannot be read.
REQUIRED_INFO = {"aof_enabled": 1, "maxmemory_policy": "noeviction"}
PRIMARY = "master"
# The error while a script of anybody runs for seconds.
BUSY = "BUSY "
REMEDY = "set " + ", ".join(f"{name} {value}" for name, value in REQUIRED.items()) + " in it"
VOUCH = "NEURALENS_REDIS_VOUCHED=true"


class UnfitError(redis.RedisError):
    """The server cannot store events durably; the message says why, and the remedy."""


@dataclass(frozen=True)
class Location:
    """The location of a server: its own host, or Sentinels and the name of their service."""

    hosts: tuple[tuple[str, int], ...]
    service: str | None
    database: int
    tls: bool
    username: str | None
    password: str | None
    sentinel: dict[str, str]


def read_location(address: str) -> Location:
    """Parse a URL; raise ValueError, without quoting it, if it is invalid."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError("must have a valid host: an IPv6 address is in brackets") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    sentinels = parts.scheme.endswith("+sentinel")
    credentials, _, places = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    default = SENTINEL_PORT if sentinels else PORT
    hosts = tuple(read_host(place, default) for place in places.split(","))
    path = [unquote(part) for part in parts.path.strip("/").split("/") if part]
    service = path.pop(0) if sentinels and path else None
    if (sentinels and not service) or (len(hosts) > 1 and not sentinels) or len(path) > 1:
        raise ValueError(
            "must be redis://HOST:PORT/DB or redis+sentinel://HOST:PORT,.../SERVICE/DB"
        )
    database = path[0] if path else "0"
    if not (database.isascii() and database.isdigit()):
        raise ValueError("must end in the number of a database")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    sentinel = {name: query.pop(f"sentinel_{name}", "") for name in ("username", "password")}
    if query:
        raise ValueError(f"has unknown options: {', '.join(sorted(query))}")
    return Location(
        hosts,
        service,
        int(database),
        parts.scheme.startswith("rediss"),
        unquote(username) or None,
        unquote(password) or None,
        {name: value for name, value in sentinel.items() if value},
    )


def read_host(text: str, default: int) -> tuple[str, int]:
    """Parse host and port; raise ValueError."""
    parts = split_url(f"//{text}")
    if not parts.hostname:
        raise ValueError("must name a host (in a password, write / as %2F, # as %23 and ? as %3F)")
    return parts.hostname, parts.port or default


class RedisServer:
    """A client of the server; ``str()`` describes it without its password.

    Each new connection is inspected before any command is sent over it.
    """

    def __init__(self, address: str, vouched: bool) -> None:
        """``vouched``: the operator vouches for durability if CONFIG cannot be read."""
        self._vouched = vouched
        self._location = location = read_location(address)
        # One retry, for a connection that had been closed; the relay itself backs off.
        retry = Retry(NoBackoff(), 1)
        options: dict[str, Any] = {
            "db": location.database,
            "username": location.username,
            "password": location.password,
            "socket_timeout": TIMEOUT,
            "socket_connect_timeout": TIMEOUT,
            "retry": retry,
            "redis_connect_func": self._on_connect,
        }
        if location.service is not None:
            sentinel = {**location.sentinel, "socket_timeout": TIMEOUT, "retry": retry}
            sentinels = Sentinels(  # type: ignore[no-untyped-call]
                list(location.hosts), sentinel_kwargs=sentinel
            )
            self.client: redis.Redis = sentinels.master_for(  # type: ignore[no-untyped-call]
                location.service, ssl=location.tls, **options
            )
        else:
            host, port = location.hosts[0]
            self.client = redis.Redis(host=host, port=port, ssl=location.tls, **options)

    def __str__(self) -> str:
        hosts = ", ".join(host for host, _ in self._location.hosts)
        service = self._location.service
        return f"redis at {hosts}" if service is None else f"redis {service} by {hosts}"

    def disconnect(self) -> None:
        """Close idle connections, so that the next command finds the server again.

        Connections in use belong to other threads, which would fail within a response. If one leads
        to a replica, its thread gets that error and disconnects it.
        """
        self.client.connection_pool.disconnect(inuse_connections=False)

    def inspect(self) -> None:
        """Raise UnfitError unless the server is a durable primary."""
        self._leave_replaced_primary()
        try:
            self._inspect(self.client.execute_command)
        except UnfitError:
            self.disconnect()
            raise

    def _leave_replaced_primary(self) -> None:
        """Have the next commands find the new primary if Sentinels have replaced this one.

        A replaced server calls itself a primary until it is told, after up to ten seconds; what it
        stores meanwhile is discarded.
        """
        pool = self.client.connection_pool
        if isinstance(pool, SentinelConnectionPool):
            # Without Sentinels, the primary that is known is still the best.
            with suppress(MasterNotFoundError):
                pool.get_master_address()  # type: ignore[no-untyped-call]

    def _on_connect(self, connection: Any) -> None:
        """Authenticate on a new connection, and inspect the server."""
        connection.on_connect()

        def ask(*command: str) -> Any:
            connection.send_command(*command)
            return connection.read_response()

        self._inspect(ask)

    def _inspect(self, ask: Any) -> None:
        try:
            self._check_role(as_text(ask("ROLE")[0]))
            # One by one: before Redis 7, CONFIG GET accepts one name.
            config = {name: as_mapping(ask("CONFIG", "GET", name)).get(name) for name in REQUIRED}
        except redis.ResponseError as error:
            if str(error).startswith(BUSY):
                raise
            self._inspect_info(ask, str(error))
            return
        unknown = [name for name, value in config.items() if value is None]
        if unknown:
            # Managed services, and servers that are compatible with Redis, have fewer settings.
            self._inspect_info(ask, f"it does not know {', '.join(unknown)}")
        if any(value not in (None, REQUIRED[name]) for name, value in config.items()):
            raise UnfitError(f"{self} may lose events: {REMEDY}")

    def _check_role(self, role: str) -> None:
        if role != PRIMARY:
            raise UnfitError(f"{self} is a read-only replica: the outbox must be on the primary")

    def _inspect_info(self, ask: Any, reason: str) -> None:
        """Check INFO instead of CONFIG, if the operator vouches for the rest."""
        if not self._vouched:
            raise UnfitError(
                f"{self} cannot be checked ({reason}): allow CONFIG GET and ROLE (+config|get"
                f" +role), or {REMEDY} and vouch for that with {VOUCH}"
            )
        info = as_info(ask("INFO"))
        self._check_role(info.get("role", PRIMARY))
        if any(info.get(name, value) != value for name, value in REQUIRED_INFO.items()):
            raise UnfitError(f"{self} may lose events, despite {VOUCH}: {REMEDY}")


class Sentinels(Sentinel):
    """Sentinels whose error is a sentence: the library's lists the settings of its clients."""

    def discover_master(self, service_name: str) -> Any:
        """Return the address of the primary, or raise MasterNotFoundError."""
        try:
            return super().discover_master(service_name)  # type: ignore[no-untyped-call]
        except MasterNotFoundError:
            raise MasterNotFoundError(
                f"no Sentinel that responds names a primary of {service_name!r}: check the name,"
                " the addresses, and ?sentinel_password= if the Sentinels have one"
            ) from None


def as_text(value: Any) -> Any:
    """Decode bytes."""
    return value.decode() if isinstance(value, bytes) else value


def as_mapping(answer: Any) -> dict[str, Any]:
    """Return a mapping, which RESP2 sends as a list."""
    pairs = (
        answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    )
    return {as_text(name): as_text(value) for name, value in pairs}


def as_info(answer: Any) -> dict[str, Any]:
    """Return the fields of INFO, whether the client has parsed it or not."""
    if isinstance(answer, dict):
        return answer
    lines = [line.partition(":") for line in as_text(answer).splitlines()]
    return {name: int(value) if value.isdigit() else value for name, _, value in lines}
