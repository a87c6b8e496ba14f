"""Requests that two servers on one way could take for different ones: none is served, nor what follows.

Each vector stands before a request of its own, which nobody may ever see.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.limits import Limits
from netkit.http.messages import Request, Response
from netkit.http.pages import text
from tests.http.fakes import Visit, answers

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
STATUSES = frozenset((200, 400, 413, 414, 417, 431, 501, 505))


def post(*fields: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    """Return a POST with a Host and `fields`."""
    lines = (b"POST / " + version, b"Host: h", *fields, b"", body)
    return b"\r\n".join(lines)


def chunked(body: bytes) -> bytes:
    """Return a POST whose body in chunks is `body`."""
    return post(b"Transfer-Encoding: chunked", body=body)


def line(line: bytes) -> bytes:
    """Return a request that begins with `line`."""
    return line + b"\r\nHost: h\r\n\r\n"


def hosts(*values: bytes) -> bytes:
    """Return a GET with so many Hosts."""
    return b"GET / HTTP/1.1\r\n" + b"".join(b"Host: %b\r\n" % value for value in values) + b"\r\n"


def coded(*fields: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    """Return a POST whose body has ended for whoever takes it to be in chunks."""
    return post(*fields, body=b"0\r\n\r\n", version=version)


LENGTHS: Mapping[str, bytes] = MappingProxyType(
    {
        "CL.TE": post(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\nG"),
        "TE.CL": post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"5c\r\nG"),
        "CL 0 and TE": post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        "the same twice": post(b"Content-Length: 1", b"Content-Length: 1", body=b"a"),
        "two": post(b"Content-Length: 1", b"Content-Length: 0", body=b"a"),
        "two in another case": post(b"content-length: 0", b"CONTENT-LENGTH: 5", body=b"abcde"),
        "list of the same": post(b"Content-Length: 1, 1", body=b"a"),
        "list": post(b"Content-Length: 1, 0", body=b"a"),
        "two words": post(b"Content-Length: 1 0", body=b"a"),
        "plus": post(b"Content-Length: +1", body=b"a"),
        "minus": post(b"Content-Length: -1", body=b"a"),
        "minus nothing": post(b"Content-Length: -0"),
        "underscore": post(b"Content-Length: 1_0", body=b"0123456789"),
        "hexadecimal": post(b"Content-Length: 0x1", body=b"a"),
        "hexadecimal digit": post(b"Content-Length: a", body=b"0123456789"),
        "fraction": post(b"Content-Length: 1.0", body=b"a"),
        "exponent": post(b"Content-Length: 1e0", body=b"a"),
        "quoted": post(b'Content-Length: "1"', body=b"a"),
        "empty": post(b"Content-Length:"),
        "blank": post(b"Content-Length: \t "),
        "Arabic digit": post(b"Content-Length: \xd9\xa1", body=b"a"),
        "vertical tab": post(b"Content-Length: \x0b1", body=b"a"),
        "2**64": post(b"Content-Length: 18446744073709551616"),
        "2**64 + 1": post(b"Content-Length: 18446744073709551617", body=b"a"),
        "5,000 digits": post(b"Content-Length: " + b"9" * 5000),
        "a GET's": b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    }
)
CODINGS: Mapping[str, bytes] = MappingProxyType(
    {
        "xchunked": coded(b"Transfer-Encoding: xchunked"),
        "chunkedx": coded(b"Transfer-Encoding: chunkedx"),
        "identity": coded(b"Transfer-Encoding: identity"),
        "empty": coded(b"Transfer-Encoding:"),
        "comma": coded(b"Transfer-Encoding: ,"),
        "comma at its end": coded(b"Transfer-Encoding: chunked,"),
        "chunked first": coded(b"Transfer-Encoding: chunked, identity"),
        "chunked first, in two": coded(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip"),
        "chunked twice": coded(b"Transfer-Encoding: chunked, chunked"),
        "chunked twice, in two": coded(*(b"Transfer-Encoding: chunked",) * 2),
        "parameter": coded(b"Transfer-Encoding: chunked;q=1"),
        "quoted": coded(b'Transfer-Encoding: "chunked"'),
        "vertical tab": coded(b"Transfer-Encoding: \x0bchunked"),
        "form feed": coded(b"Transfer-Encoding: chunked\x0c"),
        "ESC": coded(b"Transfer-Encoding: \x1bchunked"),
        "NUL": coded(b"Transfer-Encoding: chunked\0"),
        "no-break space": coded(b"Transfer-Encoding: \xa0chunked"),
        "space before the colon": coded(b"Transfer-Encoding : chunked"),
        "tab before the colon": coded(b"Transfer-Encoding\t: chunked"),
        "space before the name": coded(b" Transfer-Encoding: chunked"),
        "folded": coded(b"Transfer-Encoding:", b" chunked"),
        "folded behind": coded(b"Transfer-Encoding: chunked", b" , identity"),
        "CR before the name": coded(b"X: y\r\r\nTransfer-Encoding: chunked"),
        "HTTP/1.0": coded(b"Transfer-Encoding: chunked", version=b"HTTP/1.0"),
    }
)
LINES: Mapping[str, bytes] = MappingProxyType(
    {
        "LF behind the request line": b"GET / HTTP/1.1\nHost: h\r\n\r\n",
        "LF behind a field": b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        "LF in a value": b"GET / HTTP/1.1\r\nHost: h\r\nX: y\nZ: z\r\n\r\n",
        "LF for the empty line": b"GET / HTTP/1.1\r\nHost: h\r\n\n",
        "LF alone": b"GET / HTTP/1.1\nHost: h\n\n",
        "LF before the request": b"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "CR behind the request line": b"GET / HTTP/1.1\rHost: h\r\n\r\n",
        "CR behind a field": b"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n",
        "CR in a name": b"GET / HTTP/1.1\r\nHost: h\r\nX\r: y\r\n\r\n",
        "CR twice": b"GET / HTTP/1.1\r\nHost: h\r\r\n\r\n",
        "CR before the request": b"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "CR in the target": line(b"GET /\r HTTP/1.1"),
        "folded": b"GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n",
        "folded by a tab": b"GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\tz\r\n\r\n",
        "folded first": b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        "no colon": post(b"X"),
        "no name": post(b": x"),
        "space in a name": post(b"X y: z"),
        "space before the colon": post(b"X : y"),
        "NUL in a name": post(b"X\0: y"),
        "NUL in a value": post(b"X: \0"),
        "ESC in a value": post(b"X: \x1b[2J"),
        "DEL in a value": post(b"X: \x7f"),
        "bracket in a name": post(b"X(: y"),
        "byte over 0x7e in a name": post(b"X\xe4: y"),
        "space before the method": line(b" GET / HTTP/1.1"),
        "two spaces before the target": line(b"GET  / HTTP/1.1"),
        "two spaces behind the target": line(b"GET /  HTTP/1.1"),
        "space behind the version": line(b"GET / HTTP/1.1 "),
        "tab before the target": line(b"GET\t/ HTTP/1.1"),
        "tab behind the target": line(b"GET /\tHTTP/1.1"),
        "space in the target": line(b"GET /a b HTTP/1.1"),
        "vertical tab in the line": line(b"GET\x0b/ HTTP/1.1"),
        "NUL in the target": line(b"GET /\0 HTTP/1.1"),
        "ESC in the target": line(b"GET /\x1b HTTP/1.1"),
        "DEL in the target": line(b"GET /\x7f HTTP/1.1"),
        "byte over 0x7e in the target": line(b"GET /\xe4 HTTP/1.1"),
        "UTF-8 in the target": line("GET /\u00e4 HTTP/1.1".encode()),
        "NUL in the method": line(b"G\0T / HTTP/1.1"),
        "no version": b"GET /\r\n\r\n",
        "no version, with fields": line(b"GET /"),
        "version in small letters": line(b"GET / http/1.1"),
        "version of two digits": line(b"GET / HTTP/1.10"),
        "version without a point": line(b"GET / HTTP/11"),
        "another protocol": line(b"GET / HTTPS/1.1"),
        "no target": line(b"GET HTTP/1.1"),
    }
)
TARGETS: Mapping[str, bytes] = MappingProxyType(
    {
        "no Host": hosts(),
        "two Hosts": hosts(b"a", b"b"),
        "the same Host twice": hosts(b"h", b"h"),
        "empty Host": hosts(b""),
        "list of Hosts": hosts(b"a, b"),
        "Host with a path": hosts(b"h/x"),
        "Host with a user": hosts(b"me@h"),
        "Host with a space": hosts(b"h x"),
        "Host with a bad port": hosts(b"h:x"),
        "Host with a great port": hosts(b"h:65536"),
        "Host with a fragment": hosts(b"h#x"),
        "Host over 0x7e": hosts(b"\xe4"),
        "Host with half an escape": hosts(b"%4"),
        "Host of too many colons": hosts(b"::1"),
        "Host in open brackets": hosts(b"[::1"),
        "Host of no IPv6 address": hosts(b"[1:2]"),
        "fragment": line(b"GET /#x HTTP/1.1"),
        "fragment of a URL": line(b"GET http://h/#x HTTP/1.1"),
        "user in a URL": line(b"GET http://me@h/ HTTP/1.1"),
        "user and password in a URL": line(b"GET http://me:pw@h/ HTTP/1.1"),
        "URL without a host": line(b"GET http:///x HTTP/1.1"),
        "URL without slashes": line(b"GET http:h HTTP/1.1"),
        "backslash in a URL": line(b"GET http://h\\@evil/ HTTP/1.1"),
        "path without a slash": line(b"GET x HTTP/1.1"),
        "star": line(b"GET * HTTP/1.1"),
        "authority": line(b"GET h:80 HTTP/1.1"),
        "CONNECT to a path": line(b"CONNECT / HTTP/1.1"),
        "CONNECT without a port": line(b"CONNECT h HTTP/1.1"),
        "CONNECT with a user": line(b"CONNECT me@h:80 HTTP/1.1"),
        "CONNECT with a body": b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na",
    }
)
CHUNKS: Mapping[str, bytes] = MappingProxyType(
    {
        "overflow": b"10000000000000000\r\na\r\n",
        "overflow by noughts": b"00000000000000001\r\na\r\n0\r\n\r\n",
        "minus": b"-1\r\na\r\n",
        "plus": b"+1\r\na\r\n",
        "0x": b"0x1\r\na\r\n",
        "underscore": b"1_0\r\n0123456789abcdef\r\n",
        "space before": b" 1\r\na\r\n",
        "space behind": b"1 \r\na\r\n",
        "tab behind": b"1\t\r\na\r\n",
        "no size": b"\r\na\r\n",
        "extension alone": b";a\r\n",
        "no digit": b"g\r\na\r\n",
        "Arabic digit": b"\xd9\xa1\r\na\r\n",
        "LF behind the size": b"1\na\r\n0\r\n\r\n",
        "CR behind the size": b"1\ra\r\n0\r\n\r\n",
        "LF in an extension": b"1;a=\nx\r\na\r\n0\r\n\r\n",
        "CR in an extension": b"1;a=\rx\r\na\r\n0\r\n\r\n",
        "NUL in an extension": b"1;\0\r\na\r\n",
        "LF behind the data": b"1\r\na\n0\r\n\r\n",
        "data behind the data": b"1\r\nab\r\n0\r\n\r\n",
        "CR behind the data": b"1\r\na\r0\r\n\r\n",
        "LF behind the last": b"0\n\r\n",
        "LF for the empty line": b"0\r\n\n",
        "LF behind a trailer": b"0\r\nX: y\n\r\n",
        "folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
        "space before a trailer's colon": b"0\r\nX : y\r\n\r\n",
        "NUL in a trailer": b"0\r\nX: \0\r\n\r\n",
        "no trailer": b"0\r\nX\r\n\r\n",
        "the next request for a trailer": b"0\r\n",
    }
)
OTHERS = (
    (501, post(b"Transfer-Encoding: gzip, chunked")),
    (501, line(b"BREW / HTTP/1.1")),
    (501, line(b"get / HTTP/1.1")),
    (505, line(b"GET / HTTP/2.0")),
    (505, line(b"GET / HTTP/0.9")),
    (505, line(b"GET / HTTP/1.2")),
    (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (417, post(b"Expect: 200-ok")),
    (417, post(b"Expect: 100-continue, x")),
    (414, line(b"GET /" + b"a" * 9000 + b" HTTP/1.1")),
    (431, post(b"X: " + b"a" * 33_000)),
    (431, post(*[b"X: y"] * 101)),
    (413, post(b"Content-Length: 1048577")),
    (413, post(b"Content-Length: 9223372036854775807")),
)


class Attempt:
    """A connection whose handler notes the targets it is asked for, and reads each body."""

    def __init__(self, *pieces: bytes) -> None:
        self.targets: list[bytes] = []
        self.bodies: list[bytes] = []
        self.visit = Visit(self._answer)
        for piece in pieces:
            self.visit.send(piece)

    async def _answer(self, request: Request) -> Response:
        self.targets.append(request.target)
        self.bodies.append(await request.body.read(Limits().body_bytes))
        return text(b"served")

    @property
    def statuses(self) -> list[int]:
        """Return the status of each answer."""
        return [answer.status for answer in answers(self.visit.transport.value())]

    @property
    def ends(self) -> bool:
        """Return whether the server has closed its side."""
        transport = self.visit.transport
        return bool(
            transport.disconnecting
            or transport.disconnected
            or getattr(transport, "half_closed", False)
        )


def ways(data: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Return `data` whole, and its first bytes one by one, with what follows behind either."""
    singles = tuple(data[at : at + 1] for at in range(min(len(data), 200)))
    return ((data + SMUGGLED,), (*singles, data[200:], SMUGGLED))


