"""One connection to an HTTP/1.1 server (RFC 9112).

One question after the other, never two at a time. Rule: what comes while nobody asked, or behind a
whole answer, ends the connection, and so does whatever leaves a doubt where the next answer begins.
"""

from socket import MSG_PEEK, socket
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.asked import Asked
from netkit.http.asking import Answer, AskError, Problem
from netkit.http.exchange import Exchange
from netkit.http.handedover import HandedOver
from netkit.http.keeper import Keeper
from netkit.http.messages import ResponseHead
from netkit.http.patience import Doing, Patience
from netkit.http.requestlines import whole_request
from netkit.http.sections import END
from netkit.net.progress import Progress, acknowledged, progress

_END = len(END)
_LATE = {
    Doing.SENDING: (Problem.CONNECTION_WRITE_TIMEOUT, "the server takes no more"),
    Doing.HEAD: (Problem.HTTP_RESPONSE_TIMEOUT, "the server does not answer"),
    Doing.BODY: (Problem.CONNECTION_READ_TIMEOUT, "the server went silent"),
}


@implementer(IProtocol, IHalfCloseableProtocol)
class Connection:
    """One connection, which belongs to `keeper`; `server` is what that one knows it by.

    `questions` counts those that it was asked; `lost`: the connection is no more.
    """

    __slots__ = (
        "_asked",
        "_exchange",
        "_handed",
        "_known",
        "_last",
        "_over",
        "_patience",
        "_progress",
        "keeper",
        "lost",
        "questions",
        "server",
        "transport",
    )

    transport: Any

    def __init__(self, keeper: Keeper, server: Any) -> None:  # noqa: ANN401 (the keeper's own affair)
        self.keeper = keeper
        self.server = server
        self.questions = 0
        self.lost = self._over = False
        self._asked: Asked | None = None  # until all of the answer has come
        self._known: dict[bytes, ResponseHead] = {}
        self._last = False
        self._exchange: Exchange | None = None  # none for one write and one read
        self._handed: HandedOver | None = None
        self._patience = Patience(keeper.clock.seconds())

    # What the keeper says.

    @property
    def usable(self) -> bool:
        """Whether the next question can be asked."""
        return self._asked is None and self._handed is None and not self._over

    def is_good(self) -> bool:
        """Return whether the server has not ended the connection meanwhile, as far as is known.

        One system call, for a question that must not be asked twice.
        """
        sock = getattr(self.transport, "socket", None)
        if not isinstance(sock, socket):
            return self.usable
        try:
            sock.recv(1, MSG_PEEK)
        except BlockingIOError:
            return self.usable
        except OSError:
            pass
        return False

    def ask(self, asked: Asked) -> None:
        """Send the question of `asked`, where no other is under way."""
        asked.place = self
        if self._over:
            asked.fail(AskError(Problem.CONNECTION_TERMINATED, "the server left", untouched=True))
            return
        self._asked = asked
        self.questions += 1
        question = asked.question
        self._known = self.keeper.heads.known(question.method)
        self._last = question.last
        if type(question.body) is bytes and not (question.expects and question.body):
            self.transport.write(whole_request(question, question.body))
        else:
            self._exchange = Exchange(self, asked)
            self._exchange.send()

    def take_back(self, asked: Asked) -> None:
        """See `asked.Place`."""
        if self._asked is asked:
            self._give_up("nobody waits")
            self.drop()

    def close(self) -> None:
        """End the connection, where nothing is going on."""
        if self.usable:
            self._end()

    def abort(self) -> None:
        """End the connection, and what goes on on it."""
        self.break_off(AskError(Problem.CONNECTION_TERMINATED, "the daemon ends"))

    def look(self, now: float) -> None:
        """End what takes too long; deliver an answer that waits for its body."""
        if self._handed is not None:
            return
        if self._exchange is not None:
            self._exchange.deliver()
        doing, mark = self._doing()
        if not self._patience.is_over(self.keeper.limits, now, (doing, self.questions, mark)):
            return
        if doing is Doing.REST:
            self._end()
        elif doing in _LATE:
            self.break_off(AskError(*_LATE[doing]))
        else:
            self.drop()

    def _doing(self) -> tuple[Doing, int]:
        """Return what is waited for, and a number that changes as some of it comes."""
        if self._over:
            return Doing.CLOSING, 0
        if self._asked is None:
            return Doing.REST, 0
        doing, mark = (Doing.HEAD, 0) if self._exchange is None else self._exchange.doing()
        if doing is Doing.SENDING or (doing is not Doing.BODY and self._progress.unsent):
            return Doing.SENDING, acknowledged(self.transport)
        return doing, mark

    # What the transport says.

    def makeConnection(self, transport: ITransport) -> None:
        """See IProtocol."""
        self.transport = transport
        self._progress: Progress = progress(transport)

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` has done it all."""

    def dataReceived(self, data: bytes) -> None:
        """See IProtocol."""
        asked = self._asked
        if asked is None or self._exchange is not None:
            self._receive(data)
            return
        # Most reads are one whole answer, whose header section may have been seen this second.
        end = data.find(END) + _END
        section = data[:end]
        head = self._known.get(section)
        if head is None:
            head = self.keeper.heads.final(section, asked.question.method)
        if head is None or head.length != len(data) - end:
            self._receive(data)
            return
        self.finish(b"", persists=head.persists, sent=True)
        asked.answer(Answer(head=head, body=data[end:]))

    def _receive(self, data: bytes) -> None:
        """Take what is no whole answer."""
        if self._handed is not None:
            self._handed.receive(data)
        elif self._over:
            return
        elif self._asked is None:
            self.break_off(
                AskError(Problem.HTTP_PROTOCOL_ERROR, "the server sent what nobody asked for")
            )
        else:
            if self._exchange is None:
                self._exchange = Exchange(self, self._asked)
            self._exchange.receive(data)

    def readConnectionLost(self) -> None:
        """Take it that the server says no more."""
        if self._handed is not None:
            self._handed.end()
        else:
            self._hear_end(clean=True)

    def writeConnectionLost(self) -> None:
        """Pass it on; nobody else closes one half."""
        if self._handed is not None:
            self._handed.end_of_writing()

    def connectionLost(self, reason: Failure) -> None:
        """End whatever was going on."""
        self.lost = True
        if self._handed is not None:
            self._leave()
            self._handed.lose(reason)
        else:
            self._hear_end(clean=reason.check(ConnectionDone) is not None)
        self.keeper.lose(self)

    def _hear_end(self, *, clean: bool) -> None:
        if self._over:
            return
        if self._asked is None:
            self._end()
        elif not (clean and self._exchange is not None and self._exchange.hear_end()):
            self.break_off(AskError(Problem.CONNECTION_TERMINATED, "the server left"))

    # The end of an exchange, and of the connection; see `exchange.Link`.

    def finish(self, rest: bytes, *, persists: bool, sent: bool) -> None:
        """See `exchange.Link`."""
        self._asked = self._exchange = None
        most = self.keeper.limits.requests
        if not sent or self._progress.unsent:
            self.drop()
        elif not persists or rest or self._last or (most and self.questions >= most):
            self._end()
        else:
            self.keeper.rest(self)

    def hand_over(self, handed: HandedOver) -> None:
        """See `exchange.Link`."""
        self._asked = self._exchange = None
        self._handed = handed

    def break_off(self, error: BaseException) -> None:
        """See `exchange.Link`."""
        exchange = self._exchange
        lost = isinstance(error, AskError) and error.problem is Problem.CONNECTION_TERMINATED
        if lost and exchange is not None and exchange.has_head:
            error = AskError(Problem.HTTP_RESPONSE_INCOMPLETE, str(error))
        unheard = lost and self.questions > 1 and not (exchange is not None and exchange.heard)
        self.drop()
        asked = self._give_up(str(error))
        if asked is not None:
            self.keeper.fail(self, asked, error, unheard=unheard)

    def _give_up(self, words: str) -> Asked | None:
        """End the exchange; return what still waits for an answer."""
        asked, exchange = self._asked, self._exchange
        self._asked = self._exchange = None
        return asked if exchange is None else exchange.fail(words)

    def drop(self) -> None:
        """See `exchange.Link`."""
        self._leave()
        if not self.lost:
            self.transport.abortConnection()

    def _end(self) -> None:
        self._leave()
        if not self.lost:
            self.transport.loseConnection()

    def _leave(self) -> None:
        if not self._over:
            self._over = True
            self.keeper.leave(self)
