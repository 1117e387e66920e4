"""Parses URLs, IP addresses and networks, and finds the client's address behind trusted proxies."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Bits before the IPv4 address in an IPv4-mapped IPv6 address (::ffff:192.0.2.1), as dual-stack
# sockets report them.
MAPPED = 96
# Proxies that a request may have passed: a header of 64 KiB would take 0.1 s to read.
MAX_PROXIES = 100


def split_url(text: str) -> SplitResult:
    """Parse a URL; raise ValueError, without quoting it, if its host or port is invalid."""
    # urlsplit drops tabs and line breaks, and takes spaces for a part of the host.
    if not text.isprintable() or " " in text:
        raise ValueError("must be without spaces and control characters")
    try:
        parts = urlsplit(text)
        # Raises UnicodeError if it is not a host name.
        (parts.hostname or "").encode("idna")
    except UnicodeError:
        raise ValueError("must have a valid host name") from None
    except ValueError:
        raise ValueError("must have a valid host: an IPv6 address is in brackets") from None
    try:
        valid = not parts.hostname or parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must have a port from 1 to 65535")
    return parts


def read_address(text: str) -> Address | None:
    """Parse an address as proxies write it: optional port, optional brackets for IPv6."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket sees IPv4 addresses as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def is_within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Return whether an address is in one of the networks."""
    return address is not None and any(address in network for network in networks)


def unmap(network: Network) -> Network:
    """Return the IPv4 network of one in ::ffff:0:0/96, as ``read_address`` does."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < MAPPED:
        return network
    return IPv4Network((mapped, network.prefixlen - MAPPED))


def find_client(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the client's address: the last one that is not a trusted proxy's.

    ``forwarded`` is the value of X-Forwarded-For, nearest last. Entries before an untrusted or
    invalid one may be forged.
    """
    client = peer
    for text in reversed(forwarded[-MAX_PROXIES:]):
        if not is_within(read_address(client), trusted):
            break
        address = read_address(text)
        if address is None:
            break
        client = str(address)
    return client


def read_networks(text: str) -> tuple[Network, ...]:
    """Parse addresses and networks ("10.0.0.0/8") separated by commas or spaces."""
    networks = []
    for part in text.replace(",", " ").split():
        try:
            networks.append(unmap(ip_network(part, strict=False)))
        except ValueError:
            raise ValueError(
                f"has {part!r}, which is not an address or network such as 10.0.0.0/8"
            ) from None
    return tuple(networks)
