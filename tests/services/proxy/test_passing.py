"""What goes on is what came, less what was for one hop alone, and more by who passed it on."""

from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import AskError, Problem
from netkit.http.messages import Headers, RequestHead, ResponseHead
from netkit.services.proxy.passing import (
    HOPS,
    Visitor,
    about,
    back,
    hops_left,
    last_hop,
    logs_in_connection,
    one_hop_less,
    onward,
    proxy_status,
    refusal,
)
from tests.http.fakes import content

NAME = "netkit-a1"
CLIENT = Visitor(ip_address("192.0.2.7"), secure=False, authority=b"shop.example")

_OPTIONS = (b"Connection", b"Keep-Alive", b"TE", b"Trailer", b"Transfer-Encoding", b"Upgrade")
_PROXYS = (b"Proxy-Authorization", b"Proxy-Connection", b"Proxy-Authenticate")
_NAMES = st.sampled_from([b"X-A", b"x-b", b"Accept", b"Cookie", *_OPTIONS, *_PROXYS, b"Host"])
_VALUES = st.sampled_from([b"a", b"b", b"x-a", b"X-B, close"])


def asking(*headers: tuple[bytes, bytes], method: bytes = b"GET") -> RequestHead:
    """Return the head of a request with these fields."""
    return RequestHead(method=method, target=b"/", headers=headers)


def onward_names(*headers: tuple[bytes, bytes]) -> list[bytes]:
    """Return the names of what goes on of these fields."""
    return [name for name, _ in onward(asking(*headers), NAME)]


class Fields(SynchronousTestCase):
    """Fields go on or end here."""

    @given(st.lists(st.tuples(_NAMES, _VALUES)))
    @settings(deadline=None, max_examples=200)
    def test_rest(self, headers: list[tuple[bytes, bytes]]) -> None:
        """What goes on is what came, in its order, less fields of the hop and those that it names."""
        named = b",".join(value for name, value in headers if name == b"Connection").lower()
        dropped = {each.strip() for each in named.split(b",")}
        dropped |= {name.lower() for name in (*_OPTIONS, *_PROXYS, b"Host")}
        expected = [field for field in headers if field[0].lower() not in dropped]
        self.assertEqual(
            [*expected, (b"Via", b"1.1 netkit-a1")], list(onward(asking(*headers), NAME))
        )

    def test_framing(self) -> None:
        """What frames a message and what expects a 100 is said anew."""
        fields = ((b"Content-Length", b"5"), (b"Expect", b"100-continue"), (b"A", b"b"))
        self.assertEqual([b"A", b"Via"], onward_names(*fields))

    def test_lookalikes(self) -> None:
        """What CGI and WSGI would take for a field that ends here ends here, too."""
        fields = (
            (b"Content_Length", b"5"),
            (b"transfer_Encoding", b"chunked"),
            (b"Proxy", b"evil"),
        )
        self.assertEqual([b"X_A", b"Via"], onward_names(*fields, (b"X_A", b"1")))

    def test_connection_names_what_it_must_not(self) -> None:
        """A client may have any field end here, even Cookie or Via: only it is the worse for it."""
        self.assertEqual([b"Via"], onward_names((b"Connection", b"Cookie"), (b"Cookie", b"a=b")))

    def test_answer(self) -> None:
        """An answer keeps its fields in order, Set-Cookie apart, and says by whom it came."""
        headers: Headers = (
            (b"Set-Cookie", b"a=1"),
            (b"Connection", b"x-private"),
            (b"Set-Cookie", b"b=2"),
            (b"X-Private", b"yes"),
            (b"Proxy-Authenticate", b"Basic"),
            (b"Transfer-Encoding", b"chunked"),
            (b"Server", b"origin"),
        )
        head = ResponseHead(status=200, version=b"HTTP/1.0", headers=headers)
        self.assertEqual(
            (
                (b"Set-Cookie", b"a=1"),
                (b"Set-Cookie", b"b=2"),
                (b"Server", b"origin"),
                (b"Via", b"1.0 netkit-a1"),
            ),
            back(head, NAME),
        )


class Logins(SynchronousTestCase):
    """Logins that are a connection's."""

    def test_of_connections(self) -> None:
        """NTLM and Negotiate log a connection in, Basic and Bearer a request."""
        for value, logs_in in (
            (b"NTLM TlRM", True),
            (b"negotiate YII", True),
            (b"Basic Zg", False),
        ):
            self.assertIs(logs_in, logs_in_connection(((b"authorization", value),)))
        self.assertFalse(logs_in_connection(()))


