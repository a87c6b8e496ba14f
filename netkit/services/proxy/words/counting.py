"""The words of the answers that pass through a proxy are counted, on a copy.

Rule: the client comes first. It gets each piece before counting hears of it, untouched; counting works in
short slices with rests between them, and what it has no room for is left out, and is counted as that.
"""

from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from http import HTTPStatus

from attrs import evolve, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from netkit.http.decoding import Decoder, decoder
from netkit.http.fields import item
from netkit.http.messages import BodyCutError, Headers, Request, Response, Stream, Takeover
from netkit.services.proxy.words.document import Document
from netkit.services.proxy.words.settings import CountWords
from netkit.services.proxy.words.splitting import Splitting
from netkit.services.proxy.words.tally import Reason, Tally

SLICE_SECONDS = 0.001
SLICE_STEPS = 8
REST_SECONDS = 0.019
"""Between two slices: counting takes a twentieth of the time, and not more."""

DESCRIPTIONS = 64
"""So many ways to describe a document are remembered,"""

DESCRIPTION_BYTES = 256
"""of this length at most."""


class Counting:
    """Counts what `watched` is shown, into `tally`."""

    def __init__(self, setting: CountWords, clock: IReactorTime, log: Logger) -> None:
        self.tally = Tally(setting.distinct_words)
        self._setting = setting
        self._clock = clock
        self._log = log
        self._open: dict[Document, None] = {}
        self._ready: dict[Document, None] = {}
        self._waiting = 0
        self._stopped = False
        self._next: IDelayedCall | None = None
        Splitting()  # makes its patterns while nobody waits

    def watched(self, request: Request, response: Response) -> Response:
        """Return `response` with the same content, of which a copy is counted where it is a page."""
        body = response.body
        if response.status != HTTPStatus.OK or request.method == b"HEAD":
            return response
        if not body or isinstance(body, Takeover) or self._stopped:
            return response
        description = _described(response.headers)
        document = description and self._begun(description)
        if not document:
            return response
        if not isinstance(body, bytes):
            return evolve(response, body=Watched(body, document, self))
        self.put(document, body)
        self.end(document)
        return response

    def put(self, document: Document, piece: bytes) -> None:
        """Let `piece` of `document` be counted some time."""
        if document.ended or self._stopped:
            return
        if self._is_late(document):
            self.end(document, Reason.LATE)
        elif self._waiting + len(piece) > self._setting.waiting_bytes:
            self.end(document, Reason.BUSY)
        else:
            before = document.waiting
            document.put(piece)
            self._waiting += document.waiting - before
            self._wake(document)

    def end(self, document: Document, reason: Reason | None = None) -> None:
        """Let nothing more of `document` be counted."""
        document.end(reason)
        self._wake(document)

    def stop(self) -> None:
        """Leave the rest uncounted, and what still comes."""
        self._stopped = True
        self._open.clear()
        self._ready.clear()
        self._waiting = 0
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _begun(self, description: "_Description") -> Document | None:
        """Return a document to count, where there is room for one."""
        if description.decoder is None:
            self.tally.left_out[Reason.CODING] += 1
            return None
        self._end_late()
        if (
            len(self._open) >= self._setting.documents
            or self._waiting >= self._setting.waiting_bytes
        ):
            self.tally.left_out[Reason.BUSY] += 1
            return None
        self.tally.documents += 1
        at_most = self._setting.document_bytes
        now = self._clock.seconds()
        document = Document(description.decoder, description.charset, at_most, now)
        self._open[document] = None
        return document

    def _is_late(self, document: Document) -> bool:
        return self._clock.seconds() - document.began > self._setting.document_seconds

    def _end_late(self) -> None:
        """End the documents that take too long, so that they make room."""
        for document in self._open:
            if not self._is_late(document):
                break
            self.end(document, Reason.LATE)

    def _wake(self, document: Document) -> None:
        """Let `document` have its turn, if there is something to do."""
        if document in self._open and document.has_work:
            self._ready[document] = None
            if self._next is None:
                self._next = self._clock.callLater(REST_SECONDS, self._slice)

    def _slice(self) -> None:
        self._next = None
        until = self._clock.seconds() + SLICE_SECONDS
        for _ in range(SLICE_STEPS):
            if not self._ready:
                return
            self._step(next(iter(self._ready)))
            if self._clock.seconds() >= until:
                break
        if self._ready:
            self._next = self._clock.callLater(REST_SECONDS, self._slice)

    def _step(self, document: Document) -> None:
        """Do a step for `document`, and put it behind the others."""
        del self._ready[document]
        before = document.waiting
        if self._is_late(document):
            document.give_up(Reason.LATE)
        try:
            document.step(self.tally)
        except Exception:  # noqa: BLE001 (a mistake in counting is no reason to serve nobody)
            self._log.failure("the words of a document could not be counted")
            self._waiting -= before
            document.end()
            del self._open[document]
            return
        self._waiting += document.waiting - before
        if document.has_work:
            self._ready[document] = None
        elif document.done:
            del self._open[document]


class Watched:
    """A stream whose pieces are counted once whoever sends them has asked for the next."""

    def __init__(self, stream: Stream, document: Document, counting: Counting) -> None:
        self._stream = stream
        self._document = document
        self._counting = counting

    @property
    def length(self) -> int | None:
        """See Stream."""
        return self._stream.length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces as they come."""
        try:
            async for piece in self._stream:
                yield piece
                self._counting.put(self._document, piece)
        except BodyCutError:
            self._counting.end(self._document, Reason.CUT)
            raise
        self._counting.end(self._document)

    def close(self) -> None:
        """Close the stream; what was not sent is not counted."""
        self._counting.end(self._document, Reason.CUT)
        self._stream.close()


@frozen
class _Description:
    """What is said of an HTML document before it comes; `decoder` is None where nothing decodes it."""

    decoder: Callable[[], Decoder] | None
    charset: bytes


def _described(headers: Headers) -> _Description | None:
    """Return how an HTML document comes, or None where it is anything else."""
    media_type = coding = b""
    for name, value in headers:
        if len(name) == _TYPE_LENGTH and name.lower() == b"content-type":
            media_type = value
        elif len(name) == _CODING_LENGTH and name.lower() == b"content-encoding":
            coding = coding + b"," + value if coding else value
    if media_type[:9].lower() != b"text/html":
        return None
    remembered = len(media_type) + len(coding) <= DESCRIPTION_BYTES
    return (_lately_described if remembered else _description)(media_type, coding)


def _description(media_type: bytes, coding: bytes) -> _Description | None:
    described = item(media_type)
    if described.value != b"text/html":
        return None
    return _Description(decoder(coding), described.parameters.get(b"charset", b""))


_lately_described = lru_cache(DESCRIPTIONS)(_description)

_TYPE_LENGTH = len(b"content-type")
_CODING_LENGTH = len(b"content-encoding")


def built(
    setting: bool | CountWords,  # noqa: FBT001 (the value of a key)
    clock: IReactorTime,
    log: Logger,
) -> Counting | None:
    """Return what counts as `setting` says; None where it says not to."""
    if setting is False:
        return None
    return Counting(CountWords() if setting is True else setting, clock, log)
