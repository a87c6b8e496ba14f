"""What a proxy changes in the messages that it passes on (RFC 9110 7.6). Pure.

Rule: nothing of a message's framing, of one hop's connection, or of what was meant for the proxy alone
goes on; whoever sends the message frames it anew. All else stays as it came and in its order.
"""

import re
from http import HTTPStatus

from attrs import frozen

from netkit.document.values import printable
from netkit.http.asking import AskError, Problem
from netkit.http.forwarded import element, node
from netkit.http.messages import Headers, RequestHead, Response, ResponseHead
from netkit.http.pages import NOSNIFF, error_page
from netkit.http.sections import listed
from netkit.net.addresses import Address

HOPS = 16
"""So many proxies a request may have passed; one more is taken for a loop."""

_OF_A_HOP = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_OF_A_REQUEST = _OF_A_HOP | {b"host", b"proxy"}  # the latter is a variable to CGI (CVE-2016-5385)
_VERSIONS = {b"HTTP/1.0": b"1.0 ", b"HTTP/1.1": b"1.1 "}
_ABOUT_CLIENTS = frozenset(
    (
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
    )
)
_SECRETS = frozenset((b"authorization", b"cookie", b"proxy-authorization"))
_COUNTED = frozenset((b"OPTIONS", b"TRACE"))  # the methods of Max-Forwards
_DIGITS = 9
_OF_CONNECTIONS = frozenset((b"ntlm", b"negotiate"))
_WORDS = {
    Problem.DESTINATION_UNAVAILABLE: "There is no server for this at the moment.",
    Problem.CONNECTION_LIMIT_REACHED: "There is too much to do at the moment.",
    Problem.PROXY_LOOP_DETECTED: "This request goes round in a circle.",
}
_LATE = "The server behind this address did not answer in time."
_BAD = "The server behind this address cannot be reached, or gave no answer that can be understood."


def onward(head: RequestHead, name: str) -> Headers:
    """Return the fields of a request that go on to the next server, with Via; Host is not among them.

    `name` is the proxy's own, by which it knows a request that it has passed on before. Raise AskError
    for such a one, and for a request that has passed too many proxies (508).
    """
    fields = head.fields
    passed = listed([fields[b"via"]]) if b"via" in fields else []
    ours = name.encode().lower()
    if len(passed) >= HOPS or any(each.split(b" ")[1:2] == [ours] for each in passed):
        raise AskError(Problem.PROXY_LOOP_DETECTED, "the request has been here before")
    kept = (field for field in _kept(head, _OF_A_REQUEST) if not _looks_like_a_hops(field[0]))
    return (*kept, _via(head.version, name))


def _looks_like_a_hops(name: bytes) -> bool:
    """Return whether some servers take `name` for one that ends here, as WSGI and CGI do."""
    return b"_" in name and name.lower().replace(b"_", b"-") in _OF_A_REQUEST


def back(head: ResponseHead, name: str) -> Headers:
    """Return the fields of an answer that go back to the client, with Via."""
    return (*_kept(head, _OF_A_HOP), _via(head.version, name))


def _kept(head: RequestHead | ResponseHead, dropped: frozenset[bytes]) -> Headers:
    named = head.fields.get(b"connection")
    if named is not None:
        dropped = dropped.union(listed([named]))
    return tuple(field for field in head.headers if field[0].lower() not in dropped)


def _via(version: bytes, name: str) -> tuple[bytes, bytes]:
    return b"Via", _VERSIONS[version] + name.encode()


def logs_in_connection(headers: Headers) -> bool:
    """Return whether a request logs in the connection that it goes on, and whoever comes after it.

    So do NTLM and Negotiate, against all of HTTP (RFC 4559 6, RFC 9110 11.6.1).
    """
    values = (value for name, value in headers if name.lower() == b"authorization")
    return any(value.partition(b" ")[0].lower() in _OF_CONNECTIONS for value in values)


def hops_left(head: RequestHead) -> int | None:
    """Return how many more proxies may pass the request on (RFC 9110 7.6.2), or None for any number."""
    written = head.fields.get(b"max-forwards", b"")
    if head.method not in _COUNTED or not re.fullmatch(rb"[0-9]{1,%d}" % _DIGITS, written):
        return None
    return int(written)


