"""Files on their way to a server, in a web in memory."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import BodyCutError
from netkit.http.multipart import parts
from netkit.tools.outcome import TroubleError
from netkit.tools.web.fetching import Got, Wanted
from netkit.tools.web.formdata import Content, Held, Part, Text
from netkit.tools.web.uploading import ASKED_BYTES, attached, upload
from netkit.tools.web.urls import parse
from tests.tools.web.webs import Web

HERE = "http://a.example/"


class Noted:
    """A Meter that notes what it hears."""

    def __init__(self) -> None:
        self.begun: list[int | None] = []
        self.done = 0

    def begin(self, what: str, total: int | None = None, done: int = 0) -> None:
        """See Meter."""
        self.begun.append(total)
        self.done = done

    def advance(self, amount: int) -> None:
        """See Meter."""
        self.done += amount


class AttachedTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Write a file, and have something typed."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "a.txt").write_bytes(b"one")
        self.typed = 0

    def attached(self, *names: str) -> Deferred[tuple[Part, ...]]:
        """Attach files by their names."""

        async def standard_input() -> Content:
            self.typed += 1
            return Held(b"typed")

        return Deferred.fromCoroutine(attached(names, "f", standard_input))

    def test_names(self) -> None:
        """A file has its own name without the path; - is the standard input, wherever it stands."""
        file = f"{self.folder}/a.txt"
        found: Any = self.successResultOf(self.attached(file, "-", file))
        self.assertEqual([each.name for each in found], ["f"] * 3)
        self.assertEqual([each.file_name for each in found], ["a.txt", "stdin", "a.txt"])
        self.assertEqual([each.content.length for each in found], [3, 5, 3])

    def test_in_the_way(self) -> None:
        """A file that cannot be read is an error before anything is typed."""
        for wrong in (f"{self.folder}/none", f"{self.folder}"):
            error = self.failureResultOf(self.attached("-", wrong), OSError).value
            self.assertEqual(str(getattr(error, "filename", "")), wrong)
        self.failureResultOf(self.attached("-", "-"), TroubleError)
        self.assertEqual(self.typed, 0)


class UploadTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a server that reads forms, `times` over."""
        self.web = Web()
        self.forms: list[tuple[tuple[bytes, bytes], ...]] = []
        self.wanted: list[Wanted] = []
        self.progress = Noted()
        self.times = 1
        self.web.pages[HERE] = lambda wanted: Deferred.fromCoroutine(self.answer(wanted))

    async def answer(self, wanted: Wanted) -> Got:
        """Read the form, as often as a server wants it that asks for a password."""
        self.wanted.append(wanted)
        for _ in range(self.times):
            assert not isinstance(wanted.body, bytes)
            body = wanted.body()
            try:
                whole = b"".join([piece async for piece in body])
            finally:
                body.close()
            self.assertIn(body.length, {None, len(whole)})
            fields = {name.lower(): value for name, value in wanted.headers}
            self.forms.append(parts(whole, fields[b"content-type"], at_most=9))
            self.assertEqual(self.progress.done, len(whole))
        return self.web.got(HERE, b"thanks")

    def upload(self, *form: Part) -> Deferred[Got]:
        """Upload a form."""
        sending = upload(self.web, parse(HERE), form, self.progress, ((b"X", b"y"),))
        return Deferred.fromCoroutine(sending)

    def test_sent(self) -> None:
        """A form is posted with its type, and fields of the caller's beside it."""
        self.successResultOf(self.upload(Text("a", "b"), Text("c", "d")))
        self.assertEqual(self.forms, [((b"a", b"b"), (b"c", b"d"))])
        [wanted] = self.wanted
        self.assertEqual((wanted.method, wanted.headers[0]), (b"POST", (b"X", b"y")))
        self.assertFalse(wanted.expects)

    def test_again(self) -> None:
        """A form that is wanted twice, as behind a 401 or a 307, is the same both times."""
        self.times = 2
        file = Path(self.mktemp())
        file.write_bytes(b"data")
        [part] = self.successResultOf(Deferred.fromCoroutine(attached([str(file)], "f", _nothing)))
        self.successResultOf(self.upload(part))
        self.assertEqual(self.forms, [((b"f", b"data"),)] * 2)
        self.assertEqual(len(self.progress.begun), 2)

    def test_asked_before(self) -> None:
        """A long form is sent when the server says that it wants it."""
        for size, asked in ((0, False), (ASKED_BYTES, True)):
            self.successResultOf(self.upload(Text("a", "x" * size)))
            self.assertEqual(self.wanted[-1].expects, asked)
            self.assertEqual(self.progress.begun, [self.progress.done])
            self.progress.begun.clear()

    def test_changed(self) -> None:
        """A file that changes before it is sent is not sent."""
        file = Path(self.mktemp())
        file.write_bytes(b"data")
        [part] = self.successResultOf(Deferred.fromCoroutine(attached([str(file)], "f", _nothing)))
        file.write_bytes(b"more data")
        self.failureResultOf(self.upload(part), BodyCutError)
        self.assertEqual(self.forms, [])


async def _nothing() -> Content:
    return Held(b"")
