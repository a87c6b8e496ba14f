"""A form with files in it, put together: multipart/form-data (RFC 7578) as a stream.

Rule: no more than a piece of a file is in memory, and what is sent is what was announced: a file that
changes meanwhile breaks the form off, so that nobody takes it for whole. Names are written as browsers
write them (WHATWG HTML 4.10.21.8): in UTF-8, and what could end them as %22, %0D and %0A.
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from errno import EINVAL
from io import FileIO
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import Protocol, TypeAlias

from attrs import field, frozen

from netkit.http.mediatypes import media_type
from netkit.http.messages import BodyCutError, Stream

READ_BYTES = 1024 * 1024
"""So much is sent at a time: less of it would wait for the server more often."""

_NEWLINE = re.compile("\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Content(Protocol):
    """What a file holds, as often as it is sent."""

    @property
    def length(self) -> int | None:
        """Return the number of bytes, or None where nobody knows it yet."""

    def open(self) -> Stream:
        """Return all of it; OSError where that cannot be."""


@frozen
class Held:
    """A content in memory."""

    data: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """See Content."""
        return len(self.data)

    def open(self) -> Stream:
        """See Content."""
        return _Bytes(self.data)


@frozen
class Disk:
    """The content of the file at `path`, `length` bytes that were changed last at `changed` ns."""

    path: Path
    length: int
    changed: int

    @classmethod
    def look(cls, path: Path) -> "Disk":
        """Return the content of the file as it is now; OSError where it is none that can be read."""
        with _opened(path) as file:
            status = os.fstat(file.fileno())
            if not status.st_size and file.read(1):  # as the files of /proc
                words = "does not say how long it is; - takes the standard input"
                raise OSError(EINVAL, words, str(path))
            return cls(path, status.st_size, status.st_mtime_ns)

    def open(self) -> Stream:
        """See Content; iterating raises BodyCutError where the file is not what it was."""
        return _Reading(_opened(self.path), self)


@frozen
class Text:
    """A field with a text, which has its lines end in CRLF as browsers have it."""

    name: str
    value: str = field(repr=False)


@frozen
class Attached:
    """A field with a file; `file_name` says of what type it is."""

    name: str
    file_name: str
    content: Content


Part: TypeAlias = Text | Attached


def boundary() -> bytes:
    """Return what nobody can have written into a file beforehand: 128 random bits."""
    return b"netkit-" + token_hex(16).encode()


class FormData:
    """The form of `parts`, in their order, as a stream that can be had once.

    `length` is in bytes, or None where a file's is not known. `content_type` is the field that goes
    with it. Iterating raises OSError where a file cannot be read, and BodyCutError where one is not
    what it was.
    """

    def __init__(self, parts: Sequence[Part], boundary: bytes) -> None:
        self.content_type = b"multipart/form-data; boundary=" + boundary
        self._parts = parts
        self._delimiter = b"--" + boundary
        self._open: Stream | None = None

    @property
    def length(self) -> int | None:
        """See `messages.Stream`."""
        whole = len(self._end)
        for part in self._parts:
            inside = len(_value(part)) if isinstance(part, Text) else part.content.length
            if inside is None:
                return None
            whole += len(self._head(part)) + inside + len(b"\r\n")
        return whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the form piece by piece."""
        for part in self._parts:
            if isinstance(part, Text):
                yield self._head(part) + _value(part) + b"\r\n"
                continue
            self._open = content = part.content.open()
            yield self._head(part)
            async for piece in content:
                yield piece
            self.close()
            yield b"\r\n"
        yield self._end

    def close(self) -> None:
        """See `messages.Stream`."""
        content, self._open = self._open, None
        if content is not None:
            content.close()

    @property
    def _end(self) -> bytes:
        return self._delimiter + b"--\r\n"

    def _head(self, part: Part) -> bytes:
        lines = [self._delimiter, b'Content-Disposition: form-data; name="%b"' % _name(part.name)]
        if isinstance(part, Attached):
            lines[-1] += b'; filename="%b"' % _escaped(part.file_name)
            # Of a text nobody knows the charset.
            lines.append(b"Content-Type: " + media_type(part.file_name).partition(b";")[0])
        return b"\r\n".join((*lines, b"", b""))


class _Bytes:
    """Bytes as a stream, in pieces that a connection can take by and by."""

    def __init__(self, data: bytes) -> None:
        self.length = len(data)
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for begin in range(0, len(self._data), READ_BYTES):
            yield self._data[begin : begin + READ_BYTES]

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class _Reading:
    """A file being read, to be what `expected` says from the first byte to the last."""

    def __init__(self, file: FileIO, expected: Disk) -> None:
        self.length = expected.length
        self._file = file
        self._expected = expected

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read pieces of at most READ_BYTES."""
        left = self.length
        self._compare()
        while left:
            piece = self._file.read(min(left, READ_BYTES))
            if not piece:
                break
            left -= len(piece)
            yield piece
        self._compare()

    def _compare(self) -> None:
        status = os.fstat(self._file.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.length, self._expected.changed):
            raise BodyCutError(f"{self._expected.path} has changed while it was sent")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _opened(path: Path) -> FileIO:
    """Open a regular file; whatever else it is, it is not waited for."""
    file = FileIO(path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    if S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(EINVAL, "is not a file; - takes the standard input", str(path))


def _value(part: Text) -> bytes:
    return _encoded(_NEWLINE.sub("\r\n", part.value))


def _name(name: str) -> bytes:
    return _escaped(_NEWLINE.sub("\r\n", name))


def _escaped(name: str) -> bytes:
    return _encoded(name.translate(_ESCAPES))


def _encoded(text: str) -> bytes:
    """Return `text` in UTF-8; what stands for a byte that is none (PEP 383) becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text).encode()
