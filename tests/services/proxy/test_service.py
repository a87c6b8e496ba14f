"""The forward proxy in memory: who is let in, where they may go, and what the log says of it."""

from base64 import b64encode
from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from netkit.net.addresses import SocketAddress, literal
from netkit.passwords import Cost, hashed
from netkit.services.proxy.access import Action, DestinationRule
from netkit.services.proxy.recent import REMEMBERED
from netkit.services.proxy.service import KIND
from tests.services.proxy.fakes import Server
from tests.services.proxy.proxies import CLIENT, CONNECT, GET, ORIGIN, ProxyCase
from tests.services.proxy.test_access import DISGUISES

HASH = str(hashed("sesame", Cost(ln=9)))
LOOPBACK = DestinationRule(action=Action.ALLOW, networks=(ip_network("127.0.0.0/8"),), name="here")
EIGHT = ip_network("8.0.0.0/8")
STRANGER = IPv4Address("TCP", "192.0.2.9", 40000)


def get(url: bytes, *fields: bytes, method: bytes = b"GET") -> bytes:
    """Return a request for `url`."""
    lines = (method + b" " + url + b" HTTP/1.1", b"Host: h", *fields, b"", b"")
    return b"\r\n".join(lines)


def login(user: str, password: str) -> bytes:
    """Return the field by which a client logs in."""
    said = b64encode(f"{user}:{password}".encode())
    return b"Proxy-Authorization: Basic " + said


