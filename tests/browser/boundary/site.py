"""A server for a test's own files, and a tab that opens its page; without a relay."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.polling import TIMEOUT

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".py": "text/x-python",
    ".wasm": "application/wasm",
}
BODY = """
<div data-tile="one" style="height: 50px">One</div>
<div style="height: 4000px"></div>
<div data-tile="two" style="height: 50px">Two</div>
"""


class Site:
    """An HTTP server; ``files`` maps paths to (content, headers), ``posts`` are received bodies."""

    def __init__(self):
        self.files, self.requests, self.posts = {}, [], queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                path = self.path.partition("?")[0]
                if path == "/favicon.ico":
                    return self.respond(200, b"", {})
                site.requests.append(path)
                content, headers = site.files.get(path, (b"", {}))
                return self.respond(200 if path in site.files else 404, content, headers)

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                site.posts.put(json.loads(self.rfile.read(length)))
                self.respond(202, b"{}", {})

            def respond(self, status, content, headers):
                path = self.path.partition("?")[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Type", TYPES.get(Path(path).suffix, TYPES[".html"]))
                # For pages with an opaque origin, whose modules are cross-origin.
                self.send_header("Access-Control-Allow-Origin", "*")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def put(self, path, content, policy=None):
        content = content.encode() if isinstance(content, str) else content
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.files[path] = (content, headers)

    def put_page(self, head, policy=None):
        self.put("/", f"<!doctype html><html><head>{head}</head><body>{BODY}</body></html>", policy)

    def wait_for_post(self):
        return self.posts.get(timeout=TIMEOUT)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site():
    served = Site()
    yield served
    served.close()


@pytest.fixture
def visit(chromium, site):
    """Open the site's page; exceptions on it fail the test.

    ``before.globals`` are the globals before its first script.
    """
    context = chromium.new_context()
    exceptions = []

    def visit():
        page = context.new_page()
        page.on("pageerror", lambda error: exceptions.append(str(error)))
        page.add_init_script("window.before = { globals: Object.getOwnPropertyNames(window) }")
        page.goto(site.url + "/")
        return page

    yield visit
    context.close()
    assert exceptions == []
