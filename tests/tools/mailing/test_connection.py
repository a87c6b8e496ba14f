"""A connection: what is not waited for is bounded too, and an end is told of once."""

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.connection import UNASKED, Connection, MailError
from netkit.tools.mailing.wire import Condition, Response, Status
from tests.tools.mailing.servers import Wire


class ConnectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.connection = Connection(cast("Any", self.clock), 30)
        self.wire = Wire(self.clock)
        self.wire.protocol = self.connection
        self.connection.makeConnection(self.wire)

    def response(self) -> Deferred[Response]:
        """Wait for a response."""
        return Deferred.fromCoroutine(self.connection.response())

    def test_kept(self) -> None:
        """What comes before anybody waits is there for who does, an end included."""
        self.connection.dataReceived(b"* OK a\r\n* OK b\r\n")
        self.wire.loseConnection()
        self.clock.advance(0)
        for text in "ab":
            response = self.successResultOf(self.response())
            self.assertEqual(response, Status("*", Condition.OK, "", text))
        for _ in range(2):
            self.failureResultOf(self.response(), MailError)

    def test_unasked(self) -> None:
        """What nobody waits for is not kept without end."""
        self.connection.dataReceived(b"* OK\r\n" * (UNASKED // 6))
        self.assertFalse(self.wire.ended)
        self.connection.dataReceived(b"* OK\r\n")
        self.assertTrue(self.wire.ended)
        self.connection.dataReceived(b"* OK\r\n" * 100)
        self.assertLess(self.connection.held, UNASKED + 10)

    def test_for_good(self) -> None:
        """After what is no IMAP nothing is heard."""
        waiting = self.response()
        self.connection.dataReceived(b"rubbish\r\n* OK a\r\n")
        self.assertEqual(
            str(self.failureResultOf(waiting, MailError).value), "sent a line that is not IMAP"
        )
        self.connection.dataReceived(b"* OK a\r\n")
        self.failureResultOf(self.response(), MailError)
        self.assertEqual(self.connection.held, 0)

    def test_over(self) -> None:
        """Nothing is said on a connection that is over, and it ends but once."""
        for _ in range(2):
            self.assertTrue(self.wire.ended or not self.clock.getDelayedCalls())
            ended = Deferred.fromCoroutine(self.connection.abort())
            self.clock.advance(0)
            self.successResultOf(ended)
        self.connection.say(b"x")
        self.assertEqual(self.wire.value(), b"")
