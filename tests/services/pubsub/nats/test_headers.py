"""Header blocks as values."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.nats.headers import (
    NO_RESPONDERS,
    Headers,
    HeadersError,
    read,
    written,
)

_NAMES = st.text("abcXYZ019-_!", min_size=1, max_size=8).map(str.encode)
_VALUES = st.text("abc:; \t\u00e9", max_size=10).map(lambda value: value.strip(" \t").encode())


class ReadTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """Fields keep their order and the case of their names; blanks round values go."""
        block = b"NATS/1.0\r\nA:1\r\nb:  two words \r\nA: \r\nc: x:y\r\n\r\n"
        fields = ((b"A", b"1"), (b"b", b"two words"), (b"A", b""), (b"c", b"x:y"))
        self.assertEqual(read(block), Headers(fields))
        self.assertEqual(read(b"NATS/1.0\r\n\r\n"), Headers())

    def test_status(self) -> None:
        """The first line may have a status and its description."""
        self.assertEqual(read(NO_RESPONDERS), Headers(status=503))
        self.assertEqual(len(NO_RESPONDERS), 16)
        block = b"NATS/1.0 408  Request Timeout \r\nA: 1\r\n\r\n"
        self.assertEqual(read(block), Headers(((b"A", b"1"),), 408, b"Request Timeout"))

    def test_wrong(self) -> None:
        """What is no block is refused."""
        for block in (
            b"", b"NATS/1.0", b"NATS/1.0\r\n", b"NATS/1.1\r\n\r\n", b"HTTP/1.0\r\n\r\n",
            b"NATS/1.0x\r\n\r\n", b"NATS/1.0503\r\n\r\n", b"NATS/1.0 5\r\n\r\n", b"NATS/1.0 x\r\n\r\n",
            b"NATS/1.0\r\nA\r\n\r\n", b"NATS/1.0\r\n: x\r\n\r\n", b"NATS/1.0\r\nA B: x\r\n\r\n",
            b"NATS/1.0\r\nA: x\ny\r\n\r\n", b"NATS/1.0\r\nA: \0\r\n\r\n", b"NATS/1.0\r\n\r\nA: x\r\n\r\n",
            b"NATS/1.0\r\n A: x\r\n\r\n", b"NATS/1.0 503 a\rb\r\n\r\n", b"NATS/1.0\n\n",
        ):  # fmt: skip
            with self.subTest(block), self.assertRaises(HeadersError):
                read(block)

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=40).map(lambda rest: b"NATS/1.0" + rest + b"\r\n\r\n") | st.binary())
    def test_whatever(self, block: bytes) -> None:
        """Any bytes are a block or refused, and nothing else is raised."""
        try:
            headers = read(block)
        except HeadersError:
            return
        self.assertEqual(read(written(headers)), headers)

    def test_long(self) -> None:
        """A block as long as a message may be takes no longer for having nothing but blanks."""
        with self.assertRaises(HeadersError):
            read(b"NATS/1.0 503" + b" " * 500_000 + b"\0\r\n\r\n")
        with self.assertRaises(HeadersError):
            read(b"NATS/1.0\r\nA:" + b" " * 500_000 + b"\0\r\n\r\n")


class WrittenTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(st.tuples(_NAMES, _VALUES), max_size=4).map(tuple),
        st.sampled_from([(0, b""), (503, b""), (404, b"No Messages")]),
    )
    def test_round(
        self, fields: tuple[tuple[bytes, bytes], ...], status: tuple[int, bytes]
    ) -> None:
        """What is written is read as it was."""
        headers = Headers(fields, *status)
        self.assertEqual(read(written(headers)), headers)

    def test_wrong(self) -> None:
        """No name, value or status can end a line or the block early."""
        for headers in (
            Headers(((b"A\r\nB", b"x"),)), Headers(((b"", b"x"),)), Headers(((b"a:b", b"x"),)),
            Headers(((b"A", b"x\r\ny"),)), Headers(status=5), Headers(status=1000),
            Headers(status=503, description=b"\r\n"),
        ):  # fmt: skip
            with self.subTest(headers), self.assertRaises(HeadersError):
                written(headers)
