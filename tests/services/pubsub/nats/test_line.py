"""One connection to a server, which may be anything."""

from attrs import Factory, define
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.tlsclient import TlsTerms
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.grammar import CLIENT, Grammar
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.line import CLOSE_SECONDS, Line, Terms
from netkit.services.pubsub.nats.servers import Server
from tests.net.transports import PeerTransport

_INFO = b'INFO {"server_id":"S","max_payload":9,"tls_available":true}\r\n'
_GREETING = b'CONNECT {"verbose":false'


@define(eq=False)
class Notes:
    """An owner that writes down what happens."""

    notes: list[object] = Factory(list)

    def greeted(self, line: Line) -> None:
        """Note."""
        self.notes.append("greeted")

    def informed(self, line: Line, info: Info) -> None:
        """Note."""
        self.notes.append(("info", info.server_id))

    def came(self, line: Line, run: Published) -> None:
        """Note."""
        self.notes += [(run.subject, run.sid, payload) for payload in run.payloads]

    def answered(self, line: Line) -> None:
        """Note."""
        self.notes.append("pong")

    def complained(self, line: Line, words: str) -> None:
        """Note."""
        self.notes.append(("complaint", words))

    def settle(self) -> None:
        """Do nothing."""

    def over(self, line: Line, why: str) -> None:
        """Note."""
        self.notes.append(("over", why))


class LineTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Connect to a server."""
        self.clock = Clock()
        self.connect()

    def connect(self, *, tls: bool = False) -> None:
        """Connect anew."""
        self.owner = Notes()
        server = Server("s", tls=tls, name="s")
        grammar = Grammar(CLIENT, 4096, 1000)
        greeting = Connect(verbose=False)
        self.line = Line(Terms(server, grammar, TlsTerms(), greeting, self.clock), self.owner)
        self.peer = PeerTransport(self.line)

    def test_greeting(self) -> None:
        """Who has heard the server's first line says who it is, and is known as that is answered."""
        self.assertEqual(self.peer.take(), b"")
        self.peer.send(_INFO)
        said = self.peer.take()
        self.assertTrue(said.startswith(_GREETING) and said.endswith(b"}\r\nPING\r\n"))
        self.assertEqual(self.owner.notes, [("info", "S")])
        self.peer.send(b"PONG\r\nPONG\r\nPING\r\n")
        self.assertEqual(self.owner.notes[1:], ["greeted", "pong"])
        self.assertEqual(self.peer.take(), b"PONG\r\n")

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(1, 30), max_size=20))
    def test_any_split(self, sizes: list[int]) -> None:
        """However the bytes come, what they say is the same."""
        self.connect()
        said = (
            _INFO + b"+OK\r\nPONG\r\nMSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n-ERR 'Oh \x1b'\r\nPONG\r\n"
        )
        for size in sizes:
            self.peer.send(said[:size])
            said = said[size:]
        self.peer.send(said)
        expected = [
            ("info", "S"),
            "greeted",
            (b"a", b"1", b"x"),
            (b"a", b"1", b"y"),
            ("complaint", r"Oh \x1b"),
            "pong",
        ]
        self.assertEqual(self.owner.notes, expected)

    def test_strangers(self) -> None:
        """Who is no NATS server, or a broken one, is left at once, and said to be that."""
        for said, why in (
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it is no NATS server"),
            (b"INFO {\r\n", "it is no NATS server"),
            (b"x" * 5000, "it is no NATS server"),
            (b"PONG\r\n", "it does not say who it is"),
            (b"-ERR 'maximum connections exceeded'\r\n", "maximum connections exceeded"),
            (_INFO + b"MSG a 1 1001\r\n", "it cannot be understood: Maximum Payload Violation"),
            (_INFO + b"PUB a 1\r\nx\r\n", "it cannot be understood: Unknown Protocol Operation"),
        ):
            self.connect()
            self.peer.send(said)
            self.assertEqual(self.owner.notes[-1], ("over", why))
            self.assertTrue(self.peer.aborted)

    def test_gone(self) -> None:
        """Where the server goes, what it complained of last is the reason."""
        self.peer.send(_INFO + b"-ERR 'Stale Connection'\r\n")
        self.peer.finish()
        self.assertEqual(self.owner.notes[-1], ("over", "Stale Connection"))
        self.connect()
        self.peer.finish()
        self.assertEqual(self.owner.notes, [("over", "the connection was closed")])

    def test_before_tls(self) -> None:
        """What somebody puts between the first line and TLS counts for nothing: there is no connection."""
        for more in (b"PONG\r\n", b"P"):
            self.connect(tls=True)
            self.peer.send(_INFO + more)
            why = "it said something between its first line and TLS"
            self.assertEqual(self.owner.notes, [("over", why)])
            self.assertEqual(self.peer.taken, b"")

    def test_close(self) -> None:
        """A connection that is closed sends what is there, for a while, and is heard of no more."""
        self.peer.send(_INFO)
        self.line.close()
        self.peer.send(b"MSG a 1 1\r\nx\r\n")
        self.clock.advance(CLOSE_SECONDS)
        self.assertTrue(self.peer.aborted)
        self.assertEqual(self.owner.notes, [("info", "S")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed_in_time(self) -> None:
        """Where the server takes what is there, nothing is left over."""
        self.peer.send(_INFO)
        self.line.close()
        self.peer.take()
        self.assertFalse(self.peer.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])
