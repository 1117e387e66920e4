"""Opens the listening socket of a server."""

import errno
import os
import socket
import stat

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
    try:
        return bind(host, port)
    except UnicodeError as error:
        raise click.UsageError(f"--host {host!r} is not a host") from error
    except OverflowError as error:
        raise click.UsageError(f"--port {port} must be from 0 to 65535") from error
    except OSError as error:
        reason = f"cannot listen on {host}, port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is taken: choose another one with --port"
        elif error.errno == errno.EACCES:
            reason += ": choose a port from 1024 with --port, and put a proxy in front"
        raise click.ClickException(reason) from error


def bind(host: str, port: int) -> socket.socket:
    """Return a socket listening on an address, or on one of a name's: of IPv4, if there is one."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    family, address = min(
        ((each[0], each[4]) for each in found), key=lambda each: each[0] != socket.AF_INET
    )
    # asyncio disables Nagle's algorithm only if the socket's protocol is IPPROTO_TCP, which that of
    # socket.create_server is not: every other response would be delayed by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address[0], port, *address[2:]))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def listen_unix(path: str) -> socket.socket:
    """Return a Unix socket listening on a path, where an ended server may have left its own.

    Raises ``click.ClickException``.
    """
    if not path:
        # To the operating system it means any name.
        raise click.UsageError("--uds is empty: give the path of a socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if is_abandoned(path):
            os.unlink(path)
        listener.bind(path)
        # As to a port, any user may connect, such as that of nginx, unless the folder prevents it.
        os.chmod(path, 0o666)  # noqa: S103
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {path}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = f"{path} is taken: choose another path with --uds"
        elif error.errno in (errno.ENOENT, errno.EACCES):
            reason += ": its folder must exist, and be writable for this user"
        raise click.ClickException(reason) from error
    # It is not deleted at the end: it might be that of the next server by then.
    return listener


def is_abandoned(path: str) -> bool:
    """Return whether a path is a socket on which nobody listens any more."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            probe.connect(path)
    except ConnectionRefusedError:
        return True
    except (FileNotFoundError, BlockingIOError):
        # The latter if a server is too busy.
        return False
    return False


def adopt(descriptor: int) -> socket.socket:
    """Return the listening socket that this process was started with; raise UsageError."""
    try:
        listener = socket.socket(fileno=descriptor)
        if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
        listener.detach()
    except (OSError, OverflowError):
        pass
    raise click.UsageError(
        f"--fd {descriptor} is not a listening socket: that of a systemd socket unit is 3"
    )


def address(listener: socket.socket) -> str:
    """Return the http URL of a listening socket, for clients on this machine.

    That of a Unix socket is in nginx's notation.
    """
    if listener.family is socket.AF_UNIX:
        return f"http://unix:{listener.getsockname()}:"
    host, port = listener.getsockname()[:2]
    # The wildcard address is not one to connect to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
