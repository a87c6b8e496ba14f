"""One question and its answer, where these are more than one write and one read.

Rule: a byte counts to the answer only where nothing else is possible, and whoever asked hears of its
end only once the connection is free or gone: who hears it may ask again.
"""

from typing import Any, Protocol

from twisted.python.failure import Failure

from netkit.http.answerheads import AnswerHeads, TooMuchHeaderError
from netkit.http.answers import BadAnswerError
from netkit.http.arriving import Arriving
from netkit.http.asked import Asked
from netkit.http.asking import Answer, AskError, Problem, Question
from netkit.http.chunked import ChunkedError
from netkit.http.handedover import HandedOver
from netkit.http.keeper import Keeper
from netkit.http.messages import ResponseHead
from netkit.http.patience import Doing
from netkit.http.requestlines import header_section
from netkit.http.sections import listed
from netkit.http.sending import Sending, stream

WHOLE_BYTES = 16 * 1024
"""Up to this length a body is waited for a moment, so that it goes with its head."""

_CONTINUE = 100
_SWITCHING = 101
_SUCCESS = range(200, 300)


class Link(Protocol):
    """The connection under an exchange."""

    transport: Any
    keeper: Keeper

    def finish(self, rest: bytes, *, persists: bool, sent: bool) -> None:
        """Go on behind an answer, and `rest` behind that; `sent`: so was all of the request."""

    def hand_over(self, handed: HandedOver) -> None:
        """Be HTTP no longer."""

    def break_off(self, error: BaseException) -> None:
        """End the connection at once, and the exchange by its `fail`."""

    def drop(self) -> None:
        """End the connection at once: nobody waits for anything from it."""


