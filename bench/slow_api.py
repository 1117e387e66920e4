"""An event API that takes each event after a while: the address, and then nothing, is printed.

It answers as documented and keeps nothing but a count; it is plain asyncio, so that what is
measured is the relay. ``GET /`` tells the count; ``POST /?seconds=S`` sets how long it takes.
"""

import asyncio
import json
import sys

ANSWER = b'{"status": "success", "message": ""}'


class Api(asyncio.Protocol):
    """One connection; requests come one after the other."""

    seconds = 0.1
    taken = 0
    in_flight = 0
    most = 0

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request once it is whole."""
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
            self._take(head)

    def _take(self, head: bytes) -> None:
        method, target, _ = head.split(b"\r\n")[0].split(b" ", 2)
        if method == b"POST" and b"?seconds=" in target:
            Api.seconds = float(target.partition(b"=")[2])
            self._answer(b"{}")
        elif method == b"POST":
            Api.in_flight += 1
            Api.most = max(Api.most, Api.in_flight)
            asyncio.get_running_loop().call_later(self.seconds, self._deliver)
        else:
            state = {"taken": Api.taken, "in_flight": Api.in_flight, "most": Api.most}
            Api.most = Api.in_flight
            self._answer(json.dumps(state).encode())

    def _deliver(self) -> None:
        Api.taken += 1
        Api.in_flight -= 1
        self._answer(ANSWER)

    def _answer(self, body: bytes) -> None:
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
