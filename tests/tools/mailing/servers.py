"""IMAP servers in memory, which answer by a table and can be as hostile as a test likes."""

import re
from collections.abc import Mapping
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from netkit.net.connect import Connector
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.tools.mailing.message import Message
from netkit.tools.mailing.reading import Account, Security, Server, Wanted, newest
from tests.net.resolver import Resolver

ADDRESS = "192.0.2.7"
TIMEOUT = 30.0
INBOX = Wanted()
ZOE = Account("zoe", "secret")

HEADER = b"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nFrom: Zoe <a@b>\r\nSubject: message %d\r\n\r\n"


def fetched(number: int, uid: int) -> bytes:
    """Return what a server tells of a message."""
    header = HEADER % number
    return (
        b"* %d FETCH (UID %d FLAGS (\\Seen) RFC822.SIZE 99"
        b' INTERNALDATE "21-Nov-2026 09:00:00 +0000"'
        b" BODY[HEADER.FIELDS (DATE FROM SUBJECT)]<0> {%d}\r\n%b)\r\n"
    ) % (number, uid, len(header), header)


GREETING = b"* OK ready\r\n"
ANSWERS: Mapping[bytes, bytes] = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR STARTTLS\r\nTAG OK done\r\n",
    b"AUTHENTICATE": b"TAG OK logged in\r\n",
    b"LOGIN": b"TAG OK logged in\r\n",
    b"EXAMINE": b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 1]\r\nTAG OK [READ-ONLY] done\r\n",
    b"FETCH": b"".join(fetched(number, 10 * number) for number in (1, 2, 3)) + b"TAG OK done\r\n",
    b"LOGOUT": b"* BYE bye\r\nTAG OK done\r\n",
    b"STARTTLS": b"TAG OK go on\r\n",
}
"""What a good server answers; TAG stands for the tag of the command."""


class Wire(StringTransport):
    """A transport whose end is told of, in a turn of its own, as the reactor does."""

    protocol: Any
    ended = False

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock

    def abortConnection(self) -> None:
        self._end(ConnectionAborted())

    def loseConnection(self) -> None:
        self._end(ConnectionDone())

    def _end(self, why: Exception) -> None:
        if not self.ended:
            self.ended = True
            self._clock.callLater(0, self.protocol.connectionLost, Failure(why))


@define
class Talk:
    """What is asked of a server, and what it answers, changed by `answers`."""

    answers: Mapping[bytes, bytes] = field(factory=dict)
    greeting: bytes = GREETING
    asked: list[bytes] = field(factory=list)

    def answer(self, line: bytes) -> bytes:
        """Return the answer to a line."""
        self.asked.append(line)
        tag, _, rest = line.partition(b" ")
        name = rest.partition(b" ")[0]
        answers = {**ANSWERS, **self.answers}
        known = answers.get(line) or answers.get(name, b"TAG BAD what?\r\n")
        return re.sub(rb"\bTAG\b", tag, known)


class Reading:
    """A library call whose server is in memory; `shown` is what came of it."""

    def __init__(
        self,
        talk: Talk,
        wanted: Wanted = INBOX,
        account: Account = ZOE,
    ) -> None:
        self.talk = talk
        self.shown: list[Message] = []
        self.alerts: list[str] = []
        self.reactor: Any = MemoryReactorClock()
        self.connector = Connector(self.reactor, self.reactor, Names(Resolver()), ANYWHERE, TIMEOUT)
        self.done: Deferred[int] = Deferred.fromCoroutine(
            newest(
                Server(ADDRESS, 143, Security.NONE),
                account,
                wanted,
                self.connector,
                show=self.shown.append,
                alert=self.alerts.append,
            )
        )
        self.wire = Wire(self.reactor)
        self._connect()

    def _connect(self) -> None:
        factory = self.reactor.tcpClients[0][2]
        protocol: Any = factory.buildProtocol(IPv4Address("TCP", ADDRESS, 143))
        self.wire.protocol = protocol
        protocol.makeConnection(self.wire)
        self.reactor.advance(0)

    def hear(self, data: bytes) -> None:
        """Have the server send something."""
        if not self.wire.ended:
            self.wire.protocol.dataReceived(data)
        self.reactor.advance(0)

    def talk_on(self) -> "Reading":
        """Greet, and answer until nothing is asked; close where LOGOUT was."""
        self.hear(self.talk.greeting)
        while said := self.wire.value():
            self.wire.clear()
            for line in said.split(b"\r\n")[:-1]:
                self.hear(self.talk.answer(line))
                if line.endswith(b" LOGOUT"):
                    self.wire.loseConnection()
        self.reactor.advance(0)
        return self

    def left(self) -> tuple[bool, list[Any]]:
        """Return whether the connection is over, and what still waits."""
        return self.wire.ended, list(self.reactor.getDelayedCalls())
