"""Lines that end in LF become lines that end in CRLF.

Pure. Rule: a CRLF that is there stays as it is; any split of the same bytes comes out the same.
"""


class Newlines:
    """The lines of one stream."""

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, data: bytes) -> bytes:
        """Return the next bytes of the stream, each LF with a CR before it."""
        if not data:
            return data
        done = data[:1] if self._after_cr and data.startswith(b"\n") else b""
        self._after_cr = data.endswith(b"\r")
        return done + data[len(done) :].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
