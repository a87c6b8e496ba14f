"""Resources of twisted.web's, and what is built on them, as a Handler.

Their Request is the real class, so that klein, WSGIResource, guard, File and sessions work unchanged;
the connection under it is a `Channel` and the server is netkit's. What is different from a Site: paths
are below the mount; cookies of sessions are named after it; forms, fields and sessions are bounded;
no traceback and no `repr` is ever shown to a visitor.
"""

import re
from collections.abc import Awaitable, Sequence
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeAlias, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.error import UnsupportedMethod
from twisted.web.http_headers import Headers as FieldTable
from twisted.web.resource import IResource

from netkit.http.forms import FORM_FIELDS, FormTooLargeError, NotAFormError
from netkit.http.messages import BodyTooLargeError, Handler, Request, Response
from netkit.http.multipart import parts
from netkit.http.pages import error_page, method_not_allowed
from netkit.http.resourcechannel import Channel
from netkit.http.resourcehead import Fields, ResourceError

SESSIONS = 10_000
FORM_BYTES = 1024 * 1024
MEMORY_BYTES = 128 * 1024
"""A longer body of a request is kept in a temporary file."""

_Arguments: TypeAlias = dict[bytes, list[bytes]]

_ORIGIN = re.compile(rb"[a-z]+://[^/?]*", re.IGNORECASE)
_AUTHORITY = re.compile(rb"\[?([^\[\]]*?)\]?(?::([0-9]{0,5}))?")
_URLENCODED = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data"


def resource_handler(  # noqa: PLR0913 (all but one by keyword)
    resource: IResource,
    *,
    clock: IReactorTime,
    log: Logger,
    sessions: int = SESSIONS,
    form_bytes: int = FORM_BYTES,
    form_fields: int = FORM_FIELDS,
) -> Handler:
    """Return a handler that answers as `resource` and its children do.

    A posted form has at most `form_bytes` and `form_fields` to be read into `args`, or is answered
    413; with `form_bytes` of 0 the resource reads forms itself. Of more than `sessions` the one that
    was not used for the longest time ends. `log` has what nobody else can be told. What a resource
    raises is raised by the handler.
    """
    site = _Site(resource, clock, sessions)

    def hosted(request: Request, content: BinaryIO, form: _Arguments) -> Any:  # noqa: ANN401
        channel = Channel(
            request.client, site, is_head=request.method == b"HEAD", clock=clock, log=log
        )
        asked = HostedRequest(channel, request, content, log)
        channel.request = asked
        asked.args.update(form)
        asked.process()
        return channel.answer()

    async def with_body(request: Request) -> Response:
        content = await _content(request)
        try:
            form = _form(request, content, form_bytes, form_fields)
        except NotAFormError as error:
            content.close()
            return error_page(HTTPStatus.BAD_REQUEST, f"{error}.".capitalize())
        except FormTooLargeError:
            content.close()
            raise BodyTooLargeError from None
        answer = hosted(request, content, form)
        return answer if isinstance(answer, Response) else await answer

    def handle(request: Request) -> Response | Awaitable[Response]:
        if request.head.length == 0:
            return cast("Response | Awaitable[Response]", hosted(request, BytesIO(), {}))
        return with_body(request)

    return handle


