"""An event API that responds to each event after a delay; prints its address.

It responds as documented and only counts events. It uses plain asyncio, so that benchmarks measure
the relay. ``GET /`` returns the counts; ``POST /?seconds=S`` sets the delay.
"""

import asyncio
import json
import sys

RESPONSE = b'{"status": "success", "message": ""}'


class Api(asyncio.Protocol):
    """A connection, without pipelining."""

    seconds = 0.1
    received = 0
    in_flight = 0
    most = 0

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to each complete request."""
        self._received += data
        while True:
            head, gap, rest = self._received.partition(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            if not gap or len(rest) < length:
                return
            self._received = rest[length:]
            self._handle(head)

    def _handle(self, head: bytes) -> None:
        method, target, _ = head.split(b"\r\n")[0].split(b" ", 2)
        if method == b"POST" and b"?seconds=" in target:
            Api.seconds = float(target.partition(b"=")[2])
            self._respond(b"{}")
        elif method == b"POST":
            Api.in_flight += 1
            Api.most = max(Api.most, Api.in_flight)
            asyncio.get_running_loop().call_later(self.seconds, self._respond_to_event)
        else:
            state = {"received": Api.received, "in_flight": Api.in_flight, "most": Api.most}
            Api.most = Api.in_flight
            self._respond(json.dumps(state).encode())

    def _respond_to_event(self) -> None:
        Api.received += 1
        Api.in_flight -= 1
        self._respond(RESPONSE)

    def _respond(self, body: bytes) -> None:
        assert isinstance(self._transport, asyncio.Transport)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0, backlog=2048)
    print(f"Api: http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Api.seconds = float(sys.argv[1])
    asyncio.run(serve())
