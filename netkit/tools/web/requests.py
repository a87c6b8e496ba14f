"""The fields that an agent sends (RFC 9110 10.1, 12.5). Pure.

Rule: what the caller says goes before what the agent would; of what is sent, a copy without passwords
is shown.
"""

from attrs import field, frozen

from netkit.http.framing import InvalidRequestError, request_opening
from netkit.http.messages import Headers
from netkit.tools.web.fetching import FetchError
from netkit.tools.web.urls import Url

CODINGS = b"gzip, deflate, br"

_SECRET = frozenset((b"authorization", b"proxy-authorization", b"cookie"))
_HIDDEN = b"*"


@frozen
class Request:
    """What is sent, up to the fields that frame it, and what may be shown of it."""

    opening: bytes = field(repr=False)
    shown: bytes


def own_fields(url: Url, agent: bytes, *, codings: bool) -> Headers:
    """Return the fields of every request for `url`."""
    return (
        (b"Host", url.authority.encode("ascii")),
        (b"User-Agent", agent),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", CODINGS if codings else b"identity"),
    )


def merged(own: Headers, callers: Headers) -> Headers:
    """Return `own` with the `callers'` in place of those of the same name; empty values leave out."""
    replaced = {name.lower() for name, _ in callers}
    kept = tuple(each for each in own if each[0].lower() not in replaced and each[1])
    return kept + tuple(each for each in callers if each[1])


def request(method: bytes, target: bytes, headers: Headers) -> Request:
    """Return the request; raise FetchError for what may not be sent."""
    shown = tuple((name, _shown(name, value)) for name, value in headers)
    try:
        return Request(
            request_opening(method, target, headers), request_opening(method, target, shown)
        )
    except InvalidRequestError as error:
        raise FetchError(str(error)) from None


def _shown(name: bytes, value: bytes) -> bytes:
    if name.lower() not in _SECRET:
        return value
    scheme, blank, _ = value.partition(b" ")
    return scheme + blank + _HIDDEN if blank and name.lower() != b"cookie" else _HIDDEN
