"""What a request becomes for a server: path, Host, who the client is, and where it ends."""

from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.dial import AnnouncedWay
from netkit.services.proxy.upstream.errands import REMEMBERED
from netkit.services.proxy.upstream.settings import ProxyHeader
from tests.http.fakes import Visitor, asked, content, field
from tests.services.proxy.upstream.mounted import Mounted, http10


class Requests(SynchronousTestCase):
    """What a server is asked."""

    def test_written_anew(self) -> None:
        """The path is that below the mount, Host is the client's, and it is said who the client is."""
        mounted = Mounted()
        mounted.ask("/a b", target=b"/app/a%20b?q=%2f", headers=((b"X", b"1"), (b"Host", b"x")))
        self.assertEqual(
            mounted.opening,
            [
                b"GET /a%20b?q=%2f HTTP/1.1",
                b"Host: test",
                b"X: 1",
                b"Via: 1.1 us",
                b"X-Forwarded-For: 192.0.2.7",
                b"Forwarded: for=192.0.2.7;proto=http;host=test",
                b"X-Forwarded-Proto: http",
                b"X-Forwarded-Host: test",
            ],
        )

    def test_paths(self) -> None:
        """The prefix of the mount may stay, and one of the servers come before it."""
        for keys, path, expected in (
            ({}, "", b"/"),
            ({}, "//x", b"/x"),
            ({"strip_prefix": False}, "/x", b"/app/x"),
            ({"strip_prefix": False}, "", b"/app"),
            ({"prefix": "/base"}, "/x", b"/base/x"),
            ({"prefix": "/base"}, "/%2e%2e/\\..\0", b"/base/%252e%252e/%5C..%00"),
        ):
            mounted = Mounted(**keys)
            mounted.ask(path)
            self.assertEqual(mounted.opening[0], b"GET " + expected + b" HTTP/1.1")

    def test_host(self) -> None:
        """Host is the client's, the server's own, or a fixed one; HTTP/1.0 may have had none."""
        for rule, expected in (("keep", b"test"), ("upstream", b"a"), ("x.example", b"x.example")):
            mounted = Mounted(host=rule)
            mounted.ask()
            self.assertEqual(mounted.opening[1], b"Host: " + expected)
        mounted = Mounted()
        mounted.send(http10(asked("/")))
        self.assertEqual(mounted.opening[1], b"Host: a")

    def test_trusted(self) -> None:
        """What a client says of others counts where it is a trusted proxy, or comes by a UNIX socket."""
        said = ((b"X-Forwarded-For", b"203.0.113.9"), (b"X-Forwarded-Proto", b"https"))
        for peer, expected in (
            (IPv4Address("TCP", "10.0.0.1", 1), b"X-Forwarded-For: 203.0.113.9, 10.0.0.1"),
            (UNIXAddress(None), b"X-Forwarded-For: 203.0.113.9, unknown"),
            (IPv4Address("TCP", "192.0.2.7", 1), b"X-Forwarded-For: 192.0.2.7"),
        ):
            mounted = Mounted(trusted=(ip_network("10.0.0.0/8"),))
            mounted.ask(headers=said, client=Visitor(peer))
            self.assertIn(expected, mounted.opening)

    def test_remembered(self) -> None:
        """Equal requests of one client are one errand, those of others are not; the memory is bounded."""
        mounted = Mounted()
        for number in (1, 2, 1):
            mounted.ask(client=Visitor(IPv4Address("TCP", f"192.0.2.{number}", 1)))
            self.assertIn(f"X-Forwarded-For: 192.0.2.{number}".encode(), mounted.opening)
        mounted.ask(client=Visitor(secure=True))
        self.assertIn(b"X-Forwarded-Proto: https", mounted.opening)
        for number in range(REMEMBERED + 10):
            mounted.ask(f"/{number}")
            self.assertTrue(mounted.opening[0].startswith(b"GET /%d " % number))
        known = mounted.mount._errands._known
        self.assertLess(len(known), REMEMBERED)
        size = len(known)
        mounted.ask(headers=((b"X", bytes(b"x" * 5000)),))
        mounted.ask("/" + "x" * 5000)
        self.assertEqual(len(known), size)

    def test_proxy_header(self) -> None:
        """A PROXY header says whose connection it is; each has a way of its own."""
        mounted = Mounted(proxy_header=ProxyHeader.V1)
        mounted.ask()
        way: Any = mounted.last.way
        self.assertIsInstance(way, AnnouncedWay)
        self.assertEqual(way.header, b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 80\r\n")
        mounted = Mounted(proxy_header=ProxyHeader.V2)
        for port in (1, 2):
            mounted.ask(client=Visitor(IPv4Address("TCP", "192.0.2.7", port)))
        self.assertEqual(len({each.way for each in mounted.asked}), 2)
        mounted.ask(client=Visitor(UNIXAddress(None)))
        way = mounted.last.way
        self.assertTrue(way.header.startswith(b"\r\n\r\n\0\r\nQUIT\n"))

    def test_loop(self) -> None:
        """A request that has been here is answered 508 and asked nobody."""
        mounted = Mounted()
        response = self.successResultOf(mounted.ask(headers=((b"Via", b"1.1 us"),)))
        self.assertEqual(response.status, 508)
        self.assertEqual(field(response, b"Proxy-Status"), b"us; error=proxy_loop_detected")
        self.assertEqual(mounted.asked, [])
        self.assertEqual(mounted.mount.shown[0].active, 0)

    def test_last_hop(self) -> None:
        """A TRACE whose way ends here is shown without secrets, an OPTIONS answered; others count down."""
        mounted = Mounted()
        fields = ((b"Max-Forwards", b"0"), (b"Cookie", b"secret"), (b"X", b"y"))
        response = self.successResultOf(mounted.ask("/x", b"TRACE", headers=fields))
        self.assertEqual(
            content(response), b"TRACE /app/x HTTP/1.1\r\nMax-Forwards: 0\r\nX: y\r\n\r\n"
        )
        response = self.successResultOf(mounted.ask("/x", b"OPTIONS", headers=fields))
        self.assertEqual(response.status, 204)
        mounted.ask("/x", b"OPTIONS", headers=((b"Max-Forwards", b"2"),))
        self.assertIn(b"Max-Forwards: 1", mounted.opening)
