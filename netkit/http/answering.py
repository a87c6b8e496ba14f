"""An answer that takes its time: a handler is waited for, or a body streamed.

Rule: it ends when the connection does, and whatever the handler held for it is let go of.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from netkit.http.accesslog import Exchange
from netkit.http.framing import Framing, InvalidResponseError, ending, framing
from netkit.http.incoming import Incoming, NoBody
from netkit.http.messages import BodyCutError, FileRange, Request, Response, Stream, Takeover
from netkit.net.filesend import ConnectionGoneError, UnsentError, may_send_file, send_file

if TYPE_CHECKING:
    from netkit.http.channel import Channel

CLIENT_LEFT = 499  # nginx's number for it
"""The status in the access log where the client left before the answer."""


class Answering:
    """One request and the answer to it; `begun` says whether any of that has been written."""

    __slots__ = ("_body", "_channel", "_request", "_sent", "_started", "_status", "begun")

    def __init__(
        self, channel: "Channel", request: Request, body: Incoming | NoBody, started: float
    ) -> None:
        self.begun = False
        self._channel = channel
        self._request = request
        self._body = body
        self._started = started
        self._status = CLIENT_LEFT
        self._sent = 0

    def came(self, response: Response) -> Deferred[None] | None:
        """Send `response`, and go on with the channel behind it."""
        try:
            if not isinstance(response.body, bytes):
                finishing = Deferred.fromCoroutine(self._finish(response))
                return finishing.addErrback(self._channel.abandon, self._request)
            self.begun = True
            self._status = response.status
            self._sent, persists = self._channel.send_whole(self._request, self._body, response)
            self._note(whole=True)
            self._channel.over(persists=persists)
        except BaseException:  # noqa: BLE001 (as a Deferred would, which costs more than all this)
            self._channel.abandon(Failure(), self._request)
        return None

    def failed(self, failure: Failure) -> Deferred[None] | None:
        """Answer where whoever should have answered failed, unless nobody waits for that."""
        try:
            response = self._channel.excuse(self._request, failure)
        except BaseException:  # noqa: BLE001 (as above)
            self._note(whole=False)
            self._channel.abandon(Failure(), self._request)
            return None
        return self.came(response)

    async def _finish(self, response: Response) -> None:
        whole = False
        try:
            with closing(response):
                self._status = response.status
                persists = await self._send(response)
            whole = True
        finally:
            self._note(whole=whole)
        self._channel.over(persists=persists)

    def _note(self, *, whole: bool) -> None:
        if self._channel.house.served is not None:
            seconds = self._channel.house.clock.seconds() - self._started
            self._channel.note(
                Exchange(self._request, self._status, self._sent, seconds, whole=whole)
            )

    async def _send(self, response: Response) -> bool:
        """Send the response; return whether the connection persists."""
        head, body = self._request.head, response.body
        if isinstance(body, bytes):
            self.begun = True
            self._sent, persists = self._channel.send_whole(self._request, self._body, response)
            return persists
        try:
            opening = self._channel.house.remembered.opening(response)
        except InvalidResponseError as error:
            response.close()
            return await self._send(self._channel.excuse(self._request, Failure(error)))
        self.begun = True
        if isinstance(body, Takeover):
            self._channel.hand_over(opening + b"\r\n", body.protocol)
            return True
        return await self._send_stream(opening, body, framing(head, response.status, body.length))

    async def _send_stream(self, opening: bytes, body: Stream, how: Framing) -> bool:
        persists = self._channel.would_persist(self._request.head, self._body)
        persists = persists and how is not Framing.CLOSE
        lines = ending(self._request.head, self._status, body.length, persists=persists)
        transport = self._channel.transport
        if isinstance(body, FileRange) and how is Framing.LENGTH and may_send_file(transport):
            transport.write(opening + lines)
            await self._send_file(body)
            return persists
        outgoing = self._channel.outgoing()
        transport.write(opening + lines)
        try:
            if how is not Framing.NO_BODY:
                await outgoing.send(
                    body, chunked=how is Framing.CHUNKED, clock=self._channel.house.clock
                )
            await outgoing.room()
        finally:
            self._sent = outgoing.sent if how is not Framing.NO_BODY else 0
        return persists

    async def _send_file(self, body: FileRange) -> None:
        """Have the kernel send the file."""
        self._channel.end_outgoing(for_good=True)
        try:
            descriptor = body.file.fileno()
            await send_file(self._channel.transport, descriptor, body.offset, body.length)
        except ConnectionGoneError:
            raise CancelledError from None
        except UnsentError as error:
            raise BodyCutError(str(error)) from None
        finally:
            self._channel.watch()
        self._sent = body.length
