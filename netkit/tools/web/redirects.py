"""Where an answer sends who asked, and what may go along (RFC 9110 15.4). Pure.

Rule: what is meant for one server goes to no other one: a field of the caller's is taken along to
another origin only if it is known to be harmless there.
"""

from http import HTTPStatus

from attrs import evolve

from netkit.document.values import quoted
from netkit.http.messages import Headers, ResponseHead
from netkit.tools.web.fetching import FetchError, Wanted
from netkit.tools.web.urls import Url

_REWRITING = frozenset((HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND))
_FOLLOWED = _REWRITING | {
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_OF_BODIES = b"content-"
_HARMLESS = frozenset(
    (
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"pragma",
        b"range",
        b"user-agent",
    )
)


def led_on(wanted: Wanted, head: ResponseHead) -> Wanted | None:
    """Return what to ask for next after `head`, or None where the answer leads nowhere.

    The fields of `wanted` stay; see `fit`. Raise FetchError where it may not be followed.
    """
    location = head.fields.get(b"location")
    if head.status not in _FOLLOWED or location is None:
        return None
    try:
        url = wanted.url.joined(location.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise FetchError(f"{wanted.url} redirects to nowhere: {error}") from None
    method = _method(wanted.method, head.status)
    if method != wanted.method:
        return evolve(wanted, url=url, method=method, body=b"", headers=_bodiless(wanted.headers))
    if wanted.body and wanted.url.is_secure and not url.is_secure:
        raise FetchError(
            f"{wanted.url} redirects to {quoted(str(url))}: what is to be sent would go there in the clear"
        )
    return evolve(wanted, url=url)


def fit(headers: Headers, url: Url, first: Url) -> Headers:
    """Return those of `headers`, which a caller gave for `first`, that may be sent to `url`."""
    if url.origin == first.origin:
        return headers
    return tuple(each for each in headers if _is_harmless(each[0].lower()))


def _is_harmless(name: bytes) -> bool:
    return name in _HARMLESS or name.startswith(_OF_BODIES)


def _bodiless(headers: Headers) -> Headers:
    return tuple(each for each in headers if not each[0].lower().startswith(_OF_BODIES))


def _method(method: bytes, status: int) -> bytes:
    """Return the method of the request that follows one by `method`."""
    if status in _REWRITING and method == b"POST":
        return b"GET"
    if status == HTTPStatus.SEE_OTHER and method != b"HEAD":
        return b"GET"
    return method
