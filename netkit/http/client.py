"""One connection to an HTTP/1.1 server (RFC 9112).

One question after the other, never two at a time. Rule: a byte counts to an answer only where nothing
else is possible; what comes while nobody asked, or behind a whole answer, ends the connection, and so
does whatever leaves a doubt where the next answer begins.
"""

from socket import MSG_PEEK, socket
from typing import Any, Protocol

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProtocol,
    IReactorTime,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.answerheads import AnswerHeads, KnownHeads, TooMuchHeaderError
from netkit.http.answers import BadAnswerError
from netkit.http.arriving import Arriving
from netkit.http.asked import Asked
from netkit.http.asking import Answer, AskError, Problem, Question
from netkit.http.chunked import ChunkedError
from netkit.http.clientlimits import ClientLimits
from netkit.http.handedover import HandedOver
from netkit.http.messages import BodyCutError, BodyTooLargeError, ResponseHead
from netkit.http.patience import Doing, Patience
from netkit.http.requestlines import header_section, whole_request
from netkit.http.sections import END, listed
from netkit.http.sending import Sending, stream
from netkit.net.progress import Progress, acknowledged, progress

WHOLE_BYTES = 16 * 1024
"""Up to this length a body is waited for a moment, so that it goes with its head."""

_CONTINUE = 100
_SWITCHING = 101
_SUCCESS = range(200, 300)
_END = len(END)


class Keeper(Protocol):
    """Whose connections they are."""

    limits: ClientLimits
    clock: IReactorTime
    heads: KnownHeads

    def rest(self, connection: "Connection") -> None:
        """Note that `connection` has nothing to do, and can be asked."""

    def leave(self, connection: "Connection") -> None:
        """Note that `connection` can be asked no more; this comes once."""

    def lose(self, connection: "Connection") -> None:
        """Note that `connection` is over."""

    def fail(
        self, connection: "Connection", asked: Asked, error: AskError, *, unheard: bool
    ) -> None:
        """Say that there is no answer; `unheard`: `connection`, used before, was lost silently."""


