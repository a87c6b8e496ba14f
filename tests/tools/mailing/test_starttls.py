"""STARTTLS: TLS or nothing, and nothing that came before it counts behind it."""

from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.test import iosim
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.dial import TlsWay
from netkit.net.failures import CertificateError, NoConnectionError, TlsError
from netkit.tools.certificate import Issued
from netkit.tools.mailing.starttls import StartTlsWay
from tests.net.test_dial import (
    NAME,
    ROOT,
    SERVER,
    TRUSTING,
    Making,
    MemoryWay,
    Talk,
    issued,
    server,
)

OFFER = b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK\r\n"


class Clear(Protocol):
    """A server that says its part in the clear, and then is the one `inside`."""

    def __init__(self, says: list[bytes], inside: IProtocol) -> None:
        self.says = says
        self.inside = inside
        self.heard = b""
        self.lost = False

    def connectionMade(self) -> None:
        self._say()

    def dataReceived(self, data: bytes) -> None:
        if not self.says:
            self.inside.dataReceived(data)
            return
        self.heard += data
        self._say(data.split()[0])

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = True
        if not self.says:
            self.inside.connectionLost(reason)

    def _say(self, tag: bytes = b"") -> None:
        assert self.transport is not None
        self.transport.write(self.says.pop(0).replace(b"TAG", tag))
        if not self.says:
            self.inside.makeConnection(self.transport)


class StartTlsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.below = MemoryWay()
        self.talk = Talk(b"from the client")
        self.peer = Talk(b"from the server")
        way = StartTlsWay(self.below, cast("Any", self.clock), 30)
        self.dialled = TlsWay(way, NAME, cast("Any", self.clock), TRUSTING).connect(
            Making(self.talk)
        )

    def meet(self, *says: bytes, shown: Issued = SERVER) -> None:
        """Connect with a server that says this in the clear."""
        self.far = Clear(list(says), server(shown, self.peer, self.clock))
        near: Any = self.below.made[0]
        self.pump = iosim.connect(
            self.far,
            iosim.FakeTransport(self.far, isServer=True),
            near,
            iosim.FakeTransport(near, isServer=False),
        )
        self.below.done[0].callback(near)
        self.turn()

    def turn(self, seconds: float = 0) -> None:
        """Let bytes and time go on."""
        self.clock.advance(seconds)
        for _ in range(30):
            self.pump.pump()
            self.clock.advance(0)

    def refused(self, *says: bytes, kind: type[NoConnectionError] = TlsError, **more: Any) -> str:
        """Return what is told of a server, to which nothing was said but what comes before TLS."""
        self.meet(*says, **more)
        failure = self.failureResultOf(self.dialled, kind)
        self.assertEqual((self.talk.events, self.talk.heard, self.peer.heard), ("", b"", b""))
        self.assertTrue(self.far.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return str(failure.value).removeprefix("memory: ")

    def test_agreed(self) -> None:
        """Once both have agreed there is TLS, with the name verified."""
        self.meet(b"* OK ready\r\n", OFFER, b"TAG OK go on\r\n")
        self.assertIs(self.successResultOf(self.dialled), self.talk)
        self.assertEqual(self.far.heard, b"n1 CAPABILITY\r\nn2 STARTTLS\r\n")
        self.assertEqual(self.talk.heard, b"from the server")
        self.assertEqual(self.peer.heard, b"from the client")

    def test_not_offered(self) -> None:
        """Where STARTTLS is not offered, or was taken out of the offer, nothing goes on."""
        said = self.refused(b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK\r\n")
        self.assertEqual(said, "the server does not offer STARTTLS")

    def test_not_done(self) -> None:
        """Where the server has thought better of it, nothing goes on."""
        said = self.refused(b"* OK ready\r\n", OFFER, b"TAG NO not\x1b now\r\n", b"")
        self.assertEqual(said, 'the server does not begin TLS: "not\\x1b now"')

    def test_injected(self) -> None:
        """What comes with the answer, in the clear, ends the connection (CVE-2021-33515)."""
        injected = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nn1 OK\r\n"
        for extra in (injected, b"\x16", b"\r\n"):
            with self.subTest(extra):
                self.setUp()
                said = self.refused(b"* OK ready\r\n", OFFER, b"TAG OK go on\r\n" + extra)
                self.assertEqual(said, "the server goes on in the clear after it has agreed to TLS")

    def test_injected_later(self) -> None:
        """What comes in the clear a moment later is no TLS."""
        self.meet(b"* OK ready\r\n", OFFER, b"")
        near = self.below.made[0]
        near.dataReceived(b"n2 OK go on\r\n")
        near.dataReceived(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        self.turn()
        failure = self.failureResultOf(self.dialled, TlsError)
        self.assertIn("no TLS", str(failure.value))

    def test_preauth(self) -> None:
        """A server that greets as if somebody were logged in cannot keep TLS off (RFC 3501 6.2.1)."""
        said = self.refused(b"* PREAUTH welcome\r\n", b"")
        self.assertEqual(said, "the server takes anybody for logged in before there is TLS")

    def test_goodbye(self) -> None:
        """A server that does not want to talk is told of."""
        self.assertEqual(
            self.refused(b"* BYE full\r\n", b""), 'the server does not want to talk: "full"'
        )

    def test_silence(self) -> None:
        """A server that says nothing has the timeout."""
        self.meet(b"* OK re", b"")
        self.assertNoResult(self.dialled)
        self.turn(30)
        failure = self.failureResultOf(self.dialled, TlsError)
        self.assertEqual(str(failure.value), "memory: the server said nothing for 30 s")

    def test_expired(self) -> None:
        """A certificate that is not good is told of as it is with TLS from the first byte."""
        for shown, said in (
            (issued(NAME, issuer=ROOT, since=3, days=-1), "its certificate has expired"),
            (issued("other.example", issuer=ROOT), f'its certificate is not for "{NAME}"'),
            (issued(NAME), "its certificate is self-signed"),
        ):
            with self.subTest(said):
                self.setUp()
                told = self.refused(
                    b"* OK ready\r\n", OFFER, b"TAG OK\r\n", kind=CertificateError, shown=shown
                )
                self.assertEqual(told, said)

    def test_cancelled(self) -> None:
        """Whoever cancels is left with no connection."""
        self.meet(b"* OK ready\r\n", b"")
        self.dialled.cancel()
        self.turn()
        self.failureResultOf(self.dialled, CancelledError)
        self.assertTrue(self.far.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_connection(self) -> None:
        """Where there is no connection that is what is told."""
        self.below.done[0].errback(NoConnectionError("no"))
        self.failureResultOf(self.dialled, NoConnectionError)

    def test_shown(self) -> None:
        """The way is shown as the one below, and equal ways lead to the same place."""
        clock: Any = self.clock
        one = StartTlsWay(self.below, clock, 30)
        self.assertEqual(str(one), "memory")
        self.assertEqual({one, StartTlsWay(self.below, clock, 30)}, {one})
        self.assertIsInstance(self.dialled, Deferred)
