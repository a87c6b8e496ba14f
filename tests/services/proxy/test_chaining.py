"""A proxy that asks another proxy for everything."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport

from netkit.http.asking import Answer, AskError, Problem
from netkit.http.messages import ResponseHead
from netkit.net.addresses import SocketAddress, literal
from netkit.net.destination import parse
from netkit.services.proxy.access import Action, DestinationRule
from netkit.services.proxy.service import complaints
from netkit.services.proxy.settings import Settings
from tests.services.proxy.fakes import Asked, Connection, Server
from tests.services.proxy.proxies import CONNECT, GET, ProxyCase

PARENT = parse("tcp:192.168.0.1:3128")
HERE = DestinationRule(action=Action.ALLOW, networks=(ip_network("127.0.0.0/8"),))


class ChainCase(ProxyCase):
    """A proxy whose parent is on a network that is not public."""

    def setUp(self) -> None:
        self.server = self.asks = Server()
        super().setUp()
        self.serve(parent=PARENT, parent_user="me", parent_password="sesame", name="near")

    def asked(self) -> Asked:
        """Return the question that the parent has been asked last."""
        return self.server.asked[-1]

    def hand_over(self) -> tuple[Any, StringTransport, Connection]:
        """Answer a CONNECT with 200; return the protocol and the transport it was given."""
        given: list[Any] = []
        transport = StringTransport()

        def take(protocol: Any) -> None:
            given.append(protocol)
            protocol.makeConnection(transport)

        connection = Connection(take)
        self.asked().coming.callback(Answer(head=ResponseHead(status=200), body=connection))
        return given[0] if given else Protocol(), transport, connection


class ParentTests(ChainCase):
    def test_request(self) -> None:
        """The parent is asked for the whole URL, and told who asks."""
        self.send(GET)
        self.assertEqual(str(self.asked().way), "192.168.0.1:3128")
        self.assertEqual(
            self.asked().question.opening,
            b"GET http://origin/path?q HTTP/1.1\r\nHost: origin\r\nVia: 1.1 near\r\n"
            b"Proxy-Authorization: Basic bWU6c2VzYW1l\r\n",
        )
        self.assertEqual(self.resolver.asked, [])
        self.send(b"OPTIONS http://origin HTTP/1.1\r\nHost: origin\r\n\r\n")
        self.assertIn(b"OPTIONS http://origin HTTP/1.1\r\n", self.asked().question.opening)

    def test_connect(self) -> None:
        """The parent is asked for the tunnel, and what it hands over is its end."""
        self.send(CONNECT + b"early")
        question = self.asked().question
        self.assertEqual(question.method, b"CONNECT")
        self.assertEqual(
            question.opening,
            b"CONNECT origin:443 HTTP/1.1\r\nHost: origin:443\r\nVia: 1.1 near\r\n"
            b"Proxy-Authorization: Basic bWU6c2VzYW1l\r\n",
        )
        far, transport, _ = self.hand_over()
        self.assertEqual(transport.value(), b"early")
        self.transport.clear()
        far.dataReceived(b"hello")
        self.assertEqual(self.transport.value(), b"hello")

    def test_leaves(self) -> None:
        """A client that leaves is not waited for."""
        self.send(CONNECT)
        self.leave()
        self.assertTrue(self.asked().left)
        self.assertEqual(self.proxy._connecting.open, 0)

    def test_refused(self) -> None:
        """What the parent refuses is refused; that it wants another login is no client's affair."""
        for theirs, ours in ((403, 403), (503, 503), (407, 502), (200, 502), (302, 502)):
            self.send(CONNECT)
            self.asked().answer(theirs, (b"Proxy-Authenticate", b"Basic"), body=b"secret")
            answer = self.answer()
            self.assertEqual(answer.status, ours)
            self.assertNotIn(b"secret", answer.body)
            self.assertNotIn("proxy-authenticate", answer.headers)
            self.assert_line(f"the next proxy answered {theirs}" if ours == 502 else f"; {ours}")
            self.assertEqual(self.proxy._connecting.open, 0)

    def test_challenged(self) -> None:
        """That the parent wants another login is 502 for a request, too."""
        self.send(GET)
        self.asked().answer(407, (b"Proxy-Authenticate", b"Basic"), body=b"secret")
        answer = self.answer()
        self.assertEqual(answer.status, 502)
        self.assertNotIn(b"secret", answer.body)
        self.assert_line("; 502, ", "the next proxy answered 407")

    def test_gone(self) -> None:
        """A parent that is not there is 502."""
        self.send(CONNECT)
        self.asked().coming.errback(AskError(Problem.CONNECTION_REFUSED, "no"))
        self.assertEqual(self.answer().status, 502)

    def test_rules(self) -> None:
        """Addresses and names are judged; what a name stands for the parent alone knows."""
        bad = DestinationRule(action=Action.REFUSE, hosts=("bad",))
        self.serve(parent=PARENT, destination=(HERE, bad))
        for target, status in ((b"http://10.0.0.1/", 403), (b"http://bad/", 403)):
            self.send(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertEqual(self.answer().status, status)
        self.assertEqual(self.server.asked, [])
        for target in (b"http://127.0.0.1/", b"http://8.8.8.8/", b"http://localhost/"):
            self.send(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertEqual(len(self.server.asked), 3)

    def test_itself(self) -> None:
        """The parent is not asked for this proxy."""
        address = literal("127.0.0.1")
        assert address is not None
        self.own = frozenset({SocketAddress(address, 8001)})
        self.serve(parent=PARENT, destination=(HERE,))
        self.send(b"GET http://127.0.0.1:8001/ HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertEqual(self.answer().status, 403)
        self.assert_line("GET 127.0.0.1:8001: refused by one of our own listeners")


class SettingsTests(ChainCase):
    def test_file(self) -> None:
        """The password may be the first line of a file, and a repr shows none."""
        file = Path(self.mktemp())
        file.write_text("sesame\r\n")
        settings = Settings(parent=PARENT, parent_user="me", parent_password_file=file)
        self.assertEqual(list(complaints(settings)), [])
        self.serve(parent=PARENT, parent_user="me", parent_password_file=file)
        self.send(GET)
        self.assertIn(b"Basic bWU6c2VzYW1l\r\n", self.asked().question.opening)
        self.assertNotIn("sesame", repr(Settings(parent_password="sesame")))

    def test_complaints(self) -> None:
        """Keys that do not go together are told, and so is a file that cannot be read."""
        empty = Path(self.mktemp())
        empty.touch()
        for keys, wrong in (
            ({"parent_user": "a"}, "parent_user"),
            ({"parent_password": "a"}, "parent_password"),
            ({"parent": PARENT, "parent_password": "a"}, "parent_user"),
            ({"parent": PARENT, "parent_user": "a:b"}, "parent_user"),
            ({"parent": PARENT, "parent_user": "a", "parent_password_file": Path("/")}, None),
            ({"parent": PARENT, "parent_user": "a", "parent_password_file": empty}, None),
        ):
            with self.subTest(keys):
                settings: Any = Settings(**keys)
                [complaint] = complaints(settings)
                self.assertEqual(complaint.path, (wrong or "parent_password_file",))