class Loops(SynchronousTestCase):
    """A request does not go round for ever."""

    def refused(self, *via: bytes) -> Problem:
        """Return why a request with these Via fields is refused."""
        head = asking(*((b"Via", value) for value in via))
        error: AskError = self.assertRaises(AskError, onward, head, NAME)
        return error.problem

    def test_been_here(self) -> None:
        """A request that names this proxy in Via has been here, however that is written."""
        for via in (b"1.1 netkit-a1", b"1.1 other, 1.0 NETKIT-A1 (x)", b"HTTP/1.1 netkit-a1,1.1 b"):
            self.assertEqual(Problem.PROXY_LOOP_DETECTED, self.refused(via))
        self.assertEqual(Problem.PROXY_LOOP_DETECTED, self.refused(b"1.1 a", b"1.1 netkit-a1"))

    def test_others(self) -> None:
        """Another proxy's name, or ours in a comment, is no loop."""
        fields = onward(asking((b"Via", b"1.1 netkit-b2, 1.1 x (netkit-a1)")), NAME)
        self.assertEqual((b"Via", b"1.1 netkit-a1"), fields[-1])

    def test_too_many(self) -> None:
        """So many proxies in a row are a loop."""
        self.assertEqual(Problem.PROXY_LOOP_DETECTED, self.refused(b", ".join([b"1.1 x"] * HOPS)))

    def test_max_forwards(self) -> None:
        """Max-Forwards counts for TRACE and OPTIONS alone, and is one less for the next server."""
        field = (b"Max-Forwards", b"3")
        self.assertEqual(3, hops_left(asking(field, method=b"TRACE")))
        self.assertIsNone(hops_left(asking(field)))
        self.assertIsNone(hops_left(asking((b"Max-Forwards", b"-1"), method=b"OPTIONS")))
        self.assertIsNone(hops_left(asking((b"Max-Forwards", b"9" * 5000), method=b"OPTIONS")))
        self.assertEqual(
            ((b"Max-Forwards", b"2"), (b"A", b"3")), one_hop_less((field, (b"A", b"3")))
        )

    def test_trace(self) -> None:
        """The answer to a TRACE shows the request without what it keeps to itself."""
        head = asking((b"A", b"b"), (b"Cookie", b"secret"), method=b"TRACE")
        self.assertEqual(b"TRACE / HTTP/1.1\r\nA: b\r\n\r\n", content(last_hop(head)))
        self.assertEqual(204, last_hop(asking(method=b"OPTIONS")).status)


class Telling(SynchronousTestCase):
    """A server learns who the client is, from whoever may say so."""

    def test_untrusted(self) -> None:
        """What a client says of itself is replaced, also under names that look alike to some servers."""
        said: Headers = (
            (b"X-Forwarded-For", b"127.0.0.1"),
            (b"x_forwarded_for", b"127.0.0.1"),
            (b"Forwarded", b"for=127.0.0.1"),
            (b"X-Real-IP", b"127.0.0.1"),
            (b"X-Forwarded-Proto", b"https"),
            (b"A", b"b"),
        )
        self.assertEqual(
            (
                (b"A", b"b"),
                (b"X-Forwarded-For", b"192.0.2.7"),
                (b"Forwarded", b"for=192.0.2.7;proto=http;host=shop.example"),
                (b"X-Forwarded-Proto", b"http"),
                (b"X-Forwarded-Host", b"shop.example"),
            ),
            about(CLIENT, said, trusted=False),
        )

    def test_trusted(self) -> None:
        """What a trusted proxy says is kept, and the proxy itself is added."""
        said: Headers = (
            (b"X-Forwarded-For", b"198.51.100.1"),
            (b"Forwarded", b"for=198.51.100.1"),
            (b"X-Forwarded-Proto", b"https"),
        )
        fields = dict(about(CLIENT, said, trusted=True))
        self.assertEqual(b"198.51.100.1, 192.0.2.7", fields[b"X-Forwarded-For"])
        self.assertEqual(b"https", fields[b"X-Forwarded-Proto"])
        self.assertTrue(fields[b"Forwarded"].startswith(b"for=198.51.100.1, for=192.0.2.7;"))

    def test_v6(self) -> None:
        """An IPv6 address stands in brackets and quotes in Forwarded, and bare in the other."""
        visitor = Visitor(ip_address("2001:db8::1"), secure=True, authority=b"a:8443")
        fields = dict(about(visitor, (), trusted=False))
        self.assertEqual(b'for="[2001:db8::1]";proto=https;host="a:8443"', fields[b"Forwarded"])
        self.assertEqual(b"2001:db8::1", fields[b"X-Forwarded-For"])

    def test_comma(self) -> None:
        """A host with a comma in it is none where fields are lists."""
        visitor = Visitor(ip_address("192.0.2.7"), secure=False, authority=b"a,b")
        fields = dict(about(visitor, (), trusted=False))
        self.assertNotIn(b"X-Forwarded-Host", fields)
        self.assertTrue(fields[b"Forwarded"].endswith(b'host="a,b"'))

    def test_nobody(self) -> None:
        """A client without an address is unknown."""
        fields = dict(about(Visitor(None, secure=False, authority=b""), (), trusted=False))
        self.assertEqual(b"for=unknown;proto=http", fields[b"Forwarded"])
        self.assertNotIn(b"X-Forwarded-Host", fields)


class Refusals(SynchronousTestCase):
    """A proxy says that it is the one who answers, and why."""

    def test_details(self) -> None:
        """The words are for who may know them; in the field they are ASCII within quotes."""
        error = AskError(Problem.CONNECTION_REFUSED, 'host "a"\\: it was réfused')
        name, value = proxy_status(error, NAME, details=True)
        self.assertEqual(b"Proxy-Status", name)
        details = b'details="host \\"a\\"\\\\: it was r?fused"'
        self.assertEqual(b"netkit-a1; error=connection_refused; " + details, value)
        page = refusal(error, NAME, details=True)
        self.assertEqual(502, page.status)
        self.assertIn("Host &quot;a&quot;\\: it was réfused.".encode(), content(page))

    def test_no_details(self) -> None:
        """A visitor of a site learns no server's address."""
        error = AskError(Problem.CONNECTION_TIMEOUT, "10.0.0.5:80: no connection")
        page = refusal(error, NAME)
        self.assertEqual(504, page.status)
        self.assertIn((b"Proxy-Status", b"netkit-a1; error=connection_timeout"), page.headers)
        self.assertNotIn(b"10.0.0.5", content(page))

    def test_every_problem(self) -> None:
        """Every problem has a page."""
        for problem in Problem:
            page = refusal(AskError(problem, "why"), NAME)
            self.assertEqual(problem.status, page.status)
