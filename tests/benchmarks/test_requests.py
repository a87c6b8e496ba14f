"""The look at answers before they are counted, and after."""

import threading
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.content import Page
from benchmarks.figures import Counted
from benchmarks.processes import FailedError
from benchmarks.requests import look, whole


class Answers(BaseHTTPRequestHandler):
    """Answers any path but /none with `right`, and says nothing else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"right")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class LookTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Serve on loopback until the test is over."""
        server = HTTPServer(("127.0.0.1", 0), Answers)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        self.port = server.server_port

    def _complaint(self, page: Page) -> str:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            return str(self.assertRaises(FailedError, look, connection, page.path, page))

    def test_right_answers_are_no_news(self) -> None:
        """A connection that is kept alive can be looked at again."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            look(connection, "/page", Page("/page", "right"))
            look(connection, "/page", Page("/page", "right"))

    def test_wrong_status(self) -> None:
        """A quick 404 is no figure."""
        self.assertEqual(self._complaint(Page("/none", "right")), "/none: 404 instead of 200")

    def test_wrong_content(self) -> None:
        """Neither is an answer that is too short, or another one of the same length."""
        for content in ("right and whole", "wrong"):
            text = f"/page: not its own {len(content)} bytes but 5 others"
            self.assertEqual(self._complaint(Page("/page", content)), text)

    def test_no_answer(self) -> None:
        """A server that is not there is a failure in one line."""
        with HTTPServer(("127.0.0.1", 0), Answers) as gone:
            port = gone.server_port
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        error = self.assertRaises(FailedError, look, connection, "/page", Page("/page", "right"))
        self.assertIn("refused", str(error))


class WholeTests(SynchronousTestCase):
    def test_as_many_bytes_as_answers(self) -> None:
        """Header sections come on top of the least that there must be."""
        found = Counted(seconds=1, count=10, bytes=11_000)
        self.assertIs(whole(found, 1024), found)

    def test_too_few_bytes(self) -> None:
        """Answers that became short once they were no more looked at are found by their sum."""
        self.assertRaises(FailedError, whole, Counted(seconds=1, count=10, bytes=9_000), 1024)

    def test_nothing(self) -> None:
        """A server that answers nobody has no figure."""
        self.assertRaises(FailedError, whole, Counted(seconds=1), 1024)