@implementer(IProtocol, IHalfCloseableProtocol)
class Connection:
    """One connection, which belongs to `keeper`; `server` is what that one knows it by.

    `questions` counts those that it was asked; `lost`: the connection is no more.
    """

    transport: Any

    def __init__(self, keeper: Keeper, server: Any) -> None:  # noqa: ANN401 (the keeper's own affair)
        self.server = server
        self.questions = 0
        self._keeper = keeper
        self._asked: Asked | None = None
        self._known: dict[bytes, ResponseHead] = {}
        self._heads: AnswerHeads | None = None
        self._held: ResponseHead | None = None
        self._arriving: Arriving | None = None
        self._sending: Sending | None = None
        self._handed: HandedOver | None = None
        self._persists = False
        self._paused = False
        self._heard = False  # anything of the answer
        self._over = self.lost = False
        self._patience = Patience(keeper.clock.seconds())

    # What the keeper says.

    @property
    def usable(self) -> bool:
        """Whether the next question can be asked."""
        busy = self._asked or self._arriving or self._handed
        return busy is None and not self._over

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
        """Send the question; the connection is usable."""
        asked.place = self
        if self._over:
            asked.fail(AskError(Problem.CONNECTION_TERMINATED, "the server left", untouched=True))
            return
        self._asked = asked
        self._heard = False
        self.questions += 1
        question = asked.question
        self._known = self._keeper.heads.known(question.method)
        if type(question.body) is bytes and not (question.expects and question.body):
            self.transport.write(whole_request(question, question.body))
        else:
            self._send(question)

    def take_back(self, asked: Asked) -> None:
        """See `asked.Place`."""
        if self._asked is asked:
            self._asked = None
            self._abort()

    def close(self) -> None:
        """End the connection, where nothing is going on."""
        if self.usable:
            self._end()

    def abort(self) -> None:
        """End the connection, and what goes on on it."""
        self._break(Problem.CONNECTION_TERMINATED, "the daemon ends")

    def look(self, now: float) -> None:
        """End what takes too long; deliver a head that its body keeps waiting."""
        if self._handed is not None and not self._over:
            return
        self._deliver()
        doing, mark = self._doing()
        if not self._patience.is_over(self._keeper.limits, now, (doing, self.questions, mark)):
            return
        match doing:
            case Doing.REST:
                self._end()
            case Doing.SENDING:
                self._break(Problem.CONNECTION_WRITE_TIMEOUT, "the server takes no more")
            case Doing.HEAD:
                self._break(Problem.HTTP_RESPONSE_TIMEOUT, "the server does not answer")
            case Doing.BODY:
                self._break(Problem.CONNECTION_READ_TIMEOUT, "the server went silent")
            case _:
                self._abort()

    def _doing(self) -> tuple[Doing, int]:
        """Return what is waited for, and a number that changes as it comes."""
        if self._over:
            return Doing.CLOSING, 0
        if self._arriving is not None:
            idle = self._paused and not self._arriving.wanted
            return (Doing.OTHERS if idle else Doing.BODY), self._arriving.received
        if self._asked is None:
            return Doing.REST, 0
        if self._progress.unsent or (self._sending is not None and self._sending.waits):
            return Doing.SENDING, acknowledged(self.transport)
        sends = self._sending is not None and not self._sending.finished
        return (Doing.OTHERS if sends else Doing.HEAD), 0

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
        if asked is None or self._heads is not None or self._sending is not None:
            self._receive(data)
            return
        # Most reads are one whole answer, whose header section has been seen this second.
        end = data.find(END) + _END
        head = self._known.get(data[:end])
        if head is None or head.length != len(data) - end or self._held is not None:
            self._receive(data)
            return
        self._asked = None
        self._persists = head.persists
        self._finish(b"")
        asked.answer(Answer(head=head, body=data[end:]))

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
        self._keeper.lose(self)

    def _hear_end(self, *, clean: bool) -> None:
        arriving = self._arriving
        if self.usable:
            self._end()
        elif arriving is not None and arriving.until_close and clean and not self._over:
            self._arriving = None
            self._end()
            arriving.end()
        else:
            self._break(Problem.CONNECTION_TERMINATED, "the server left")

    # What the server sends.

    def _receive(self, data: bytes) -> None:
        """Take what is no whole answer."""
        if self._handed is not None:
            self._handed.receive(data)
        elif self._over:
            return
        elif self._arriving is not None:
            self._fill(self._arriving, data)
        elif self._asked is not None:
            self._read(self._asked, data)
        else:
            self._break(Problem.HTTP_PROTOCOL_ERROR, "the server sent what nobody asked for")

    def _read(self, asked: Asked, data: bytes) -> None:
        """Take what belongs to a header section."""
        self._heard = True
        if self._heads is None:
            self._heads = AnswerHeads(self._keeper.heads, asked.question.method)
        heads = self._heads
        try:
            for head in heads.feed(data):
                if head.status >= _SUCCESS.start or head.status == _SWITCHING:
                    self._begin(asked, head, heads.rest)
                else:
                    self._inform(asked.question, head)
                if self._asked is not asked:
                    return
        except TooMuchHeaderError as error:
            self._break(Problem.HTTP_RESPONSE_HEADER_SECTION_SIZE, str(error))
        except BadAnswerError as error:
            self._break(Problem.HTTP_PROTOCOL_ERROR, str(error))

    def _inform(self, question: Question, head: ResponseHead) -> None:
        if head.status != _CONTINUE:
            if question.informed is not None:
                question.informed(head)
        elif self._sending is not None:
            self._sending.begin()

    def _begin(self, asked: Asked, head: ResponseHead, rest: bytes) -> None:
        """Take the final head of an answer, and what came behind it."""
        self._heads = None
        question = asked.question
        if head.status == _SWITCHING or (question.method == b"CONNECT" and head.status in _SUCCESS):
            self._hand_over(asked, head, rest)
            return
        self._persists = head.persists
        self._held = head
        self._arriving = arriving = Arriving(head, self)
        self._fill(arriving, rest)
        if self._held is not None and (arriving.length or WHOLE_BYTES + 1) > WHOLE_BYTES:
            self._deliver()

    def _fill(self, arriving: Arriving, data: bytes) -> None:
        """Give the body what belongs to it."""
        try:
            rest = arriving.feed(data)
        except ChunkedError as error:
            self._break(Problem.HTTP_RESPONSE_TRANSFER_CODING, str(error))
            return
        if arriving.finished:
            self._complete(arriving, rest)
        else:
            arriving.tell()
            self._regulate()

    def _complete(self, arriving: Arriving, rest: bytes) -> None:
        """Go on behind an answer, and only then tell of its end: whoever hears it may ask again."""
        asked, self._asked = self._asked, None
        head, self._held = self._held, None
        self._arriving = None
        self._finish(rest)
        if asked is not None and head is not None:
            asked.answer(Answer(head=head, body=arriving.whole()))
        else:
            arriving.tell()

    def _deliver(self) -> None:
        """Deliver an answer whose body is still on its way."""
        head, asked, arriving = self._held, self._asked, self._arriving
        if head is not None and asked is not None and arriving is not None:
            self._held = self._asked = None
            asked.answer(Answer(head=head, body=arriving))
            self._regulate()

    def _hand_over(self, asked: Asked, head: ResponseHead, rest: bytes) -> None:
        """Deliver an answer behind which the connection is HTTP no longer."""
        question = asked.question
        if self._sending is not None and not self._sending.finished:
            self._break(Problem.HTTP_PROTOCOL_ERROR, "the server did not wait for the request")
        elif head.status == _SWITCHING and not question.upgrade:
            self._break(Problem.HTTP_PROTOCOL_ERROR, "the server switches though nobody asked")
        elif head.status == _SWITCHING and not _is_offered(head, question):
            self._break(Problem.HTTP_UPGRADE_FAILED, "the server switches to another protocol")
        else:
            self._asked = self._sending = None
            self._handed = HandedOver(self.transport, rest)
            asked.answer(Answer(head=head, body=self._handed))

    def go_on(self) -> None:
        """See `arriving.Source`."""
        self._regulate()

    def let_go(self) -> None:
        """See `arriving.Source`."""
        self._arriving = None
        self._abort()

    def _regulate(self) -> None:
        """Read from the server, or let it wait."""
        arriving = self._arriving
        rests = (
            arriving is not None and self._held is None and arriving.unread and not arriving.wanted
        )
        if rests != self._paused and not self._over:
            self._paused = rests
            (self.transport.pauseProducing if rests else self.transport.resumeProducing)()

    # What is sent.

    def _send(self, question: Question) -> None:
        body = stream(question.body)
        expects = question.expects and body.length != 0
        self._sending = sending = Sending(body, self.transport, self._keeper.clock, self._sent)
        self.transport.write(header_section(question, body.length, expects=expects))
        if expects:
            sending.wait()
        else:
            sending.begin()

    def _sent(self, failure: Failure | None) -> None:
        """Note that the body is sent, or that it cannot be: the server must not take it for whole."""
        if failure is None:
            return
        cut = failure.check(BodyCutError, BodyTooLargeError) is not None
        problem = Problem.HTTP_REQUEST_ERROR if cut else Problem.PROXY_INTERNAL_ERROR
        self._break(problem, "the request was not finished", failure.value)

    # The end of an exchange, and of the connection.

    def _finish(self, rest: bytes) -> None:
        """Rest or end, since all of the answer has come, and `rest` behind it."""
        sending, self._sending = self._sending, None
        if (sending is not None and not sending.finished) or self._progress.unsent:
            if sending is not None:
                sending.stop()
            self._abort()
            return
        most = self._keeper.limits.requests
        if not self._persists or rest or (most and self.questions >= most):
            self._end()
            return
        if self._paused:
            self._regulate()
        self._keeper.rest(self)

    def _break(self, problem: Problem, words: str, cause: BaseException | None = None) -> None:
        """End the connection at once, and tell whoever waits for something from it."""
        asked, self._asked = self._asked, None
        arriving, self._arriving = self._arriving, None
        lost = problem is Problem.CONNECTION_TERMINATED
        if lost and self._held is not None:
            problem = Problem.HTTP_RESPONSE_INCOMPLETE
        self._abort()
        if asked is not None:
            error = AskError(problem, words)
            error.__cause__ = cause
            unheard = lost and self.questions > 1 and not self._heard
            self._keeper.fail(self, asked, error, unheard=unheard)
        elif arriving is not None:
            arriving.cut(words)

    def _abort(self) -> None:
        self._leave()
        if self._sending is not None:
            self._sending.stop()
        if not self.lost:
            self.transport.abortConnection()

    def _end(self) -> None:
        self._leave()
        if not self.lost:
            self.transport.loseConnection()

    def _leave(self) -> None:
        if not self._over:
            self._over = True
            self._keeper.leave(self)


def _is_offered(head: ResponseHead, question: Question) -> bool:
    """Return whether the server switches to something that the client would rather speak."""
    chosen = head.fields.get(b"upgrade", b"")
    return set(listed([chosen])) <= set(listed([question.upgrade]))
