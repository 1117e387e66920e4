"""Taking the address that a server is to listen on."""

import errno
import socket

import click

# Connections that wait to be accepted.
BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on host and port; 0 picks a free one.

    Raises ``click.ClickException`` with a sentence for whoever typed the command.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off for sockets that say to be TCP, and create_server's do
    # not: every other answer would be 40 ms late.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {host}, port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is taken: choose another one with --port"
        raise click.ClickException(reason) from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the http address under which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    # Listening everywhere is no address to go to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