class HostedRequest(server.Request):
    """The Request of twisted.web's that a resource is given.

    What few resources look at is made when it is looked at: header fields, cookies, the host.
    """

    channel: Any

    def __init__(self, channel: Channel, asked: Request, content: BinaryIO, log: Logger) -> None:
        super().__init__(channel)
        self.asked = asked
        self._late = log
        self._fields: FieldTable | None = None
        self._cookies: dict[bytes, bytes] | None = None
        self._host: IAddress | None = None
        self.responseHeaders = Fields()
        self.content = content
        head = asked.head
        self.method, self.clientproto = head.method, head.version
        self.uri = _origin_form(head.target)
        self.path, _, query = self.uri.partition(b"?")
        self.args = http.parse_qs(query, 1) if query else {}

    @property
    def requestHeaders(self) -> FieldTable:
        """The fields of the request; Host says what the request is for (RFC 9112 3.2.2)."""
        if self._fields is None:
            self._fields = FieldTable()
            for name, value in self.asked.head.headers:
                self._fields.addRawHeader(name, value)
            if self.asked.head.authority:
                self._fields.setRawHeaders(b"Host", [self.asked.head.authority])
        return self._fields

    @requestHeaders.setter
    def requestHeaders(self, fields: FieldTable) -> None:
        self._fields = fields

    @property
    def received_cookies(self) -> dict[bytes, bytes]:
        """The cookies that came with the request."""
        if self._cookies is None:
            self._cookies = {}
            self.parseCookies()
        return self._cookies

    @received_cookies.setter
    def received_cookies(self, cookies: dict[bytes, bytes]) -> None:
        self._cookies = cookies

    @property
    def host(self) -> IAddress:
        """The host and the port that the visitor sees, whatever stands between."""
        if self._host is None:
            authority = self.asked.head.authority or self.asked.header(b"host") or b""
            self._host = _address(authority, secure=self.isSecure())
        return self._host

    @host.setter
    def host(self, host: IAddress | None) -> None:
        self._host = host

    def process(self) -> None:
        """Find the resource and let it answer; Server and Date are left to the server."""
        try:
            found = self.channel.site.getResourceFor(self)
            if hasattr(found, "getEncoder"):
                self._encoder = found.getEncoder(self)
            self.render(found)
        except Exception:  # noqa: BLE001 (the channel raises it where the server listens)
            self.processingFailed(Failure())

    def render(self, resrc: IResource) -> None:
        """Let a resource answer; raise ResourceError where it returns no bytes."""
        try:
            body = resrc.render(self)
        except UnsupportedMethod as refusal:
            body = self._unsupported(resrc, refusal.allowedMethods)
        if body is server.NOT_DONE_YET:
            return
        if not isinstance(body, bytes):
            raise ResourceError(f"{type(resrc).__name__} rendered {type(body).__name__}, not bytes")
        if body or self.method != b"HEAD":
            self.setHeader(b"Content-Length", b"%d" % len(body))
        self.write(body)
        self.finish()

    def _unsupported(self, resrc: IResource, allowed: Sequence[bytes]) -> bytes | int:
        if self.method == b"HEAD" and b"GET" in allowed:
            self.method = b"GET"  # the server sends no body all the same
            return cast("bytes | int", resrc.render(self))
        page = method_not_allowed(*allowed)
        self.setResponseCode(page.status)
        for name, value in page.headers:
            self.setHeader(name, value)
        assert isinstance(page.body, bytes)  # noqa: S101 (for mypy)
        return page.body

    def processingFailed(self, reason: Failure) -> Failure:
        """Leave the answer, and what is logged, to the server while it waits for one."""
        if self.finished or self.channel is None:
            if not reason.check(CancelledError):
                self._late.failure("a resource failed when its answer was over", reason)
        else:
            self.channel.fail(reason)
            self.unregisterProducer()
            self.finish()
        return reason


class _Site(server.Site):
    """The root of the resources, and their sessions."""

    def __init__(self, resource: IResource, clock: IReactorTime, sessions: int) -> None:
        super().__init__(resource, reactor=clock)
        self._most_sessions = sessions

    def getResourceFor(self, request: HostedRequest) -> IResource:
        """Find the resource by the path that a site has decoded; without one, by the target's."""
        asked = request.asked
        if asked.base or asked.path:
            request.prepath = asked.base.encode().split(b"/")[1:]
            request.postpath = asked.path.encode().split(b"/")[1:]
        else:
            request.prepath = []
            request.postpath = [unquote_to_bytes(part) for part in request.path.split(b"/")[1:]]
        return cast("IResource", super().getResourceFor(request))

    def makeSession(self) -> server.Session:
        """Make a session, at the cost of the one that was not used for the longest time."""
        if len(self.sessions) >= self._most_sessions:
            next(iter(self.sessions.values())).expire()
        return cast("server.Session", super().makeSession())

    def getSession(self, uid: bytes) -> server.Session:
        """Return a session, which is used by that; raise KeyError where there is none."""
        session = self.sessions[uid] = self.sessions.pop(uid)
        return cast("server.Session", session)


def _origin_form(target: bytes) -> bytes:
    """Return a target without the scheme and the host that absolute-form has (RFC 9112 3.2)."""
    if target.startswith(b"/"):
        return target
    found = _ORIGIN.match(target)
    rest = target[found.end() :] if found else target
    return rest if rest.startswith(b"/") else b"/" + rest


def _address(authority: bytes, *, secure: bool) -> IPv4Address:
    """Return an authority as Twisted's setHost does: a name may stand for the address."""
    found = _AUTHORITY.fullmatch(authority)
    host, port = (found[1], found[2]) if found else (b"", None)
    return IPv4Address("TCP", host.decode("latin-1"), int(port or (443 if secure else 80)))


async def _content(request: Request) -> BinaryIO:
    content = cast("BinaryIO", SpooledTemporaryFile(MEMORY_BYTES))  # noqa: SIM115 (the request's)
    try:
        async for piece in request.body:
            content.write(piece)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return content


def _form(request: Request, content: BinaryIO, form_bytes: int, form_fields: int) -> _Arguments:
    """Return the fields of a posted form, and leave `content` at its beginning."""
    written = request.header(b"content-type") or b""
    kind = written.partition(b";")[0].strip().lower()
    if request.method != b"POST" or kind not in {_URLENCODED, _MULTIPART} or not form_bytes:
        return {}
    body = content.read(form_bytes + 1)
    content.seek(0)
    if len(body) > form_bytes:
        raise FormTooLargeError(f"more than {form_bytes} bytes")
    if kind == _URLENCODED:
        if body.count(b"&") + body.count(b";") >= form_fields:
            raise FormTooLargeError(f"more than {form_fields} fields")
        return cast("_Arguments", http.parse_qs(body, 1))
    form: _Arguments = {}
    for name, value in parts(body, written, at_most=form_fields) if body else ():
        form.setdefault(name, []).append(value)
    return form
