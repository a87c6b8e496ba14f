"""A body out of its content codings, as a stream (RFC 9110 8.4).

Rule: what was cut short in the middle of its coding never ends as a whole body does, and whatever a few
bytes become, it comes in pieces of a bounded size, between which others have their turn.
"""

from collections.abc import AsyncIterator, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from netkit.http.decoding import Decoder, MalformedError, decoder
from netkit.http.fields import members
from netkit.http.messages import PIECE_BYTES, BodyCutError, Stream

MOST_CODINGS = 3
TURN_BYTES = 1024 * 1024


def decoders(value: bytes) -> list[Decoder] | None:
    """Return what decodes a body with this Content-Encoding, in order; None: nothing here does."""
    codings = members(value)
    known = [decoder(coding) for coding in reversed(codings)]
    if len(codings) > MOST_CODINGS or None in known:
        return None
    return [each() for each in known if each is not None]


class Decoded:
    """The content of `body` by `decoder`. It is a `messages.Stream` of unknown length."""

    length = None

    def __init__(self, body: Stream, decoder: Decoder, clock: IReactorTime) -> None:
        self._body = body
        self._decoder = decoder
        self._clock = clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the content."""
        decoder = self._decoder
        turn = 0
        try:
            async for piece in self._body:
                decoder.take(piece)
                while not decoder.hungry:
                    content = decoder.content(PIECE_BYTES)
                    turn += len(content)
                    if content:
                        yield content
                    if turn >= TURN_BYTES:
                        turn = 0
                        await deferLater(self._clock, 0)
        except MalformedError:
            raise BodyCutError("the body is not in the coding that it claims") from None
        if not decoder.whole:
            raise BodyCutError("the body ends in the middle of its coding")

    def close(self) -> None:
        """See `messages.Stream`."""
        self._body.close()


def decoded(body: Stream, by: Sequence[Decoder], clock: IReactorTime) -> Stream:
    """Return the content of `body`, decoded by each of `by` in turn."""
    for each in by:
        body = Decoded(body, each, clock)
    return body
