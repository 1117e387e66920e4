"""The relay's settings, read from environment variables and validated."""

import difflib
import logging
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

from neuralens_embed.page_tokens import MIN_SECRET, WEAK

from neuralens_relay.addresses import Network, read_networks, split_url

PREFIX = "NEURALENS_"
ANY_ORIGIN = "*"
# The Origin of pages with an opaque origin, such as sandboxed frames.
NO_ORIGIN = "null"
MASK = "***"
# Variables of the prefix that are not the relay's: where the client, and proxies, find a relay; and
# those that Kubernetes sets for a service whose name begins so.
OTHER_READERS = ("NEURALENS_RELAY_URL", "NEURALENS_RELAY")
SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)|_PORT$|_PORT_\d+_(TCP|UDP)")

log = logging.getLogger(__name__)


class SettingsError(ValueError):
    """A setting is missing or invalid; the message names its variable and the remedy."""


def read_text(text: str) -> str:
    """Parse a header's value: one or more visible ASCII characters."""
    if not text or not all("!" <= character <= "~" for character in text):
        raise ValueError("must be visible ASCII characters without spaces")
    return text


def read_key(text: str) -> str:
    """Parse the API key."""
    if text.startswith("Bearer"):
        raise ValueError('must be the key alone, without "Bearer"')
    return read_text(text)


def read_page_secret(text: str) -> str:
    """Parse the secret of page tokens."""
    if len(text) < MIN_SECRET:
        raise ValueError(WEAK)
    return read_text(text)


def read_address(text: str) -> str:
    """Parse an http(s) URL without credentials."""
    parts = split_url(text)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username:
        raise ValueError("must be an http or https address without user and password")
    return text


def read_origin(text: str) -> str:
    """Parse an origin ("https://shop.example"), "*" or "null", to the form that browsers send."""
    if text in (ANY_ORIGIN, NO_ORIGIN):
        return text
    try:
        parts = split_url(text)
    except ValueError as error:
        raise ValueError(f"has {text!r}, which {error}") from None
    if not parts.scheme or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"has {text!r}, which is not an origin such as https://shop.example")
    if "*" in parts.hostname:
        raise ValueError(f"has {text!r}: list every origin, or only * for any")
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    host = parts.hostname.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}"


def read_origins(text: str) -> tuple[str, ...]:
    """Parse origins separated by commas or spaces."""
    return tuple(read_origin(origin) for origin in text.replace(",", " ").split())


