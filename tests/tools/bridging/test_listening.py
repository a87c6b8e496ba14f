"""Where a bridge waits to be called, and the door through which one comes in after the other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.names import Names
from netkit.tools.bridging.door import Door, Guest
from netkit.tools.bridging.listening import Stand, certificate, listen, stand
from netkit.tools.certificate import NAMES, provide
from tests.net.resolver import Resolver
from tests.net.transports import PeerTransport

NOBODY = IPv4Address("TCP", "192.0.2.1", 1)


class StandTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """A host may be left out; an endpoint says all at once."""
        for words, expected in {
            ("7000",): Stand(port=7000),
            ("0",): Stand(),
            ("127.0.0.1", "7000"): Stand("127.0.0.1", 7000),
            ("tcp:127.0.0.1:7000",): Stand("127.0.0.1", 7000),
            ("tls:localhost:7000",): Stand("localhost", 7000, tls=True),
            ("unix:/run/x",): Stand(path="/run/x"),
        }.items():
            with self.subTest(words):
                self.assertEqual(stand(words), expected)

    def test_slips(self) -> None:
        """What cannot be listened on says why."""
        for words, why in (
            (("a",), "not a port; 0 to 65535"),
            (("a b", "1"), "neither an address nor a host name"),
            (("udp:1",), "nothing to connect by"),
            (("a", "b", "c"), "give .HOST. PORT"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, why):
                stand(words)


class Network:
    """Listens on what it has, and notes what is asked of it."""

    def __init__(self, *has: str) -> None:
        self.has = has
        self.asked: list[object] = []

    def listenTCP(self, port: int, factory: object, interface: str) -> str:
        self.asked.append((port, interface))
        if interface not in self.has:
            raise CannotListenError(interface, port, OSError(99, "Cannot assign requested address"))
        return interface

    def listenUNIX(self, path: str, factory: object) -> str:
        self.asked.append(path)
        return path


class ListenTests(SynchronousTestCase):
    def listening(self, place: Stand, network: Network, version: int | None = None) -> object:
        names = Names(Resolver({"here": (IPv4Address("TCP", "127.0.0.1", 0),)}))
        found = Deferred.fromCoroutine(listen(place, names, network, version))
        return self.successResultOf(found)(None)

    def test_everywhere(self) -> None:
        """Without a host it is every address of both families, or of IPv4 where there is no IPv6."""
        self.assertEqual(self.listening(Stand(port=7), Network("::", "0.0.0.0")), "::")
        self.assertEqual(self.listening(Stand(port=7), Network("0.0.0.0")), "0.0.0.0")
        self.assertEqual(self.listening(Stand(port=7), Network("::", "0.0.0.0"), 4), "0.0.0.0")

    def test_somewhere(self) -> None:
        """With a host it is that address, or that of the name; a UNIX socket is its path."""
        for place, where in (
            (Stand("127.0.0.1", 7), "127.0.0.1"),
            (Stand("here", 7), "127.0.0.1"),
            (Stand(path="/x"), "/x"),
        ):
            self.assertEqual(self.listening(place, Network("127.0.0.1")), where)

    def test_nowhere(self) -> None:
        """What is not to be had is told with the system's words."""
        for place, network in ((Stand("192.0.2.1", 7), Network()), (Stand(port=7), Network())):
            error = self.assertRaises(OSError, self.listening, place, network)
            self.assertEqual(
                (error.filename, error.strerror), ("port 7", "Cannot assign requested address")
            )

    def test_certificate(self) -> None:
        """A PEM file with certificate and key greets; any other says what is the matter."""
        folder = Path(self.mktemp())
        now = datetime.now(UTC)
        provide(folder, NAMES, now)
        certificate(folder / "localhost.pem", now)
        (folder / "empty.pem").touch()
        for name, why in (
            ("empty.pem", "is not PEM"),
            ("none.pem", "does not exist"),
        ):
            with self.assertRaisesRegex(ValueError, why):
                certificate(folder / name, now)


class DoorTests(SynchronousTestCase):
    """One after the other."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.reactor = MemoryReactor()

    def door(self, tls: Any = None) -> Door:
        """Return a door, which listens and lets nobody in yet."""
        self.open: list[str] = []
        return Door(lambda _: cast("Any", self), self.clock, tls, 5.0)

    # What stands for the port that listens.

    numberAccepts = 100

    def startReading(self) -> None:
        self.open.append("open")
        self.assertEqual(self.numberAccepts, 1)

    def stopReading(self) -> None:
        self.open.append("shut")
        self.numberAccepts = 100

    def stopListening(self) -> None:
        self.open.append("gone")

    def enter(self, door: Door) -> tuple[Guest, PeerTransport]:
        guest = door.buildProtocol(NOBODY)
        return guest, PeerTransport(guest)

    def test_one_at_a_time(self) -> None:
        """It is shut until somebody is waited for, and again as soon as one is in."""
        door = self.door()
        self.assertEqual(self.open, ["shut"])
        for _ in range(2):
            waiting = door.next()
            self.assertEqual(self.open.pop(), "open")
            self.assertNoResult(waiting)
            guest, _ = self.enter(door)
            self.assertIs(self.successResultOf(waiting), guest)
            self.assertEqual(self.open.pop(), "shut")
        self.successResultOf(Deferred.fromCoroutine(door.close()))
        self.assertEqual(self.open.pop(), "gone")

    def test_greeted(self) -> None:
        """With TLS a guest counts when it is greeted; one that is not, in time, makes room."""
        folder = Path(self.mktemp())
        provide(folder, NAMES, datetime.now(UTC))
        door = self.door(certificate(folder / "localhost.pem", datetime.now(UTC)))
        waiting = door.next()
        _, slow = self.enter(door)
        self.clock.advance(5)
        self.assertTrue(slow.aborted)
        self.assertNoResult(waiting)
        self.assertEqual(self.open[-1], "open")
        guest, _ = self.enter(door)
        self.assertNoResult(waiting)
        guest.handshakeCompleted()
        self.assertIs(self.successResultOf(waiting), guest)
        self.assertEqual(self.clock.getDelayedCalls(), [])
