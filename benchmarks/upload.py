"""The load of one long upload: how much memory the server in between takes for it."""

import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import ClassVar

from attrs import frozen

from benchmarks.figures import Counted
from benchmarks.load import Target
from benchmarks.processes import FailedError
from benchmarks.programs import Program, ThisPython

PATIENCE = 30.0  # seconds for a piece, or for the answer
LOOKS = 32  # at the server's memory, on the way

_PIECE = bytes(1 << 20)


@frozen
class Upload:
    """One PUT of `size` bytes, as fast as they are taken, once a small one has warmed the server up."""

    program: ClassVar[Program] = ThisPython("Python", version=())
    size: int

    def run(self, target: Target) -> Counted:
        """Find the most by which the server is seen to grow meanwhile, and how long it takes."""
        with closing(HTTPConnection("127.0.0.1", target.place.port, timeout=PATIENCE)) as client:
            _put(client, len(_PIECE), target)
            before = target.process.memory()
            started = time.monotonic()
            most = _put(client, self.size, target)
            seconds = time.monotonic() - started
        return Counted(seconds=seconds, count=1, bytes=self.size, memory=max(0, most - before))


def _put(client: HTTPConnection, size: int, target: Target) -> int:
    """Send `size` bytes; return the most memory that the server was seen to take."""
    every = max(1, size // len(_PIECE) // LOOKS)
    most = 0
    try:
        client.putrequest("PUT", "/upload")
        client.putheader("Content-Length", str(size))
        client.endheaders()
        for piece in range(size // len(_PIECE)):
            client.send(_PIECE)
            if piece % every == 0:
                most = max(most, target.process.memory())
        answer = client.getresponse().read()
    except (OSError, HTTPException) as error:
        raise FailedError(f"an upload of {size} bytes: {error or type(error).__name__}") from None
    if answer != b"%d" % size:
        raise FailedError(f"of {size} bytes others came: {answer[:40]!r}")
    return most