class Exchange:
    """The question of `asked` on `link`. `heard`: the server has sent something of the answer."""

    def __init__(self, link: Link, asked: Asked) -> None:
        self.heard = False
        self._link = link
        self._question = asked.question
        self._asked: Asked | None = asked  # until it is answered
        self._heads: AnswerHeads | None = None  # until the final one is there
        self._held: ResponseHead | None = None  # while it waits for its body
        self._arriving: Arriving | None = None
        self._sending: Sending | None = None
        self._paused = self._over = False

    # What is sent.

    def send(self) -> None:
        """Send the request, and its body as it comes."""
        body = stream(self._question.body)
        expects = self._question.expects and body.length != 0
        link = self._link
        self._sending = sending = Sending(body, link.transport, link.keeper.clock, self._sent)
        link.transport.write(header_section(self._question, body.length, expects=expects))
        if expects:
            sending.wait()
        else:
            sending.begin()

    def _sent(self, failure: Failure | None) -> None:
        """Note that the body is sent, or that it cannot be: the server must not take it for whole."""
        if failure is not None and failure.value is not None:
            self._link.break_off(failure.value)

    @property
    def _is_sent(self) -> bool:
        return self._sending is None or self._sending.finished

    # What the server sends.

    def receive(self, data: bytes) -> None:
        """Take what the server sent."""
        self.heard = True
        if self._arriving is not None:
            self._fill(self._arriving, data)
        elif not self._over:
            self._read(data)

    def _read(self, data: bytes) -> None:
        """Take what belongs to a header section."""
        heads = self._heads
        if heads is None:
            self._heads = heads = AnswerHeads(self._link.keeper.heads, self._question.method)
        try:
            for head in heads.feed(data):
                if head.status >= _SUCCESS.start or head.status == _SWITCHING:
                    self._begin(head, heads.rest)
                else:
                    self._inform(head)
                if self._over:
                    return
        except TooMuchHeaderError as error:
            self._link.break_off(AskError(Problem.HTTP_RESPONSE_HEADER_SECTION_SIZE, str(error)))
        except BadAnswerError as error:
            self._link.break_off(AskError(Problem.HTTP_PROTOCOL_ERROR, str(error)))

    def _inform(self, head: ResponseHead) -> None:
        if head.status != _CONTINUE:
            if self._question.informed is not None:
                self._question.informed(head)
        elif self._sending is not None:
            self._sending.begin()

    def _begin(self, head: ResponseHead, rest: bytes) -> None:
        """Take the final head of the answer, and what came behind it."""
        connects = self._question.method == b"CONNECT" and head.status in _SUCCESS
        if connects or head.status == _SWITCHING:
            self._hand_over(head, rest)
            return
        self._held = head
        self._arriving = arriving = Arriving(head, self)
        self._fill(arriving, rest)
        if arriving.length is None or arriving.length > WHOLE_BYTES:
            self.deliver()

    def _fill(self, arriving: Arriving, data: bytes) -> None:
        """Give the body what belongs to it."""
        try:
            rest = arriving.feed(data)
        except ChunkedError as error:
            self._link.break_off(AskError(Problem.HTTP_RESPONSE_TRANSFER_CODING, str(error)))
            return
        if arriving.finished:
            self._complete(arriving, rest)
        else:
            arriving.tell()
            self._regulate()

    def _complete(self, arriving: Arriving, rest: bytes) -> None:
        sent = self._is_sent
        asked, head = self._asked, self._held
        self._end()
        self._link.finish(rest, persists=arriving.head.persists, sent=sent)
        if asked is not None and head is not None:
            asked.answer(Answer(head=head, body=arriving.whole()))
        else:
            arriving.tell()

    def deliver(self) -> None:
        """Deliver an answer that waits for its body."""
        head, asked, arriving = self._held, self._asked, self._arriving
        if head is not None and asked is not None and arriving is not None:
            self._held = self._asked = None
            asked.answer(Answer(head=head, body=arriving))
            self._regulate()

    def _hand_over(self, head: ResponseHead, rest: bytes) -> None:
        """Deliver an answer behind which the connection is HTTP no longer."""
        link, asked = self._link, self._asked
        if not self._is_sent:
            link.break_off(
                AskError(Problem.HTTP_PROTOCOL_ERROR, "the server did not wait for the request")
            )
        elif head.status == _SWITCHING and not self._question.upgrade:
            link.break_off(
                AskError(Problem.HTTP_PROTOCOL_ERROR, "the server switches though nobody asked")
            )
        elif head.status == _SWITCHING and not _is_offered(head, self._question):
            link.break_off(
                AskError(Problem.HTTP_UPGRADE_FAILED, "the server switches to another protocol")
            )
        elif asked is not None:
            self._end()
            handed = HandedOver(link.transport, rest)
            link.hand_over(handed)
            asked.answer(Answer(head=head, body=handed))

    def hear_end(self) -> bool:
        """Take it that the server says no more, as is right; return whether that ends the answer."""
        arriving = self._arriving
        if arriving is None or not arriving.until_close:
            return False
        arriving.finished = True
        self._complete(arriving, b"")
        return True

    # Who takes the body; see `arriving.Source`.

    def go_on(self) -> None:
        """See `arriving.Source`."""
        self._regulate()

    def let_go(self) -> None:
        """See `arriving.Source`."""
        self._end()
        self._link.drop()

    def _regulate(self) -> None:
        """Read from the server, or let it wait."""
        arriving = self._arriving
        if arriving is None or self._over:
            return
        rests = self._held is None and arriving.unread > 0 and not arriving.wanted
        if rests != self._paused:
            self._paused = rests
            transport = self._link.transport
            (transport.pauseProducing if rests else transport.resumeProducing)()

    # The end.

    def doing(self) -> tuple[Doing, int]:
        """Return what is waited for, and a number that changes as some of it comes."""
        if self._arriving is not None:
            return (Doing.OTHERS if self._paused else Doing.BODY), self._arriving.received
        if self._is_sent:
            return Doing.HEAD, 0
        waits = self._sending is not None and self._sending.waits
        return (Doing.SENDING if waits else Doing.OTHERS), 0

    def fail(self, words: str) -> Asked | None:
        """End, since the connection has; return what still waits for an answer.

        Where the answer has begun, whoever takes its body is told.
        """
        asked, arriving = self._asked, self._arriving
        self._end()
        if asked is None and arriving is not None:
            arriving.cut(words)
        return asked

    @property
    def has_head(self) -> bool:
        """Whether the answer's head has come."""
        return self._arriving is not None

    def _end(self) -> None:
        self._over = True
        self._asked = self._held = self._arriving = None
        if self._paused:
            self._paused = False
            self._link.transport.resumeProducing()
        if self._sending is not None:
            self._sending.stop()


def _is_offered(head: ResponseHead, question: Question) -> bool:
    """Return whether the server switches to something that the client would rather speak."""
    chosen = head.fields.get(b"upgrade", b"")
    return set(listed([chosen])) <= set(listed([question.upgrade]))
