"""Answers in files, for a browser."""

import tempfile
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.outcome import TroubleError
from netkit.tools.web.inbrowser import saved
from tests.tools.web.webs import Web

HERE = "http://a.example/"


class SavedTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have folders made where they go away again."""
        self.web = Web()
        folder = self.mktemp()
        Path(folder).mkdir()
        self.addCleanup(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = folder

    def saved(self, body: bytes, kind: bytes | None, most_bytes: int = 100) -> Deferred[Path]:
        """Save an answer of a type."""
        headers = () if kind is None else ((b"Content-Type", kind),)
        answer = self.web.got(HERE, body, 200, *headers)
        self.web.bodies += 1
        return Deferred.fromCoroutine(saved(answer, most_bytes))

    def test_private(self) -> None:
        """Nobody else can reach the file, and each has a folder of its own."""
        files = [self.successResultOf(self.saved(b"x", b"text/html")) for _ in range(2)]
        self.assertNotEqual(*files)
        for file in files:
            self.assertEqual(file.name, "answer.html")
            self.assertEqual(file.parent.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.web.bodies, 0)

    def test_types(self) -> None:
        """A text is UTF-8 and says so, whatever it was; everything else is as it was."""
        for kind, body, name, content in (
            (b"text/html; charset=latin1", b"\xe9", "answer.html", b"\xef\xbb\xbf\xc3\xa9"),
            (b"text/x-nonsense", b"x", "answer.txt", b"\xef\xbb\xbfx"),
            (None, b"x", "answer.txt", b"\xef\xbb\xbfx"),
            (b"application/json", b"\xe9", "answer.json", b"\xe9"),
            (b"application/x-nonsense", b"\xe9", "answer.bin", b"\xe9"),
        ):
            file = self.successResultOf(self.saved(body, kind))
            self.assertEqual((file.name, file.read_bytes()), (name, content))

    def test_too_much(self) -> None:
        """An answer without an end fills no disk."""
        self.successResultOf(self.saved(b"x" * 100, b"text/html"))
        self.failureResultOf(self.saved(b"x" * 101, b"text/html"), TroubleError)
        self.assertEqual(self.web.bodies, 0)
