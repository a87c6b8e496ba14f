"""Forms put together, as our own reader and Python's parser of mail take them apart."""

import os
from contextlib import closing
from email import message_from_bytes
from email.policy import HTTP
from io import BytesIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from werkzeug.formparser import parse_form_data

from netkit.http.messages import BodyCutError
from netkit.http.multipart import parts
from netkit.tools.web.formdata import (
    READ_BYTES,
    Attached,
    Disk,
    FormData,
    Held,
    Part,
    Text,
    boundary,
)
from tests.tools.web.webs import at_once

# Our reader undoes backslashes, which older clients put before quotes.
_names = st.text(max_size=20).filter(lambda name: "\\" not in name)
_texts = st.builds(Text, _names, st.text(max_size=40))
_contents = st.binary(max_size=60) | st.sampled_from([b"\r\n--xyz", b"\r\n", b"\r\n\r\n", b"\n"])
_files = st.builds(Attached, _names, _names, st.builds(Held, _contents))

# Names that need no escapes, and are no more than spaces: parsers differ in what they make of those.
_tidy = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='\\"'), min_size=1)
_tidy_texts = st.builds(Text, _tidy, st.text(max_size=40))
_tidy_files = st.builds(Attached, _tidy, _tidy, st.builds(Held, _contents))


async def _pieces(form: FormData) -> list[bytes]:
    try:
        return [piece async for piece in form]
    finally:
        form.close()


def sent(form: FormData) -> bytes:
    """Return what is sent of a form that waits for nothing."""
    return b"".join(at_once(_pieces(form)))


def lines(text: str) -> str:
    """Return `text` with the ends of its lines as a form has them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def written(name: str) -> bytes:
    """Return `name` as it stands in a form."""
    escaped = lines(name).replace("\r\n", "%0D%0A").replace('"', "%22")
    return escaped.encode("utf-8", "replace")


def content(part: Part) -> bytes:
    """Return what a part made here holds."""
    if isinstance(part, Text):
        return lines(part.value).encode()
    assert isinstance(part.content, Held)
    return part.content.data


class FormDataTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.lists(_texts | _files, max_size=5))
    def test_there_and_back(self, form: list[Part]) -> None:
        """What is put together comes apart as it was, and has the length that was announced."""
        data = FormData(form, boundary())
        body = sent(data)
        self.assertEqual(len(body), data.length)
        expected = tuple((written(part.name), content(part)) for part in form)
        self.assertEqual(parts(body, data.content_type, at_most=5), expected)

    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.builds(Attached, st.just("f"), _names, st.builds(Held, _contents))))
    def test_python(self, form: list[Attached]) -> None:
        """Python's parser of mail finds the same contents."""
        data = FormData(form, boundary())
        head = b"Content-Type: " + data.content_type + b"\r\n\r\n"
        found = message_from_bytes(head + sent(data), policy=HTTP)
        if form:
            files = [part.get_payload(decode=True) for part in found.iter_parts()]
            self.assertEqual(files, [content(part) for part in form])

    @settings(deadline=None, max_examples=60)
    @given(st.lists(_tidy_texts | _tidy_files, max_size=5))
    def test_werkzeug(self, form: list[Part]) -> None:
        """Flask's parser finds the same names, file names and contents, non-ASCII ones too."""
        data = FormData(form, boundary())
        body = sent(data)
        _, fields, files = parse_form_data(
            {
                "wsgi.input": BytesIO(body),
                "REQUEST_METHOD": "POST",
                "CONTENT_TYPE": data.content_type.decode(),
                "CONTENT_LENGTH": str(len(body)),
            }
        )
        self.assertEqual(
            sorted(fields.items(multi=True)),
            sorted((each.name, lines(each.value)) for each in form if isinstance(each, Text)),
        )
        found = []
        for name, file in files.items(multi=True):
            with closing(file):
                found.append((name, file.filename, file.read()))
        attached = [each for each in form if isinstance(each, Attached)]
        expected = [(each.name, each.file_name, content(each)) for each in attached]
        self.assertEqual(sorted(found), sorted(expected))

    def test_as_a_browser(self) -> None:
        """Every byte is where a browser puts it."""
        form = (
            Text('a "name"\n', "one\ntwo"),
            Attached("file", 'Grüße "1".txt', Held(b"content")),
            Attached("file", "a\r\nb", Held(b"")),
        )
        self.assertEqual(
            sent(FormData(form, b"xyz")).decode(),
            '--xyz\r\nContent-Disposition: form-data; name="a %22name%22%0D%0A"\r\n\r\n'
            "one\r\ntwo\r\n"
            '--xyz\r\nContent-Disposition: form-data; name="file"; filename="Grüße %221%22.txt"\r\n'
            "Content-Type: text/plain\r\n\r\ncontent\r\n"
            '--xyz\r\nContent-Disposition: form-data; name="file"; filename="a%0D%0Ab"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n\r\n--xyz--\r\n",
        )

    def test_no_utf_8(self) -> None:
        """A name that is no text is sent as one all the same."""
        form = FormData((Attached("f", os.fsdecode(b"\xff.png"), Held(b"")),), b"xyz")
        self.assertIn('filename="\ufffd.png"\r\nContent-Type: image/png'.encode(), sent(form))

    def test_another_boundary(self) -> None:
        """No two forms have the same boundary, and each is one by RFC 2046."""
        self.assertNotEqual(boundary(), boundary())
        self.assertRegex(boundary(), rb"^[0-9a-z-]{20,70}$")

    def test_unknown_length(self) -> None:
        """Where the length of a file is not known that of the form is not either."""

        class Unknown(Held):
            length = None  # type: ignore[assignment]  # it has none

        form = FormData((Text("a", "b"), Attached("f", "g", Unknown(b"x"))), b"xyz")
        self.assertIsNone(form.length)


class DiskTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Write a file of several pieces."""
        self.path = Path(self.mktemp())
        self.data = os.urandom(3 * READ_BYTES + 5)
        self.path.write_bytes(self.data)
        self.form = FormData((Attached("f", "f", Disk.look(self.path)),), b"xyz")

    def test_in_pieces(self) -> None:
        """A file is read piece by piece, as often as it is wanted."""
        for _ in range(2):
            pieces = at_once(_pieces(self.form))
            self.assertLessEqual(max(map(len, pieces)), READ_BYTES)
            body = b"".join(pieces)
            self.assertEqual(len(body), self.form.length)
            [found] = parts(body, self.form.content_type, at_most=1)
            self.assertEqual(found, (b"f", self.data))

    def test_changed_before(self) -> None:
        """A file that is another by the time it is sent is not sent."""
        for data in (b"", self.data[1:], self.data + b"x"):
            self.path.write_bytes(data)
            error = self.assertRaises(BodyCutError, sent, self.form)
            self.assertEqual(str(error), f"{self.path} has changed while it was sent")
        self.path.unlink()
        self.assertRaises(FileNotFoundError, sent, self.form)

    def test_changed_meanwhile(self) -> None:
        """A file that shrinks, grows or is written anew while it is sent breaks the form off."""

        async def change(data: bytes) -> None:
            first = True
            async for piece in self.form:
                if len(piece) == READ_BYTES and first:
                    first = False
                    self.path.write_bytes(data)

        for data in (b"", self.data[: READ_BYTES + 1], self.data + b"x", self.data[::-1]):
            self.setUp()
            os.utime(self.path, ns=(0, 0))
            self.form = FormData((Attached("f", "f", Disk.look(self.path)),), b"xyz")
            with self.assertRaises(BodyCutError):
                at_once(change(data))
            self.form.close()

    def test_closed(self) -> None:
        """A form that nobody wants any longer leaves no file open, however often that is said."""
        pieces = aiter(self.form)

        async def begin() -> None:
            for _ in range(2):
                await anext(pieces)

        at_once(begin())
        self.assertTrue(self.is_open())
        self.form.close()
        self.form.close()
        self.assertFalse(self.is_open())

    def is_open(self) -> bool:
        """Return whether this process has the file open."""
        return any(_leads_to(each, self.path) for each in Path("/proc/self/fd").iterdir())

    def test_no_file(self) -> None:
        """What is no file that can be read is refused at once, by name."""
        fifo = self.mktemp()
        os.mkfifo(fifo)
        missing = self.mktemp()
        for path, error in (
            (fifo, OSError),
            ("/proc/self/status", OSError),
            ("/", IsADirectoryError),
            (missing, OSError),
        ):
            caught = self.assertRaises(error, Disk.look, Path(path))
            self.assertEqual(str(getattr(caught, "filename", None)), path)


def _leads_to(descriptor: Path, path: Path) -> bool:
    try:
        return descriptor.samefile(path)
    except OSError:
        return False
