"""A WSGI application (PEP 3333) as a resource, by twisted.web's WSGIResource.

What is added to it: an application that writes faster than the client reads has to wait; so much
waits for a thread, and more is answered 503; what the application raises, or gets wrong, is the
server's 500; for a client that has left nothing is begun, and nothing logged.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from threading import Event
from typing import Any, TypeAlias

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IPushProducer, IReactorFromThreads
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers as FieldTable
from twisted.web.resource import Resource
from twisted.web.wsgi import WSGIResource
from zope.interface import implementer

from netkit.http.pages import error_page
from netkit.http.resources import HostedRequest
from netkit.http.workers import Workers

Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

WAITING = 100

_STATUS = re.compile(r"[2-5][0-9][0-9] \S.*")


class ApplicationError(Exception):
    """An application has broken a rule of PEP 3333; the text says which."""


class WsgiHost(Resource):
    """The resource of an application, which runs in `workers`.

    At most `waiting` requests wait for one of them.
    """

    isLeaf = True

    def __init__(
        self,
        application: Application,
        reactor: IReactorFromThreads,
        workers: Workers,
        waiting: int = WAITING,
    ) -> None:
        super().__init__()
        self._application = application
        self._reactor = reactor
        self._workers = workers
        self._waiting = waiting

    def render(self, request: HostedRequest) -> bytes | int:
        """Let the application answer."""
        if self._workers.waiting >= self._waiting:
            return _too_busy(request)
        if not hasattr(request.client, "host"):
            request.client = IPv4Address("TCP", "", 0)  # a Unix socket's peer has no address
        paced = _Paced(self._application, self._reactor, request)
        rendered: int = WSGIResource(self._reactor, self._workers, paced).render(request)
        request.registerProducer(paced, True)  # noqa: FBT003 (Twisted's signature)
        return rendered


def _too_busy(request: HostedRequest) -> bytes:
    page = error_page(HTTPStatus.SERVICE_UNAVAILABLE, headers=((b"Retry-After", b"5"),))
    request.setResponseCode(page.status)
    for name, value in page.headers:
        request.setHeader(name, value)
    assert isinstance(page.body, bytes)  # noqa: S101 (for mypy)
    return page.body


@implementer(IPushProducer)
class _Paced:
    """An application for one request, called in a thread, at the pace of the request's client."""

    def __init__(
        self, application: Application, reactor: IReactorFromThreads, request: HostedRequest
    ) -> None:
        self._application = application
        self._reactor = reactor
        self._request = request
        self._room = Event()
        self._room.set()
        self._over = False
        self._begun = False
        request.notifyFinish().addBoth(self._ended)

    def _ended(self, _: object) -> None:
        self._over = True

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterator[bytes]:
        """Yield what the application does, in a thread."""

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:  # noqa: ANN401
            _check(status, headers)
            self._begun = True
            return start_response(status, headers, exc_info)

        if self._over:
            return
        environ["wsgi.input_terminated"] = True
        try:
            yield from self._pieces(environ, start)
        except Exception:  # noqa: BLE001 (it is handed on)
            self._reactor.callFromThread(self._fail, Failure())
        finally:
            self._reactor.callFromThread(self._leave)

    def _pieces(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        pieces = self._application(environ, start)
        try:
            for piece in pieces:
                self._prove_begun()
                yield piece
                self._room.wait()
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        self._prove_begun()

    def _prove_begun(self) -> None:
        if not self._begun:
            raise ApplicationError("the application has not called start_response")

    def _fail(self, failure: Failure) -> None:
        if not self._over:
            self._request.processingFailed(failure)

    def _leave(self) -> None:
        if not self._over:
            self._request.unregisterProducer()

    def pauseProducing(self) -> None:
        """Let the application wait behind its next piece."""
        self._room.clear()

    def resumeProducing(self) -> None:
        """Let the application go on."""
        self._room.set()

    def stopProducing(self) -> None:
        """Let the application go on, and find that nobody listens."""
        self._over = True
        self._room.set()


def _check(status: str, headers: Iterable[tuple[str, str]]) -> None:
    """Raise, in the application's thread, what Twisted would raise where nobody hears it."""
    if not _STATUS.fullmatch(status):
        raise ApplicationError(f"{status!r} is no status")
    table = FieldTable()
    for name, value in headers:
        table.addRawHeader(name, value.encode("iso-8859-1"))
