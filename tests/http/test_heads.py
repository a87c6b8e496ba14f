"""Heads: valid ones come whole, whatever else is refused with a status, and others' parsers agree."""

import h11
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.heads import refuse_start, request_head
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import CHUNKED, RequestHead
from netkit.http.sections import END, RefusedError

LINE = b"GET / HTTP/1.1\r\n"
GET = LINE + b"Host: h\r\n"

REFUSED = {
    400: (
        b"GET / HTTP/1.1\nHost: h\n\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
        b" GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.10\r\nHost: h\r\n\r\n",
        b"GET / http/1.1\r\nHost: h\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET /#part HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        b"CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n",
        b"CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n",
        LINE + b"\r\n",
        LINE + b"Host:\r\n\r\n",
        LINE + b"Host: h\r\nhost: h\r\n\r\n",
        LINE + b"Host: a b\r\n\r\n",
        LINE + b"Host: a/b\r\n\r\n",
        LINE + b"Host: u@h\r\n\r\n",
        LINE + b"Host: h:65536\r\n\r\n",
        LINE + b"Host: h:x\r\n\r\n",
        LINE + b"Host: [::g]\r\n\r\n",
        LINE + b"Host: [1.2.3.4]\r\n\r\n",
        LINE + b"Host: %4\r\n\r\n",
        GET + b" folded: x\r\n\r\n",
        GET + b"a: b\r\n folded\r\n\r\n",
        GET + b"a : b\r\n\r\n",
        GET + b": b\r\n\r\n",
        GET + b"a\r\n\r\n",
        GET + b"a\x80: b\r\n\r\n",
        GET + b"a: \x00\r\n\r\n",
        GET + b"a: \x7f\r\n\r\n",
        GET + b"a: b\rc: d\r\n\r\n",
        GET + b"a: b\nc: d\r\n\r\n",
        GET + b"Content-Length: +5\r\n\r\n",
        GET + b"Content-Length: -5\r\n\r\n",
        GET + b"Content-Length: 0x5\r\n\r\n",
        GET + b"Content-Length: 1_0\r\n\r\n",
        GET + b"Content-Length: 5, 5\r\n\r\n",
        GET + b"Content-Length: 5 5\r\n\r\n",
        GET + b"Content-Length:\r\n\r\n",
        GET + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        GET + b"Content-Length: 18446744073709551616\r\n\r\n",
        GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        GET + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        GET + b"Transfer-Encoding: gzip\r\n\r\n",
        GET + b"Transfer-Encoding: identity\r\n\r\n",
        GET + b"Transfer-Encoding: xchunked\r\n\r\n",
        GET + b"Transfer-Encoding: \x0bchunked\r\n\r\n",
        GET + b"Transfer-Encoding:\r\n\r\n",
        GET + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
        GET + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
        GET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    414: (b"GET /" + b"a" * DEFAULTS.target_bytes + b" HTTP/1.1\r\nHost: h\r\n\r\n",),
    417: (GET + b"Expect: miracles\r\n\r\n", GET + b"Expect: 100-continue, x\r\n\r\n"),
    431: (
        GET + b"a:" + b" " * DEFAULTS.header_bytes + b"\r\n\r\n",
        GET + b"a:\r\n" * DEFAULTS.header_fields + b"\r\n",
    ),
    501: (
        b"get / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n",
        GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    ),
    505: (
        b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        b"GET / HTTP/0.9\r\nHost: h\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
    ),
}


def _read(section: bytes, limits: Limits = DEFAULTS) -> RequestHead | int:
    """Return the head that `section` is, or the status it is refused with."""
    try:
        return request_head(section, limits)
    except RefusedError as error:
        return error.status.value


def _starts(begun: bytes) -> bool:
    """Return whether `begun` may become a head."""
    try:
        refuse_start(begun, DEFAULTS)
    except RefusedError:
        return False
    return True


_TOKENS = st.text("abcXYZ019-_!~", min_size=1, max_size=8).map(str.encode)
_VALUES = st.one_of(
    st.sampled_from((b"5", b"0", b"chunked", b"close", b"keep-alive", b"100-continue", b"gzip")),
    st.text("ab ,;=\t\xe9", max_size=8).map(lambda text: text.strip().encode("latin-1")),
)
_FRAMING = (b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Upgrade")
_FIELDS = st.lists(
    st.tuples(st.one_of(_TOKENS, st.sampled_from((*_FRAMING, b"Host"))), _VALUES), max_size=5
)
_METHODS = st.sampled_from((b"GET", b"POST", b"OPTIONS", b"PUT", b"DELETE", b"PROPFIND"))
_TARGETS = st.sampled_from((b"/", b"/a/b?c=%20", b"//", b"http://h:80/x", b"*", b"x", b"/#f"))


@st.composite
def _written(draw: st.DrawFn) -> bytes:
    """Make a header section, mostly a valid one."""
    version = draw(st.sampled_from((b"1.1", b"1.1", b"1.0", b"2.0")))
    lines = [b"%b %b HTTP/%b" % (draw(_METHODS), draw(_TARGETS), version)]
    lines += [b"Host: h"] if draw(st.integers(0, 9)) else []
    lines += [b"%b: %b" % field for field in draw(_FIELDS)]
    return b"\r\n".join(lines) + END


_ODD = st.sampled_from(
    (*(b"%c" % at for at in b"\x00\t\n\r ,:;/\x7f\x80\xff+-0"), b"\r\n", b"\r\n ")
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """Make a header section with bytes that do not belong there, up to its first empty line."""
    section = draw(_written())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(section) - 1))
        section = section[:at] + draw(_ODD) + section[at + draw(st.integers(0, 1)) :]
    return (section + END).partition(END)[0] + END


def _seen_by_h11(section: bytes) -> h11.Request | None:
    """Return the request that h11 sees in `section`, or None where it refuses it."""
    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(section)
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return None
    return event if isinstance(event, h11.Request) else None


def _stricter(section: bytes) -> bool:
    """Return whether it is known why h11 takes `section`, which is refused here."""
    line, _, rest = section.partition(b"\r\n")
    return any(
        (
            # h11 leaves it to its user what a target means, and which methods there are.
            not line.split(b" ")[1].startswith((b"/", b"http://h:80/")) or b"#" in line,
            _read(section) == 501,
            # It tells the versions above 1.1 to its user, and takes the target of any bytes.
            b" HTTP/1.1" not in line[-9:] and b" HTTP/1.0" not in line[-9:],
            # It ends a line with a bare LF, folds lines (RFC 9112 5.2), strips CR before a LF.
            b"\n" in section.replace(b"\r\n", b""),
            b"\r\n " in section or b"\r\n\t" in section,
            # Its Host is any field value, its Expect as well.
            _read(section) == 417,
            _read(section.replace(_host_line(section), b"\r\nHost: h")) != 400,
            # It takes the same Content-Length twice (RFC 9110 8.6 allows both ways), prefers
            # Transfer-Encoding to it (RFC 9112 6.1 would then close), in HTTP/1.0 too.
            rest.lower().count(b"content-length:") > 1,
            b"5," in rest or b"0," in rest,
            b"transfer-encoding:" in rest.lower(),
            # It takes controls in a field value, other than NUL, CR and LF.
            any(byte < 0x20 and byte not in b"\t\r\n" for byte in rest) or b"\x7f" in rest,
        )
    )


def _host_line(section: bytes) -> bytes:
    at = section.lower().find(b"\r\nhost:")
    return section[at : section.find(b"\r\n", at + 2)] if at >= 0 else b"\r\n\r\n\r\n"


class Heads(SynchronousTestCase):
    """What is read from a header section."""

    def test_refusals(self) -> None:
        """Whatever cannot be served is refused with the status that says why."""
        for status, sections in REFUSED.items():
            for section in sections:
                self.assertEqual(_read(section), status, section[:80])

    def test_length(self) -> None:
        """A body has the length that is said, or says itself where it ends, or there is none."""
        for fields, length in (
            (b"", 0),
            (b"Content-Length: 0\r\n", 0),
            (b"Content-Length: \t5 \r\n", 5),
            (b"Content-Length: 007\r\n", 7),
            (b"content-LENGTH: 18446744073709551615\r\n", 2**64 - 1),
            (b"Transfer-Encoding: Chunked\r\n", CHUNKED),
        ):
            self.assertEqual(request_head(GET + fields + b"\r\n", DEFAULTS).length, length)

    def test_many_zeros(self) -> None:
        """A length of more digits than Python takes for a number is read all the same."""
        section = GET + b"Content-Length: " + b"0" * 5000 + b"7\r\n\r\n"
        self.assertEqual(request_head(section, DEFAULTS).length, 7)

    def test_connect(self) -> None:
        """What comes behind a CONNECT is no request, so that no such head persists."""
        section = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nConnection: keep-alive\r\n\r\n"
        self.assertFalse(request_head(section, DEFAULTS).persists)

    def test_authority(self) -> None:
        """The host is that of the target, or else of the Host field; HTTP/1.0 may have none."""
        for section, authority in (
            (GET, b"h"),
            (LINE + b"Host: [::1]:80\r\n", b"[::1]:80"),
            (LINE + b"Host: a.example:\r\n", b"a.example:"),
            (b"GET http://b:1/x HTTP/1.1\r\nHost: h\r\n", b"b:1"),
            (b"GET http://b?x HTTP/1.1\r\nHost: h\r\n", b"b"),
            (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n", b"h"),
            (b"CONNECT c:443 HTTP/1.1\r\nHost: h\r\n", b"c:443"),
            (b"GET / HTTP/1.0\r\n", b""),
        ):
            self.assertEqual(request_head(section + b"\r\n", DEFAULTS).authority, authority)

    def test_options(self) -> None:
        """Whether the connection stays, a 100 is waited for, another protocol is wanted."""
        for fields, version, expected in (
            (b"", b"1.1", (True, False, b"")),
            (b"", b"1.0", (False, False, b"")),
            (b"Connection: Keep-Alive\r\n", b"1.0", (True, False, b"")),
            (b"Connection: keep-alive\r\nConnection: x, Close\r\n", b"1.1", (False, False, b"")),
            (b"Expect: 100-Continue\r\n", b"1.1", (True, True, b"")),
            (b"Expect: anything\r\n", b"1.0", (False, False, b"")),
            (
                b"Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n",
                b"1.1",
                (True, False, b"a, b"),
            ),
            (b"Upgrade: a\r\n", b"1.1", (True, False, b"")),
            (b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"1.1", (True, False, b"")),
            (
                b"Connection: upgrade\r\nUpgrade: H2C,HTTP/2.0, \ta/1\r\nUpgrade: h2c\r\n",
                b"1.1",
                (True, False, b"a/1"),
            ),
            (b"Connection: upgrade\r\nUpgrade: a\r\n", b"1.0", (False, False, b"")),
        ):
            section = b"GET / HTTP/%b\r\nHost: h\r\n%b\r\n" % (version, fields)
            head = request_head(section, DEFAULTS)
            self.assertEqual((head.persists, head.expects, head.upgrade), expected)

    def test_limits(self) -> None:
        """A target, a section and a number of fields as large as their limits are taken, no larger."""
        section = b"UNSUBSCRIBE /abc HTTP/1.1\r\nHost: h\r\n\r\n"
        exact = Limits(target_bytes=4, header_bytes=len(section), header_fields=1)
        self.assertIsInstance(_read(section, exact), RequestHead)
        refuse_start(section[:-1], exact)
        for name, value, status in (
            ("target_bytes", 3, 414),
            ("header_bytes", len(section) - 1, 431),
        ):
            limits = Limits(**{"header_bytes": len(section), name: value})
            self.assertEqual(_read(section, limits), status)
        two = section.replace(b"\r\n\r\n", b"\r\na: b\r\n\r\n")
        self.assertEqual(_read(two, Limits(header_fields=1)), 431)


class AnyBytes(SynchronousTestCase):
    """Rubbish has a status, and no other consequences."""

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(max_size=200), _mutated()))
    def test_a_head_or_a_refusal(self, data: bytes) -> None:
        """Any bytes are a head, or refused with one of the statuses for that."""
        found = _read(data.partition(END)[0] + END)
        self.assertTrue(isinstance(found, RequestHead) or found in REFUSED, found)

    @settings(deadline=None, max_examples=100)
    @given(st.one_of(_written(), _mutated()))
    def test_beginnings(self, section: bytes) -> None:
        """What begins a valid head is never refused, and what is refused begins none."""
        valid = isinstance(_read(section), RequestHead)
        for size in range(1, len(section)):
            if valid:
                refuse_start(section[:size], DEFAULTS)
            elif not _starts(section[:size]):
                return

    def test_refused_early(self) -> None:
        """What is no request is refused at its first bytes, what is too long at its limit."""
        for begun in (b"\x16\x03\x01", b"\x00", b"\n", b"GET /\x80", b"GET / FTP/1", b"GET \x01"):
            self.assertFalse(_starts(begun), begun)
        self.assertFalse(_starts(b"G" * (DEFAULTS.target_bytes + 100)))
        self.assertFalse(_starts(GET + b"a: " + b"b" * DEFAULTS.header_bytes))
        self.assertTrue(_starts(b"GET / HTTP/1.1\r"))


class BesideH11(SynchronousTestCase):
    """h11 and this server see the same request, or it is known why not."""

    @settings(deadline=None, max_examples=300)
    @given(st.one_of(_written(), _mutated()))
    def test_agreement(self, section: bytes) -> None:
        """What is served is what h11 sees too; what is refused it refuses, or is laxer by design."""
        head, theirs = _read(section), _seen_by_h11(section)
        if not isinstance(head, RequestHead):
            self.assertTrue(theirs is None or _stricter(section), section)
            return
        self.assertIsNotNone(theirs, section)
        assert theirs is not None
        self.assertEqual(
            (head.method, head.target, head.version[5:]),
            (theirs.method, theirs.target, theirs.http_version),
        )
        self.assertEqual([*head.headers], [*theirs.headers.raw_items()])