def read_flag(text: str) -> bool:
    """Parse true or false."""
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def number(low: float, high: float, whole: bool = False) -> Callable[[str], float]:
    """Return a parser of numbers from low to high."""

    def read(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            kind = "whole number" if whole else "number"
            raise ValueError(f"must be a {kind} from {low:g} to {high:g}")
        return value

    return read


def setting(read: Callable[[str], Any], help: str, default: object = MISSING) -> Any:  # noqa: A002
    """Declare a setting: the parser of its text, its help, and its default."""
    return field(default=default, metadata={"read": read, "help": help})


def mask(name: str, value: object) -> Any:
    """Return a setting's value for display, without secrets and passwords in URLs."""
    if name in SECRETS:
        return MASK if value else value
    if isinstance(value, str) and "://" in value:
        scheme, _, rest = value.partition("://")
        credentials, at, place = rest.rpartition("@")
        place, query, _ = place.partition("?")
        return f"{scheme}://{MASK if credentials else ''}{at}{place}{query}{MASK if query else ''}"
    return value


SECRETS = ("api_key", "client_secret", "page_secret", "status_token")

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, repr=False)
class OutboxSettings:
    """The settings of the outbox, for programs that need no API key."""

    outbox: str = setting(
        str,
        "where events are kept until the API has accepted them: sqlite:///PATH, or for several"
        " relays redis://HOST:PORT/DATABASE or redis+sentinel://HOST:PORT,.../SERVICE/DATABASE",
        "sqlite:///outbox.db",
    )
    redis_vouched: bool = setting(
        read_flag,
        "true if CONFIG cannot be read but you know that Redis runs with appendonly yes,"
        " appendfsync always, no-appendfsync-on-rewrite no and maxmemory-policy noeviction",
        False,
    )
    outbox_limit: int = setting(
        number(1, 1e9, whole=True),
        "how many events may wait; beyond that the relay answers 503",
        1_000_000,
    )
    retention_days: float = setting(
        number(0.01, 3650), "days for which event ids are kept to drop duplicates", 7.0
    )
    order_retention_days: float = setting(
        number(0.01, 3650), "days for which order numbers are kept to drop duplicates", 400.0
    )
    dead_limit: int = setting(
        number(0, 1e9, whole=True),
        "how many dead letters are kept; beyond that the oldest are dropped",
        100_000,
    )
    dead_days: float = setting(number(0.01, 3650), "days for which dead letters are kept", 30.0)
    timeout: float = setting(number(0.01, 3600), "seconds to wait for the API's answer", 10.0)

    def __repr__(self) -> str:
        """Show every setting but the secrets."""
        shown = [
            f"{each.name}={mask(each.name, getattr(self, each.name))!r}" for each in fields(self)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read every setting; raise SettingsError for all that are missing, or a wrong one.

        Variables that are not settings, such as misspelled ones, are named in the error, or logged.
        """
        missing = [
            each.name
            for each in fields(cls)
            if each.default is MISSING and not read_variable(each.name, environment)
        ]
        if missing:
            raise SettingsError("; ".join([explain_missing(missing), *find_unknown(environment)]))
        settings = cls(**{each.name: read_setting(each.name, environment) for each in fields(cls)})
        warn_of_unknown(environment)
        return settings


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings(OutboxSettings):
    """What the relay needs to know. The variable of each is NEURALENS_ and its name in capitals."""

    api_key: str = setting(read_key, "key of the event API, without Bearer")
    application_id: str = setting(read_text, "application id at the event API")
    api_url: str = setting(
        read_address,
        "address of the event API",
        "https://api.neuralens.ai/analytics/event",
    )
    allowed_origins: tuple[str, ...] = setting(
        read_origins, "other origins whose pages may send events; * allows any", ()
    )
    trusted_proxies: tuple[Network, ...] = setting(
        read_networks,
        "addresses and networks of the proxies whose X-Forwarded-For, -Host and -Proto headers are"
        " trusted; 0.0.0.0/0 is any",
        read_networks("127.0.0.1 ::1"),
    )
    rate_limit: float = setting(
        number(0, 1e9),
        "events (or KiB, whichever is more) per second from one address and for one uid, with"
        " bursts of sixty times as many; 0 means no limit",
        500.0,
    )
    pending_limit: int = setting(
        number(1, 65536, whole=True),
        "MiB of request bodies that may be pending at once, being received or stored, and a"
        " sixteenth of it from one address; beyond that the relay answers 503",
        32,
    )
    respect_gpc: bool = setting(
        read_flag, "whether to drop events from browsers that send Global Privacy Control", True
    )
    source_maps: bool = setting(
        read_flag,
        "whether scripts link to their source maps, so that developer tools show the Python source",
        False,
    )
    client_secret: str = setting(
        read_text,
        "bearer token with which the shop's own server sends events without limits",
        "",
    )
    page_secret: str = setting(
        read_page_secret,
        "secret of at least 32 characters, with which the shop's server signs page tokens; if set,"
        " only events with such a token, or from a server with the client secret, are accepted",
        "",
    )
    status_token: str = setting(
        read_text,
        "bearer token with which other machines can read the metrics and the details of health",
        "",
    )
    concurrency: int = setting(
        number(1, 10_000, whole=True),
        "maximum number of requests in flight to the API; fewer while it is slow or failing",
        512,
    )
    backoff_base: float = setting(
        number(0.001, 3600), "longest wait before the first retry, in seconds", 1.0
    )
    backoff_cap: float = setting(
        number(0.001, 86400),
        "longest wait between retries, in seconds, unless the API asks for more",
        300.0,
    )
    retry_after_cap: float = setting(
        number(0, 86400), "longest Retry-After to honor, in seconds", 300.0
    )
    probe: float = setting(
        number(0.01, 86400),
        "seconds between attempts while the API refuses the key, and at most that while it is down",
        60.0,
    )
    grace: float = setting(
        number(0, 600), "seconds for requests in flight to finish when the relay stops", 10.0
    )


def read_setting(name: str, environment: Mapping[str, str] = os.environ) -> Any:
    """Return one setting by its name in Settings; an empty variable counts as not set.

    Raises SettingsError if it is invalid, or missing and without a default.
    """
    declared = next(each for each in fields(Settings) if each.name == name)
    text = read_variable(name, environment)
    if text:
        try:
            return declared.metadata["read"](text)
        except ValueError as error:
            raise SettingsError(f"{variable(name)} {error}") from error
    if declared.default is MISSING:
        raise SettingsError(explain_missing([name]))
    return declared.default


def read_variable(name: str, environment: Mapping[str, str]) -> str:
    """Return the text of a setting's environment variable; "" if it is not set.

    Raises SettingsError if it is in quotes: no value begins and ends with them.
    """
    text = environment.get(variable(name), "").strip()
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        raise SettingsError(
            f"{variable(name)} is in quotes, which count as a part of it: remove them (Docker's"
            " --env-file takes everything after = as the value)"
        )
    return text


def warn_of_unknown(environment: Mapping[str, str] = os.environ) -> None:
    """Log a warning for each variable with the relay's prefix that is not a setting."""
    for text in find_unknown(environment):
        log.warning("%s", text)


def find_unknown(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable with the relay's prefix that is not a setting."""
    settings = [each.name.upper() for each in fields(Settings)]
    sentences = []
    for name in sorted(name for name in environment if name.startswith(PREFIX)):
        rest = name.removeprefix(PREFIX)
        if rest not in settings and name not in OTHER_READERS and not SERVICE_LINK.search(name):
            close = difflib.get_close_matches(rest.upper(), settings, 1)
            hint = f": did you mean {PREFIX}{close[0]}?" if close else ""
            sentences.append(f"{name} is not a setting of the relay{hint}")
    return sentences


def explain_missing(names: list[str]) -> str:
    """Return the message for required settings that are not set."""
    meanings = {each.name: each.metadata["help"] for each in fields(Settings)}
    variables = " and ".join(variable(name) for name in names)
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    texts = ", and the ".join(meanings[name] for name in names)
    return f"{variables} {are} not set in the environment: set {them} to the {texts}"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


@dataclass(frozen=True)
class Description:
    """A setting for documents: its variable, its help, and its default as text or "required"."""

    variable: str
    help: str
    default: str


def describe() -> list[Description]:
    """Return the descriptions of all settings."""
    return [
        Description(
            variable(declared.name),
            declared.metadata["help"],
            "required" if declared.default is MISSING else in_words(declared.default),
        )
        for declared in fields(Settings)
    ]


def in_words(default: object) -> str:
    """Return a default as it would be written in its variable; "none" for an empty one."""
    if isinstance(default, tuple):
        return ", ".join(map(str, default)) or "none"
    if isinstance(default, bool):
        return str(default).lower()
    return str(default or "none")
