"""Runs the system's nginx and Caddy, with the files of deploy/, in front of a relay."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.deploy.conftest import DEPLOY, program
from tests.polling import TIMEOUT, eventually
from tests.relay.conftest import unused_port

# Settings that nginx needs outside a system installation.
NGINX = """
daemon off;
master_process off;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
}}
"""


def configure_nginx(folder: Path, http: str) -> Path:
    """Write a configuration with the given http block."""
    path = folder / "nginx.conf"
    path.write_text(NGINX.format(folder=folder, http=http))
    return path


@contextmanager
def running(command: list[str | Path], address: str, **environment: str) -> Iterator[str]:
    """Run a proxy, and wait until it listens."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        eventually(lambda: process.poll() is not None or is_listening(address))
        assert process.poll() is None, process.stderr.read()
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


def is_listening(address: str) -> bool:
    """Return whether a server listens at an address."""
    try:
        httpx.get(address, trust_env=False)
    except httpx.TransportError:
        return False
    return True


@contextmanager
def nginx(relay: str, folder: Path) -> Iterator[str]:
    """Run nginx with the locations of deploy/ in front of a relay (HOST:PORT)."""
    port = unused_port()
    path = configure_nginx(
        folder,
        f"""upstream neuralens_relay {{ server {relay}; }}
        server {{ listen 127.0.0.1:{port}; include {DEPLOY}/nginx/neuralens.conf; }}""",
    )
    command: list[str | Path] = [program("nginx"), "-e", "stderr", "-c", path, "-p", folder]
    with running(command, f"http://127.0.0.1:{port}") as address:
        yield address


@contextmanager
def caddy(relay: str, folder: Path) -> Iterator[str]:
    """Run Caddy with the file of deploy/ in front of a relay (HOST:PORT)."""
    address = f"http://127.0.0.1:{unused_port()}"
    command: list[str | Path] = [program("caddy"), "run", "--config", DEPLOY / "Caddyfile"]
    settings = {
        "SHOP_ADDRESS": address,
        "NEURALENS_RELAY": relay,
        "SHOP_UPSTREAM": f"127.0.0.1:{unused_port()}",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
    }
    with running(command, address, **settings) as address:
        yield address


PROXIES = {"nginx": nginx, "caddy": caddy}
