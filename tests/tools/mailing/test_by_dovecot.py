"""Reading mail of Dovecot, by every way there and with every way barred."""

from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from netkit.net.connect import Connector
from netkit.net.dial import TcpWay
from netkit.net.failures import CertificateError, NoConnectionError, TlsError
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.tlsclient import TlsTerms, trusted
from netkit.tools.mailing.connection import connect
from netkit.tools.mailing.conversation import Conversation
from netkit.tools.mailing.message import Message
from netkit.tools.mailing.reading import Account, Security, Server, Wanted, newest
from netkit.tools.mailing.wire import Condition
from netkit.tools.mailing.writing import login
from netkit.tools.outcome import TroubleError
from tests.tools.mailing.dovecot import MISSING, PASSWORD, USER, Dovecot

INBOX = Wanted()
MESSAGE = b"From: a@b\r\nSubject: %d\r\n\r\n"


class DovecotTests(TestCase):
    timeout = 60
    skip = MISSING

    def setUp(self) -> None:
        from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

        own: Any = reactor
        self.connector = Connector(own, own, Names(own.nameResolver), ANYWHERE, 10)

    def server(self, dovecot: Dovecot, security: Security) -> Server:
        """Return the server as it is reached so."""
        port = dovecot.tls_port if security is Security.TLS else dovecot.port
        terms = TlsTerms(trusted(Path(dovecot.authority)).certificates)
        return Server("127.0.0.1", port, security, terms)

    def read(self, server: Server, wanted: Wanted = INBOX) -> Deferred[list[str | None]]:
        """Return the subjects of the newest messages."""
        return Deferred.fromCoroutine(self._read(server, wanted))

    async def _read(self, server: Server, wanted: Wanted) -> list[str | None]:
        shown: list[Message] = []
        account = Account(USER, PASSWORD)
        count = await newest(server, account, wanted, self.connector, show=shown.append)
        self.assertEqual(count, len(shown))
        return [each.subject for each in shown]

    async def told(
        self, server: Server, kind: type[Exception] = TroubleError, wanted: Wanted = INBOX
    ) -> str:
        """Return what is told of a failure, without the place."""
        error = await self.assertFailure(self.read(server, wanted), kind)
        return str(error).removeprefix(f"127.0.0.1:{server.port}: ")

    async def test_ways(self) -> None:
        """All the ways there come to the same, and leave every message unread."""
        dovecot = Dovecot(self, [MESSAGE % number for number in range(1, 121)])
        for security in Security:
            found = await self.read(self.server(dovecot, security), Wanted("INBOX", 110))
            self.assertEqual(found, [str(number) for number in range(120, 10, -1)])
        self.assertEqual(dovecot.unread(), 120)

    async def test_login(self) -> None:
        """LOGIN takes the literals that it is given."""
        dovecot = Dovecot(self)
        way = TcpWay("127.0.0.1", dovecot.port, self.connector)
        connection = await connect(way, self.connector.clock, 10)
        conversation = Conversation(connection)
        self.assertFalse(await conversation.greeting())
        status = await conversation.command(*login(USER, PASSWORD))
        self.assertIs(status.condition, Condition.OK)
        conversation.say_goodbye()
        await connection.leave()
        await connection.abort()

    async def test_empty(self) -> None:
        """An empty mailbox has no messages; one that is not there is told of."""
        server = self.server(Dovecot(self), Security.TLS)
        self.assertEqual(await self.read(server), [])
        said = await self.told(server, wanted=Wanted("Entwürfe"))
        self.assertTrue(said.startswith('the server does not open "Entwürfe": "'), said)

    async def test_certificates(self) -> None:
        """A certificate that is not trusted ends it, unless anybody is to be taken for the server."""
        dovecot = Dovecot(self, [MESSAGE % 1])
        for security in (Security.TLS, Security.STARTTLS):
            server = evolve(self.server(dovecot, security), terms=TlsTerms())
            said = await self.told(server, CertificateError)
            self.assertEqual(said, "its certificate is self-signed")
            careless = evolve(server, terms=TlsTerms(verify=False))
            self.assertEqual(await self.read(careless), ["1"])

    async def test_no_tls(self) -> None:
        """Where there is no TLS there is no mail, unless it was asked for in the clear."""
        dovecot = Dovecot(self, [MESSAGE % 1], tls=False)
        clear = self.server(dovecot, Security.NONE)
        self.assertEqual(await self.read(clear), ["1"])
        said = await self.told(evolve(clear, security=Security.STARTTLS), TlsError)
        self.assertEqual(said, "the server does not offer STARTTLS")
        said = await self.told(evolve(clear, security=Security.TLS), TlsError)
        self.assertIn("no TLS: ", said)

    async def test_nobody_there(self) -> None:
        """Where nobody listens that is what is told."""
        said = await self.told(Server("127.0.0.1", 1), NoConnectionError)
        self.assertEqual(said, "connection refused")
