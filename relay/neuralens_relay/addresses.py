"""Addresses and networks: which one a client's is, and which are trusted."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_address(text: str) -> Address | None:
    """Return an address as proxies write it: with or without a port, IPv6 in brackets or not."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both families sees IPv4 addresses as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def is_within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Tell whether an address is in one of the networks."""
    return address is not None and any(address in network for network in networks)


def find_client(peer: str, named: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the address that asked: the last that is not a trusted proxy's.

    ``named`` is what X-Forwarded-For says, the nearest last. Whoever is not trusted may have made
    up everything before its own address, and so may one that is not even an address.
    """
    client = peer
    for text in reversed(named):
        if not is_within(read_address(client), trusted):
            break
        address = read_address(text)
        if address is None:
            break
        client = str(address)
    return client


def read_networks(text: str) -> tuple[Network, ...]:
    """Return addresses and networks ("10.0.0.0/8") parted by commas or spaces."""
    networks = []
    for part in text.replace(",", " ").split():
        try:
            networks.append(ip_network(part, strict=False))
        except ValueError:
            raise ValueError(
                f"has {part!r}, which is no address or network such as 10.0.0.0/8"
            ) from None
    return tuple(networks)