class Smuggling(SynchronousTestCase):
    """One answer, the end of the connection, and nothing behind."""

    def assert_refused(
        self, name: str, data: bytes, status: int = 400, asked: Sequence[bytes] = ()
    ) -> None:
        """Assert that `data` is answered with `status` and ends the connection, however it comes.

        `asked` are the targets that the handler may be asked for.
        """
        for pieces in ways(data):
            attempt = Attempt(*pieces)
            self.assertEqual(attempt.statuses, [status], name)
            self.assertTrue(attempt.ends, name)
            self.assertLessEqual(set(attempt.targets), set(asked), name)
            self.assertEqual(attempt.bodies, [], name)
            self.assertLessEqual(len(attempt.visit.lines), 1, name)
            self.assertFalse(any("log_failure" in event for event in attempt.visit.events), name)

    def test_lengths(self) -> None:
        """A body whose length is said twice, or in no decimal digits, is refused."""
        for name, data in LENGTHS.items():
            self.assert_refused(name, data)

    def test_codings(self) -> None:
        """A Transfer-Encoding that some would read as chunked and others would not is refused."""
        for name, data in CODINGS.items():
            self.assert_refused(name, data)

    def test_lines(self) -> None:
        """Lines that some would end, join or split elsewhere are refused."""
        for name, data in LINES.items():
            self.assert_refused(name, data)

    def test_targets(self) -> None:
        """A request of which it is not plain whom it is for is refused."""
        for name, data in TARGETS.items():
            self.assert_refused(name, data)

    def test_chunks(self) -> None:
        """Chunks that some would end elsewhere are refused, and their handler gets no body."""
        for name, body in CHUNKS.items():
            self.assert_refused(name, chunked(body), asked=[b"/"])

    def test_others(self) -> None:
        """So is what is not spoken here, or too much of it, each with the status that says so."""
        for status, data in OTHERS:
            self.assert_refused(f"{data[:60]!r}", data, status)

    def test_second_request(self) -> None:
        """What is refused behind a request that is served ends the connection just so."""
        for name, data in (*LENGTHS.items(), *CODINGS.items(), *LINES.items(), *TARGETS.items()):
            attempt = Attempt(hosts(b"h") + data + SMUGGLED)
            self.assertEqual((attempt.statuses, attempt.targets), ([200, 400], [b"/"]), name)
            self.assertTrue(attempt.ends, name)

    def test_honest_neighbours(self) -> None:
        """What looks like these and is plain is served, and what follows it too."""
        for data, body in (
            (post(b"Content-Length: 1", body=b"a"), b"a"),
            (post(b"Content-Length:\t1 \t", body=b"a"), b"a"),
            (post(b"Content-Length: 01", body=b"a"), b"a"),
            (post(b"content-LENGTH:1", body=b"a"), b"a"),
            (post(b"Transfer-Encoding:CHUNKED", body=b"1\r\na\r\n0\r\n\r\n"), b"a"),
            (chunked(b'0001;x="y"\r\na\r\n000;z\r\n\r\n'), b"a"),
            (chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), b"0123456789"),
            (chunked(b"0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\n\r\n"), b""),
            (b"\r\n" + hosts(b"h:80"), b""),
            (hosts(b"[::1]:80"), b""),
            (line(b"GET http://other/ HTTP/1.1"), b""),
            (post(b"X: \xe4\t."), b""),
        ):
            for pieces in ways(data):
                attempt = Attempt(*pieces)
                self.assertEqual(attempt.statuses, [200, 200], data)
                self.assertEqual((attempt.targets[1], attempt.bodies[0]), (b"/smuggled", body))
                self.assertFalse(attempt.ends)

    def test_trailers_are_dropped(self) -> None:
        """A handler sees no field that came behind the body."""
        seen: list[Request] = []

        async def note(request: Request) -> Response:
            await request.body.read(10)
            seen.append(request)
            return text(b"")

        Visit(note).send(chunked(b"0\r\nContent-Length: 9\r\nX: y\r\n\r\n"))
        self.assertEqual(seen[0].headers, ((b"Host", b"h"), (b"Transfer-Encoding", b"chunked")))


