"""The load of one long upload."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load import Target
from benchmarks.machine import Machine, Place
from benchmarks.processes import FailedError, Process
from benchmarks.servers.swallow import Swallow
from benchmarks.upload import Upload

SIZE = 4 << 20


class Forgetful(Swallow):
    """Says that there was nothing."""

    def do_PUT(self) -> None:
        """Answer at once."""
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"0")


@contextmanager
def served(by: type[BaseHTTPRequestHandler]) -> Iterator[Target]:
    """Enter the block with a server that listens on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), by) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        place = Place(Path("/nowhere"), server.server_port, 0)
        machine = Machine(0, 1, Path("/nowhere"))
        try:
            yield Target(machine, place, Process(os.getpid()), 1.0)
        finally:
            server.shutdown()
            thread.join()


class UploadTests(SynchronousTestCase):
    def test_counts(self) -> None:
        """All of it is sent, and the server's memory is looked at."""
        with served(Swallow) as target:
            counted = Upload(SIZE).run(target)
        self.assertEqual((1, SIZE), (counted.count, counted.bytes))
        self.assertGreater(counted.seconds, 0)

    def test_short(self) -> None:
        """A server that loses some of it has not been measured."""
        with served(Forgetful) as target, self.assertRaises(FailedError):
            Upload(SIZE).run(target)
