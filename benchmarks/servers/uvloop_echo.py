"""Echo on asyncio's protocols with uvloop, its fastest way to do it."""

import asyncio
import sys
from typing import cast

import uvloop  # type: ignore[import-not-found]  # is in the peers' environment only


class Echo(asyncio.Protocol):
    """Sends back what it gets, and reads no more while the peer does not."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)

    def pause_writing(self) -> None:
        """Stop reading."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        self.transport.resume_reading()


async def serve(port: int) -> None:
    """Serve on loopback until the process is told to end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