VECTORS = (
    *LENGTHS.values(),
    *CODINGS.values(),
    *LINES.values(),
    *TARGETS.values(),
    *map(chunked, CHUNKS.values()),
)
PARTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(VECTORS),
    st.sampled_from((b"\r\n", b"\n", b"\r", b" ", b":", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n")),
    st.sampled_from((SMUGGLED, chunked(b"1\r\na\r\n0\r\n\r\n"), post(b"Content-Length: 9"))),
)


class Fuzzing(SynchronousTestCase):
    """Whatever comes, however it is cut."""

    @settings(deadline=None, max_examples=300)
    @given(st.lists(PARTS, max_size=6).map(b"".join), st.lists(st.integers(0, 400), max_size=8))
    def test_rubbish(self, data: bytes, cuts: list[int]) -> None:
        """Nothing raises, no traceback is logged, every status is one of the known ones."""
        pieces = [data[a:b] for a, b in pairwise([0, *sorted(cuts), len(data)])]
        attempt = Attempt(*pieces)
        attempt.visit.leave()
        self.assertLessEqual(set(attempt.statuses), STATUSES)
        self.assertFalse(any("log_failure" in event for event in attempt.visit.events))
        self.assertEqual(attempt.visit.clock.getDelayedCalls(), [])

    @settings(deadline=None, max_examples=150)
    @given(st.lists(PARTS, max_size=5).map(b"".join), st.lists(st.integers(0, 400), max_size=8))
    def test_any_split(self, data: bytes, cuts: list[int]) -> None:
        """How the bytes are cut does not change which requests are seen whole, nor the statuses."""
        pieces = [data[a:b] for a, b in pairwise([0, *sorted(cuts), len(data)])]
        whole, split = Attempt(data), Attempt(*pieces)
        self.assertEqual(split.bodies, whole.bodies)
        self.assertEqual(split.statuses, whole.statuses)
