"""The opening handshake of a WebSocket (RFC 6455 4.2): from a request to the fields of a 101.

Pure. Rule: a browser opens a WebSocket from any page to any server, so that each is asked for the
origin of its page (see `origins`).
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Collection, Sequence
from http import HTTPStatus

from wsproto.utilities import generate_accept_token

from netkit.http.messages import Headers, Request, Response
from netkit.http.origins import let_in
from netkit.http.pages import error_page, method_not_allowed

_VERSION = b"13"
_VERSIONS = ((b"Sec-WebSocket-Version", _VERSION),)
_ASK = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
_KEY_BYTES = 16
_KEY_LENGTH = 24  # of 16 bytes in base64


def refusal(request: Request, origins: Collection[str] = ()) -> Response | None:
    """Return why `request` cannot open a WebSocket, as a page, or None where it can.

    `origins` are those let in beside the server's own (see `origins.let_in`).
    """
    if request.method != b"GET":
        return method_not_allowed(b"GET")
    if not _asks_for_websocket(request):
        words = "This address is for WebSockets."
        return error_page(HTTPStatus.UPGRADE_REQUIRED, words, _ASK)
    if request.header(b"sec-websocket-version") != _VERSION:
        words = "This address is for WebSockets of version 13."
        return error_page(HTTPStatus.UPGRADE_REQUIRED, words, (*_ASK, *_VERSIONS))
    if request.head.length != 0 or not _is_key(request.header(b"sec-websocket-key")):
        return error_page(HTTPStatus.BAD_REQUEST)
    if not let_in(request, origins):
        return error_page(HTTPStatus.FORBIDDEN)
    return None


def acceptance(request: Request, subprotocol: str | None) -> Headers:
    """Return the fields of the 101 for `request`, for which there is no refusal."""
    token = generate_accept_token(request.header(b"sec-websocket-key") or b"")
    fields = (*_ASK, (b"Sec-WebSocket-Accept", token))
    if subprotocol is None:
        return fields
    return (*fields, (b"Sec-WebSocket-Protocol", subprotocol.encode("ascii")))


def chosen(request: Request, subprotocols: Sequence[str]) -> str | None:
    """Return the first of the client's subprotocols that is one of `subprotocols`, or None."""
    offered = _elements(request.header(b"sec-websocket-protocol") or b"")
    known = {name.encode("ascii"): name for name in subprotocols}
    return next((known[name] for name in offered if name in known), None)


def _asks_for_websocket(request: Request) -> bool:
    wanted = _elements(request.head.upgrade.lower())
    return b"websocket" in wanted and request.head.version == b"HTTP/1.1"


def _elements(value: bytes) -> list[bytes]:
    return [element.strip(b" \t") for element in value.split(b",")]


def _is_key(value: bytes | None) -> bool:
    if value is None or len(value) != _KEY_LENGTH:
        return False
    try:
        return len(b64decode(value, validate=True)) == _KEY_BYTES
    except Error:
        return False
