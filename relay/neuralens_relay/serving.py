"""Opens the listening socket of a server."""

import errno
import socket

import click

# Connections that may be waiting for accept().
BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Return a socket listening on host and port; port 0 picks a free one.

    Raises ``click.ClickException``.
    """
    if not host:
        # To the operating system it means all addresses.
        raise click.UsageError("--host is empty: give an address, such as 127.0.0.1")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm only if the socket's protocol is IPPROTO_TCP, which that of
    # socket.create_server is not: every other response would be delayed by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OverflowError as error:
        listener.close()
        raise click.UsageError(f"--port {port} must be from 0 to 65535") from error
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {host}, port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is taken: choose another one with --port"
        elif error.errno == errno.EACCES:
            reason += ": choose a port from 1024 with --port, and put a proxy in front"
        raise click.ClickException(reason) from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the http URL of a listening socket, for clients on this machine."""
    host, port = listener.getsockname()[:2]
    # The wildcard address is not one to connect to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