class PassingTests(ProxyCase):
    """Requests that are passed on, to a server that is asked without a connection."""

    def setUp(self) -> None:
        self.server = self.asks = Server()
        super().setUp()

    def test_passed_on(self) -> None:
        """An origin is asked for the path alone, by its own host, and told of the proxy."""
        self.serve(name="near")
        self.send(get(b"http://Origin:8080//a/../b?c", b"X-A: 1", login("a", "b"), b"TE: x"))
        [asked] = self.server.asked
        self.assertEqual(str(asked.way), "origin:8080")
        self.assertEqual(
            asked.question.opening,
            b"GET //a/../b?c HTTP/1.1\r\nHost: Origin:8080\r\nX-A: 1\r\nVia: 1.1 near\r\n",
        )
        asked.answer(200, (b"X-B", b"2"), body=b"hello")
        answer = self.answer()
        self.assertEqual((answer.body, answer.headers["via"]), (b"hello", "1.1 near"))
        self.assert_line("127.0.0.1 - GET origin:8080: allowed by what is public; 200, 5 bytes, ")

    def test_equal_requests(self) -> None:
        """Equal requests take the same way, so that they can share connections."""
        for _ in range(2):
            self.send(GET)
        self.send(get(b"http://origin/else"))
        first, second, third = (asked.way for asked in self.server.asked)
        self.assertEqual(first, second)
        self.assertEqual(first, third)

    def test_options(self) -> None:
        """OPTIONS of a whole server is asked as such; of the proxy itself it is answered here."""
        self.send(get(b"http://origin", method=b"OPTIONS"))
        self.assertIn(b"OPTIONS * HTTP/1.1", self.server.asked[0].question.opening)
        self.assertEqual(self.status(get(b"*", method=b"OPTIONS")), 204)
        self.assert_line("allowed by the proxy itself; 204")

    def test_max_forwards(self) -> None:
        """What may go no further is answered here, without what is secret; else it is counted down."""
        self.send(get(b"http://origin/", b"Max-Forwards: 2", method=b"TRACE"))
        self.assertIn(b"Max-Forwards: 1", self.server.asked[0].question.opening)
        fields = (b"Max-Forwards: 0", b"Cookie: secret", b"X-A: b", login("a", "secret"))
        self.send(get(b"http://origin/x", *fields, method=b"TRACE"))
        answer = self.answer()
        self.assertEqual(answer.headers["content-type"], "message/http")
        self.assertIn(b"TRACE http://origin/x HTTP/1.1\r\n", answer.body)
        self.assertIn(b"X-A: b\r\n", answer.body)
        self.assertNotIn(b"secret", answer.body)
        self.assertEqual(
            self.status(get(b"http://origin/", b"Max-Forwards: 0", method=b"OPTIONS")), 204
        )

    def test_loop(self) -> None:
        """A request that has been here before is 508, a CONNECT too."""
        self.serve(name="near")
        self.assertEqual(self.status(get(b"http://origin/", b"Via: 1.1 a, 1.1 near")), 508)
        self.assert_line("refused by Via; 508", "proxy_loop_detected")
        self.assertEqual(self.status(CONNECT[:-2] + b"Via: 1.1 near\r\n\r\n"), 508)
        self.assertEqual(self.server.asked, [])

    def test_no_site(self) -> None:
        """Who takes the proxy for a web site is told what it is."""
        self.send(get(b"/"))
        answer = self.answer()
        self.assertEqual(answer.status, 400)
        self.assertIn(b"This is a proxy", answer.body)
        self.assert_line("GET h: refused by the target; 400")

    def test_https(self) -> None:
        """A whole https:// URL is refused, and the page says what is right."""
        self.send(get(b"https://origin/"))
        answer = self.answer()
        self.assertEqual(answer.status, 400)
        self.assertIn(b"CONNECT", answer.body)
        self.assertIn("http_request_error", answer.headers["proxy-status"])

    def test_absurd(self) -> None:
        """Absurd targets have a status, and a line; no traceback."""
        for target in (b"http://a:0/", b"http://a..b/", b"http://1.2.3.4.5/", b"http://u@a/"):
            with self.subTest(target):
                self.assertEqual(self.status(get(target)), 400)
                self.assertEqual(len(self.lines), 1)
        self.assertEqual(self.server.asked, [])
        self.assertEqual(len(self.proxy._decisions), 0)

    def test_tls(self) -> None:
        """TLS on the plain port is 400 at once."""
        self.assertEqual(self.status(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400)

    def test_long_body(self) -> None:
        """A body of many gigabytes may pass."""
        self.send(get(b"http://origin/", b"Content-Length: 99999999999", method=b"PUT"))
        self.assertEqual(self.server.asked[0].question.body.length, 99999999999)  # type: ignore[union-attr]

    def test_nothing_secret_is_logged(self) -> None:
        """A line has neither path nor query nor what a terminal acts on."""
        self.send(get(b"http://origin/path?query", b"Referer: http://secret/"))
        self.server.asked[0].answer()
        [line] = self.lines
        self.assertNotIn("?", line)
        self.assertNotIn("/path", line)
        self.assertNotIn("secret", line)
        self.assertLess(len(line), 200)


class ClientTests(ProxyCase):
    """Who may use the proxy."""

    def setUp(self) -> None:
        self.server = self.asks = Server()
        super().setUp()

    def test_networks(self) -> None:
        """Clients of other networks are refused before anything else, in whatever clothes."""
        for address in (
            STRANGER,
            IPv6Address("TCP", "::ffff:192.0.2.9", 1),
            IPv6Address("TCP", "2001:db8::1", 1),
        ):
            self.assertEqual(self.status(get(b"/"), address), 403)
            self.assert_line(f"{address.host} - GET h: refused by clients; 403")
        for peer in (CLIENT, IPv6Address("TCP", "::ffff:127.0.0.1", 1), UNIXAddress(None)):
            self.assertEqual(self.status(get(b"/"), peer), 400)

    def test_asked(self) -> None:
        """Where users are known, a client that says nothing is asked who it is."""
        self.serve(users={"alice": HASH}, realm="lab")
        self.send(GET)
        answer = self.answer()
        self.assertEqual(answer.status, 407)
        self.assertIn('Basic realm="lab"', answer.headers["proxy-authenticate"])
        self.assertIn("http_request_denied", answer.headers["proxy-status"])
        self.assert_line("refused by users; 407")
        self.assertEqual(self.status(CONNECT), 407)
        self.assertEqual(self.server.asked, [])

    def test_let_in(self) -> None:
        """Who knows the password is let in, the second time at once; the origin hears nothing of it."""
        self.serve(users={"alice": HASH})
        for _ in range(2):
            self.send(get(b"http://origin/", login("alice", "sesame")))
            self.memory.work()
            asked = self.server.asked.pop()
            self.assertNotIn(b"uthorization", asked.question.opening)
            asked.answer()
            self.assertEqual(self.answer().status, 200)
            self.assert_line('127.0.0.1 "alice" GET origin:80: allowed by')

    def test_wrong(self) -> None:
        """A wrong password is 407, and a line that fail2ban reads."""
        self.serve(users={"alice": HASH})
        self.send(get(b"http://origin/", login("alice", "wrong")))
        self.memory.work()
        self.assertEqual(self.answer().status, 407)
        warned, line = self.lines
        self.assertEqual(warned, 'auth failed for "alice" from 127.0.0.1')
        self.assertIn("refused by users; 407", line)

    def test_too_often(self) -> None:
        """Who tries too many passwords is told to wait."""
        self.serve(users={"alice": HASH})
        for number in range(11):
            self.send(get(b"http://origin/", login("alice", f"wrong{number}")))
            self.memory.work()
        answer = self.answer()
        self.assertEqual((answer.status, answer.headers["retry-after"]), (429, "10"))

    def test_open_clients(self) -> None:
        """Some networks need no login."""
        networks = (ip_network("0.0.0.0/0"),)
        local = (ip_network("127.0.0.0/8"),)
        self.serve(users={"alice": HASH}, clients=networks, open_clients=local)
        self.assertEqual(self.status(GET, STRANGER), 407)
        self.send(GET)
        self.assertEqual(len(self.server.asked), 1)

    def test_leaves_while_checked(self) -> None:
        """A client that leaves while its password is checked is asked for nothing."""
        self.serve(users={"alice": HASH})
        self.send(get(b"http://origin/", login("alice", "sesame")))
        self.leave()
        self.memory.work()
        self.assertEqual(self.server.asked, [])
        self.assertEqual(len(self.proxy._decisions), 0)


class DestinationTests(ProxyCase):
    """Where clients may go: with a real pool, and connections that are only tried."""

    def test_connected(self) -> None:
        """The address connected to is the one that was judged."""
        self.send(GET)
        self.assertEqual(self.dialled, [("8.8.8.8", 80)])

    def test_disguises(self) -> None:
        """Nothing inward is connected to, however it is written; each has a status."""
        for inward in DISGUISES:
            written = f"[{inward}]" if ":" in inward and "[" not in inward else inward
            for data, shown in (
                (get(b"http://%b/" % written.encode()), "GET"),
                (get(b"%b:443" % written.encode(), method=b"CONNECT"), "CONNECT"),
            ):
                with self.subTest(data):
                    self.assertEqual(self.status(data), 403)
                    self.assert_line(f" {shown} ", "refused by ", "destination_ip_prohibited")
        self.assertEqual(self.dialled, [])

    def test_names(self) -> None:
        """A name of inward addresses is refused; of several addresses the outward one is used."""
        inward = IPv4Address("TCP", "10.0.0.1", 0)
        for name, known in (
            ("localhost", [CLIENT]),
            ("localhost.", [CLIENT]),
            ("two", [CLIENT, inward]),
            ("six", [IPv6Address("TCP", "::1", 0), IPv6Address("TCP", "::ffff:10.0.0.1", 0)]),
        ):
            self.resolver.known[name] = known
            self.assertEqual(self.status(get(f"http://{name}/".encode())), 403)
            self.assertEqual(self.status(get(f"{name}:443".encode(), method=b"CONNECT")), 403)
        self.assertEqual(self.dialled, [])
        self.resolver.known["mixed"] = [inward, ORIGIN]
        self.send(get(b"http://mixed/"))
        self.assertEqual(self.dialled, [("8.8.8.8", 80)])
        self.memory.advance(20)
        self.assertEqual(len(self.dialled), 1)

    def test_another_the_second_time(self) -> None:
        """A name that becomes an inward address is judged again for each connection."""
        self.send(GET)
        self.assertEqual(self.dialled, [("8.8.8.8", 80)])
        self.resolver.known["origin"] = [CLIENT]
        self.assertEqual(self.status(get(b"http://origin/2")), 403)
        self.assertEqual(self.status(CONNECT), 403)
        self.assertEqual(len(self.dialled), 1)

    def test_unknown(self) -> None:
        """A name that nobody knows is 502."""
        self.resolver.known["nobody"] = []
        for data in (get(b"http://nobody/"), get(b"nobody:443", method=b"CONNECT")):
            self.assertEqual(self.status(data), 502)
            self.assert_line("dns_error", "; 502, ")

    def test_ports(self) -> None:
        """CONNECT goes to 443, other requests to what serves the web."""
        for data in (
            get(b"origin:25", method=b"CONNECT"),
            get(b"origin:80", method=b"CONNECT"),
            get(b"http://origin:25/"),
            get(b"http://origin:1023/"),
        ):
            self.assertEqual(self.status(data), 403)
            self.assert_line("ports; 403")
        self.assertEqual(self.resolver.asked, [])
        self.serve(connect_ports=(443, "8000-8010"))
        self.send(get(b"origin:8005", method=b"CONNECT"))
        self.assertEqual(self.dialled, [("8.8.8.8", 8005)])

    def test_rules(self) -> None:
        """Rules by name are decided before anybody looks the name up."""
        self.serve(
            destination=(
                DestinationRule(action=Action.REFUSE, hosts=("*.bad.example",), name="bad"),
                LOOPBACK,
            )
        )
        self.assertEqual(self.status(get(b"http://x.bad.example/")), 403)
        self.assert_line('x.bad.example:80: refused by destination "bad"; 403')
        self.assertEqual(self.resolver.asked, [])
        self.send(get(b"http://127.0.0.1/"))
        self.assertEqual(self.dialled, [("127.0.0.1", 80)])
        self.assertEqual(self.status(get(b"http://10.0.0.1/")), 403)

    def test_itself(self) -> None:
        """The proxy does not connect to itself, though its network is allowed."""
        address = literal("127.0.0.1")
        assert address is not None
        self.own = frozenset({SocketAddress(address, 8001)})
        self.serve(destination=(LOOPBACK,), connect_ports=("1-65535",))
        for data in (
            get(b"http://127.0.0.1:8001/"),
            get(b"127.0.0.1:8001", method=b"CONNECT"),
        ):
            self.assertEqual(self.status(data), 403)
            self.assert_line("one of our own listeners")
        self.send(get(b"http://127.0.0.1:8002/"))
        self.assertEqual(self.dialled, [("127.0.0.1", 8002)])

    def test_bounded(self) -> None:
        """What is remembered of requests has a limit."""
        self.serve(destination=(DestinationRule(action=Action.REFUSE, networks=(EIGHT,)),))
        for number in range(REMEMBERED + 10):
            self.send(get(b"http://origin/%d" % number))
            self.leave()
        self.assertLessEqual(len(self.proxy._routing._plans), REMEMBERED)
        self.assertEqual(len(self.proxy._decisions), 0)

    def test_listening_elsewhere(self) -> None:
        """Where the proxy listens is asked anew when it starts."""
        self.serve(destination=(LOOPBACK,))
        self.send(get(b"http://127.0.0.1:8001/"))
        address = literal("127.0.0.1")
        assert address is not None
        self.own = frozenset({SocketAddress(address, 8001)})
        self.proxy.startService()
        self.assertEqual(self.status(get(b"http://127.0.0.1:8001/")), 403)
        self.assertEqual(len(self.dialled), 1)

    def test_refused(self) -> None:
        """A server that refuses connections is 502, one that is silent 504."""
        for data in (GET, CONNECT):
            self.send(data)
            self.refuse()
            answer = self.answer()
            self.assertEqual(answer.status, 502)
            self.assertIn("error=connection_refused", answer.headers["proxy-status"])
            self.assert_line("allowed by what is public; 502", "connection_refused: 8.8.8.8")
            self.send(data)
            self.memory.pump([1] * 16)
            self.assertEqual(self.answer().status, 504)
            self.assert_line("connection_timeout")


class TunnelTests(ProxyCase):
    """CONNECT."""

    def opened(self) -> tuple[Any, Any]:
        """Open a tunnel; return the far protocol and transport."""
        self.send(CONNECT)
        far = self.accept()
        self.assertTrue(self.transport.value().startswith(b"HTTP/1.1 200 OK\r\n"))
        self.transport.clear()
        return far

    def test_tunnel(self) -> None:
        """Bytes flow both ways, and at the end there is one line with their numbers."""
        far, transport = self.opened()
        self.client.dataReceived(b"hello")
        far.dataReceived(b"good day")
        self.assertEqual((transport.value(), self.transport.value()), (b"hello", b"good day"))
        self.assertEqual(self.lines, [])
        self.memory.advance(2)
        far.readConnectionLost()
        self.client.readConnectionLost()
        self.finish(far)
        self.finish(self.client)
        self.assert_line(
            "127.0.0.1 - CONNECT origin:443: allowed by what is public; 200, 5 bytes out,"
            " 8 bytes back, 2.000 s; both sides ended"
        )
        self.assertEqual(len(self.proxy._decisions), 0)

    def test_which_rule(self) -> None:
        """The line says by which rule the address could be connected to that was."""
        outside = DestinationRule(action=Action.ALLOW, networks=(EIGHT,), name="eight")
        self.serve(destination=(LOOPBACK, outside))
        far, _ = self.opened()
        self.leave()
        self.finish(far)
        self.assert_line('allowed by destination "eight"; 200, ')

    def test_no_framing(self) -> None:
        """The 200 to a CONNECT has no length and no coding."""
        self.send(CONNECT)
        self.accept()
        section = self.transport.value().lower()
        self.assertNotIn(b"content-length", section)
        self.assertNotIn(b"transfer-encoding", section)

    def test_early(self) -> None:
        """What a client sends before there is a connection is kept, within limits, and not lost."""
        self.send(CONNECT + b"early")
        self.client.dataReceived(b" bird")
        _, transport = self.accept()
        self.assertEqual(transport.value(), b"early bird")
        self.send(CONNECT)
        sent = 0
        while self.transport.producerState == "producing":
            self.client.dataReceived(bytes(50_000))
            sent += 50_000
        self.assertLess(sent, 200_000)

    def test_no_tunnel(self) -> None:
        """What a client sends behind a CONNECT that is refused is taken for no request."""
        self.serve(destination=(DestinationRule(action=Action.REFUSE),))
        smuggled = b"GET http://origin/smuggled HTTP/1.1\r\nHost: origin\r\n\r\n"
        self.send(CONNECT + smuggled)
        answer = self.answer()
        self.assertEqual((answer.status, answer.headers["connection"]), (403, "close"))
        self.client.dataReceived(smuggled)
        self.assertEqual(self.transport.value(), b"")
        self.assertEqual(len(self.lines), 1)

    def test_leaves_while_connecting(self) -> None:
        """A client that leaves ends the attempt to connect."""
        self.send(CONNECT)
        self.leave()
        self.assertTrue(self.memory.connectors[0]._disconnected)
        self.assertEqual(self.proxy._connecting.open, 0)
        self.assertEqual(len(self.lines), 1)

    def test_leaves(self) -> None:
        """A client that is lost takes the tunnel with it."""
        far, transport = self.opened()
        self.leave()
        self.assertTrue(transport.disconnected)
        self.finish(far)
        self.assert_line("the near side was lost")
        self.assertEqual(self.proxy._connecting.open, 0)

    def test_too_many(self) -> None:
        """One client has so many tunnels at a time, others have their own."""
        self.serve(tunnels_per_client=2, clients=(ip_network("0.0.0.0/0"),))
        for _ in range(2):
            self.send(CONNECT)
        self.assertEqual(self.status(CONNECT), 429)
        self.assert_line("refused by tunnels_per_client; 429")
        self.send(CONNECT, STRANGER)
        self.assertEqual(len(self.dialled), 3)
        self.leave()
        self.send(CONNECT, STRANGER)
        self.assertEqual(len(self.dialled), 4)

    def test_idle(self) -> None:
        """A tunnel in which nothing moves ends."""
        _, transport = self.opened()
        self.memory.pump([1] * 601)
        self.assertTrue(transport.disconnected)


class KindTests(ProxyCase):
    """The proxy as a kind of service."""

    def test_complaints(self) -> None:
        """Users that cannot be, and networks that need no login where nobody needs one."""
        settings = KIND.settings(users={"a:b": HASH})
        self.assertEqual([each.path for each in KIND.complaints(settings)], [("users", "a:b")])
        settings = KIND.settings(open_clients=(ip_network("10.0.0.0/8"),))
        self.assertEqual([each.path for each in KIND.complaints(settings)], [("open_clients",)])
        self.assertEqual(list(KIND.complaints(KIND.settings())), [])
