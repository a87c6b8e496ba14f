"""What is seen of a connection is what it is: its address, and its TLS if it has any."""

import socket
import ssl
from unittest import SkipTest

from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, LogPublisher
from twisted.trial.unittest import TestCase

from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.reactor import EagerReactor
from netkit.net.tls import Store
from netkit.services.kind import World
from netkit.services.pubsub.connected import Connection, tls_of
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Options, Protocol, Settings
from tests.listening import listening
from tests.net.authorities import identities, issued


class ConnectionTests(TestCase):
    def test_address(self) -> None:
        """Who has come by IP has an address and a port."""
        peer = IPv6Address("TCP", "2001:db8::1", 7)
        self.assertEqual(Connection(kind="nats", peer=peer).address, ("2001:db8::1", 7))
        self.assertIsNone(Connection(kind="nats", peer=UNIXAddress(None)).address)

    def test_plain(self) -> None:
        """Without TLS nothing is said of it."""
        self.assertEqual(tls_of(StringTransport()), ("", ""))

    async def test_tls(self) -> None:
        """With TLS its version and cipher are those that the client sees; so is the time to it."""
        from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

        if not isinstance(reactor, EagerReactor):
            raise SkipTest("needs trial --reactor=netkit")
        log = Logger(namespace="pubsub", observer=LogPublisher(EventLoggingObserver()))
        service = PubSub(Settings(), World(reactor, reactor, log))
        factory = service.factory(Options(Protocol.NATS, handshake_first=True))
        creator = Store(identities(issued("a.example"))).creator()
        port = listening(self, Gate(factory, Limits(), reactor, log, creator))

        def talk() -> tuple[object, object]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            with (
                socket.create_connection(("127.0.0.1", port), 20) as plain,
                context.wrap_socket(plain) as secured,
            ):
                secured.recv(1000)
                cipher = secured.cipher()
                assert cipher is not None
                (member,) = service.house.crowd
                seen = member.shown()
                self.assertEqual(
                    (seen.tls_version, seen.tls_cipher), (secured.version(), cipher[0])
                )
                return member.round_trip, seen.kind

        round_trip, kind = await deferToThread(talk)
        self.assertIsInstance(round_trip, float)
        self.assertEqual(kind, "nats")
