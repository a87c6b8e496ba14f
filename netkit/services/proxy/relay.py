"""One request passed on to a server, and its answer back to the client.

What both proxies have in common. Rule: what is sent is written anew from what was found valid, in both
directions; a small exchange costs no coroutine, and what equal messages become is worked out once.
"""

from collections.abc import AsyncIterator
from functools import cached_property
from http import HTTPStatus

from attrs import frozen
from twisted.internet.defer import Deferred

from netkit.http.asking import Answer, Asks, Handover, Question
from netkit.http.framing import request_opening
from netkit.http.messages import (
    Headers,
    Request,
    RequestHead,
    Response,
    ResponseHead,
    Takeover,
)
from netkit.net.dial import Way
from netkit.net.sides import Side, join
from netkit.net.tunnel import Tunnels
from netkit.services.proxy.passing import back, logs_in_connection
from netkit.services.proxy.recent import Recent


@frozen(kw_only=True)
class Errand:
    """What a request becomes: what is asked at the end of `way`. Equal requests should share one.

    `headers` are all that go on, Host among them.
    """

    method: bytes
    way: Way
    target: bytes
    headers: Headers

    @cached_property
    def opening(self) -> bytes:
        """The request line and the field lines; raises InvalidRequestError for what may not be sent."""
        return request_opening(self.method, self.target, self.headers)

    @cached_property
    def logs_in(self) -> bool:
        """Whether the connection is logged in by it, and of use to nobody else afterwards."""
        return logs_in_connection(self.headers)


class Relay:
    """Passes requests on by `asks`; what is HTTP no longer goes through `tunnels`.

    `name` stands in Via.
    """

    def __init__(self, asks: Asks, tunnels: Tunnels, name: str) -> None:
        self.name = name
        self._asks = asks
        self._tunnels = tunnels
        self._fields: Recent[ResponseHead, Headers] = Recent()

    def pass_on(
        self, request: Request, errand: Errand, body: bytes | None = None
    ) -> Deferred[Answer]:
        """Ask what `request` becomes, with its whole `body` where that has been read already.

        What comes is for `response`. Fails with AskError; or with BodyCutError or BodyTooLargeError,
        where the client's body is no good.
        """
        head = request.head
        if body is None and head.length == 0:
            body = b""
        question = Question(
            method=errand.method,
            opening=errand.opening,
            body=_Carried(request) if body is None else body,
            expects=head.expects and body is None,
            upgrade=head.upgrade,
            informed=lambda interim: self._inform(request, interim),
            last=errand.logs_in,
        )
        return self._asks.ask(errand.way, question)

    def response(self, answer: Answer, head: RequestHead) -> Response:
        """Return what the client who sent `head` gets of a server's answer."""
        body = answer.body
        headers = self._back(answer.head)
        if isinstance(body, bytes):
            if head.method == b"HEAD":
                return Response(answer.head.status, headers, _Unsent(_announced(answer.head)))
            return Response(answer.head.status, headers, body)
        if isinstance(body, Handover):
            return self._upgraded(answer.head, headers, body)
        return Response(answer.head.status, headers, body)

    def _inform(self, request: Request, interim: ResponseHead) -> None:
        if request.head.version == b"HTTP/1.1":
            request.client.inform(interim.status, back(interim, self.name))

    def _back(self, head: ResponseHead) -> Headers:
        headers = self._fields.get(head)
        if headers is None:
            headers = back(head, self.name)
            size = sum(len(name) + len(value) for name, value in headers)
            self._fields.keep(head, headers, size)
        return headers

    def _upgraded(self, head: ResponseHead, headers: Headers, handover: Handover) -> Response:
        near, far = Side(), Side()
        if head.status == HTTPStatus.SWITCHING_PROTOCOLS:
            upgrade = (b"Upgrade", head.fields[b"upgrade"])
            headers = (*headers, (b"Connection", b"Upgrade"), upgrade)
        handover.hand_over(far)
        near.connected.addCallback(lambda _: join(self._tunnels, near, far))
        return Response(head.status, headers, Takeover(near, far.close))


def _announced(head: ResponseHead) -> int | None:
    """Return the length of the body that a GET would have got, where the answer to a HEAD says it."""
    written = head.fields.get(b"content-length")
    return None if written is None else int(written)


@frozen
class _Unsent:
    """The body that the answer to a HEAD leaves out."""

    length: int | None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.length is None:
            return
        yield b""

    def close(self) -> None:
        """Do nothing."""


class _Carried:
    """The body of a client's request, on its way to a server."""

    __slots__ = ("_body", "length")

    def __init__(self, request: Request) -> None:
        self.length = request.head.length
        self._body = request.body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    def close(self) -> None:
        """Do nothing: the body is the client's connection's."""
