"""An answer that takes its time: a handler is waited for, or a body streamed.

Rule: it ends when the connection does, and whatever the handler held for it is let go of.
"""

from collections.abc import Awaitable
from contextlib import closing
from typing import TYPE_CHECKING

from netkit.http.accesslog import Exchange
from netkit.http.framing import Framing, InvalidResponseError, ending, framing
from netkit.http.incoming import Incoming, NoBody
from netkit.http.messages import Request, Response, Stream, Takeover

if TYPE_CHECKING:
    from netkit.http.channel import Channel

CLIENT_LEFT = 499  # nginx's number for it
"""The status in the access log where the client left before the answer."""


class Answering:
    """One request and the answer to it; `begun` says whether any of that has been written."""

    def __init__(self, channel: "Channel", request: Request, body: Incoming | NoBody) -> None:
        self.begun = False
        self._channel = channel
        self._house = channel.house
        self._request = request
        self._body = body
        self._status = CLIENT_LEFT
        self._sent = 0

    async def run(self, answer: Response | Awaitable[Response], started: float) -> bool:
        """Send `answer` as soon as it is there; return whether the connection persists."""
        whole = False
        try:
            response = await self._response(answer)
            with closing(response):
                self._status = response.status
                persists = await self._send(response)
            whole = True
        finally:
            self._channel.note(
                Exchange(
                    self._request,
                    self._status,
                    self._sent,
                    self._house.clock.seconds() - started,
                    whole,
                )
            )
        return persists

    async def _response(self, answer: Response | Awaitable[Response]) -> Response:
        if isinstance(answer, Response):
            return answer
        try:
            return await answer
        except Exception as error:  # noqa: BLE001 (whatever a handler raises)
            return self._channel.excuse(self._request, error)

    async def _send(self, response: Response) -> bool:
        """Send the response; return whether the connection persists."""
        head, body = self._request.head, response.body
        if isinstance(body, bytes):
            self.begun = True
            self._sent, persists = self._channel.send_whole(self._request, self._body, response)
            return persists
        try:
            opening = self._house.remembered.opening(response)
        except InvalidResponseError as error:
            response.close()
            return await self._send(self._channel.excuse(self._request, error))
        self.begun = True
        if isinstance(body, Takeover):
            self._channel.hand_over(opening + b"\r\n", body.protocol)
            return True
        return await self._send_stream(opening, body, framing(head, response.status, body.length))

    async def _send_stream(self, opening: bytes, body: Stream, how: Framing) -> bool:
        persists = self._channel.would_persist(self._request.head, self._body)
        persists = persists and how is not Framing.CLOSE
        lines = ending(self._request.head, self._status, body.length, persists=persists)
        outgoing = self._channel.outgoing()
        self._channel.transport.write(opening + lines)
        try:
            if how is not Framing.NO_BODY:
                await outgoing.send(body, chunked=how is Framing.CHUNKED, clock=self._house.clock)
            await outgoing.room()
        finally:
            self._sent = outgoing.sent if how is not Framing.NO_BODY else 0
        return persists