def one_hop_less(headers: Headers) -> Headers:
    """Return the fields of a request that `hops_left` counts, for the next server."""
    return tuple(
        (name, b"%d" % (int(value) - 1)) if name.lower() == b"max-forwards" else (name, value)
        for name, value in headers
    )


@frozen(cache_hash=True)
class Visitor:
    """Who asks a reverse proxy for what: the last that is known of the client, whatever it says.

    `address` is None for a client that has none. `authority` is the host as the client wrote it.
    """

    address: Address | None
    secure: bool
    authority: bytes


def about(visitor: Visitor, headers: Headers, *, trusted: bool) -> Headers:
    """Return `headers` with those that tell a server of the client (RFC 7239, and the X- fields).

    What stands there already is believed, and added to, where it comes from a `trusted` proxy; else it
    is left out, also under names that some servers take for the same, as with underscores.
    """
    scheme = b"https" if visitor.secure else b"http"
    own = node(visitor.address) if visitor.address is not None else "unknown"
    parameters = {"for": own, "proto": scheme.decode()}
    if visitor.authority:
        parameters["host"] = visitor.authority.decode()
    ours = {
        b"x-forwarded-for": str(visitor.address or "unknown").encode(),
        b"forwarded": element(parameters).encode(),
    }
    authority = visitor.authority if b"," not in visitor.authority else b""  # here it would be two
    said = {b"x-forwarded-proto": scheme, b"x-forwarded-host": authority}
    kept: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        key = name.lower().replace(b"_", b"-")
        if key not in _ABOUT_CLIENTS:
            kept.append((name, value))
        elif trusted and b"_" not in name:
            if key in ours:
                ours[key] = value + b", " + ours[key]
            elif key in said:
                said[key] = value
            else:
                kept.append((name, value))
    written = {**ours, **said}
    return (*kept, *((_NAMES[key], value) for key, value in written.items() if value))


_NAMES = {
    b"forwarded": b"Forwarded",
    b"x-forwarded-for": b"X-Forwarded-For",
    b"x-forwarded-host": b"X-Forwarded-Host",
    b"x-forwarded-proto": b"X-Forwarded-Proto",
}


def refusal(
    error: AskError, name: str, *, details: bool = False, headers: Headers = ()
) -> Response:
    """Return the page that says why there is no answer, with Proxy-Status (RFC 9209).

    The error's own words are in it only where `details` are for whoever asked, as in a forward proxy.
    """
    problem = error.problem
    usual = _LATE if problem.status is HTTPStatus.GATEWAY_TIMEOUT else _BAD
    words = _sentence(str(error)) if details else _WORDS.get(problem, usual)
    return error_page(problem.status, words, (*headers, proxy_status(error, name, details=details)))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def proxy_status(error: AskError, name: str, *, details: bool = False) -> tuple[bytes, bytes]:
    """Return the field Proxy-Status of an answer that the proxy made because of `error`."""
    value = f"{name}; error={error.problem.token}"
    if details:
        value += f"; details={_sf_string(str(error))}"
    return b"Proxy-Status", value.encode()


def _sf_string(text: str) -> str:
    """Return `text` as a structured field has a string (RFC 8941 3.3.3), in ASCII."""
    shown = printable(text).encode("ascii", "replace").decode()
    return '"' + re.sub(r'(["\\])', r"\\\1", shown) + '"'


def last_hop(head: RequestHead) -> Response:
    """Return the answer to a request that may go no further (RFC 9110 7.6.2), as its last recipient.

    A TRACE is shown what came, without what nobody else should see (9.3.8).
    """
    if head.method != b"TRACE":
        return Response(HTTPStatus.NO_CONTENT)
    fields = ((b"Content-Type", b"message/http"), NOSNIFF)
    lines = [b"%b %b %b" % (head.method, head.target, head.version)]
    lines += [b"%b: %b" % field for field in head.headers if field[0].lower() not in _SECRETS]
    return Response(HTTPStatus.OK, fields, b"\r\n".join((*lines, b"", b"")))
