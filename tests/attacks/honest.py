"""Requests that look like attacks and are none, and what an origin has to see of each.

They are written with a base before each path: nothing, or the scheme and the authority of a server.
"""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

from tests.http.test_smuggling import SMUGGLED

LONG = b"a" * 4000
BODY = SMUGGLED.decode()


@frozen
class Honest:
    """What a client says, and the request lines and bodies that a server sees of it."""

    said: bytes
    seen: tuple[tuple[str, str], ...]

    def at(self, base: bytes) -> bytes:
        """Return what is said, with `base` before each path."""
        return self.said.replace(b" <", b" " + base)


def get(*fields: bytes, path: bytes = b"/") -> bytes:
    """Return a GET."""
    return b"\r\n".join((b"GET <%b HTTP/1.1" % path, b"Host: h", *fields, b"", b""))


def post(*fields: bytes, body: bytes = b"", method: bytes = b"POST") -> bytes:
    """Return a POST with `fields`, which say how long the body is."""
    return b"\r\n".join((method + b" </ HTTP/1.1", b"Host: h", *fields, b"", body))


def sized(body: bytes, *fields: bytes, method: bytes = b"POST") -> bytes:
    """Return a POST with a length."""
    return post(*fields, b"Content-Length: %d" % len(body), body=body, method=method)


def chunked(body: bytes, *fields: bytes) -> bytes:
    """Return a POST whose body in chunks is `body`."""
    return post(*fields, b"Transfer-Encoding: chunked", body=body)


def _one(said: bytes, line: str = "POST / HTTP/1.1", body: str = "") -> Honest:
    return Honest(said, ((line, body),))


def _piece(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_GOT = ("GET / HTTP/1.1", "")
_WHOLE = _piece(SMUGGLED) + b"0\r\n\r\n"
_TRAILED = b"1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: x\r\n\r\n"

HONEST: Mapping[str, Honest] = MappingProxyType(
    {
        "a request for a body": _one(sized(SMUGGLED), body=BODY),
        "a request for a body, in chunks": _one(chunked(_WHOLE), body=BODY),
        "half a request for a body": _one(sized(SMUGGLED[:-2]), body=BODY[:-2]),
        "the end of chunks for a body": _one(sized(b"0\r\n\r\n"), body="0\r\n\r\n"),
        "chunks in a chunk": _one(chunked(_piece(b"0\r\n\r\n") + b"0\r\n\r\n"), body="0\r\n\r\n"),
        "GET with a body": _one(sized(SMUGGLED, method=b"GET"), "GET / HTTP/1.1", BODY),
        "GET with a body in chunks": _one(
            post(b"Transfer-Encoding: chunked", body=_WHOLE, method=b"GET"), "GET / HTTP/1.1", BODY
        ),
        "DELETE with a body": _one(sized(SMUGGLED, method=b"DELETE"), "DELETE / HTTP/1.1", BODY),
        "OPTIONS with a body": _one(sized(SMUGGLED, method=b"OPTIONS"), "OPTIONS / HTTP/1.1", BODY),
        "PUT with nothing": _one(sized(b"", method=b"PUT"), "PUT / HTTP/1.1"),
        "POST without a length": _one(post()),
        "nothing in chunks": _one(chunked(b"0\r\n\r\n")),
        "noughts before a length": _one(post(b"Content-Length: 0001", body=b"a"), body="a"),
        "blanks around a length": _one(post(b"Content-Length:\t 1 \t", body=b"a"), body="a"),
        "noughts before a chunk": _one(chunked(b"0001\r\na\r\n000\r\n\r\n"), body="a"),
        "extensions": _one(chunked(b'1;a="0\\"";b\r\na\r\n0;c=d\r\n\r\n'), body="a"),
        "many extensions": _one(chunked(b"1;%b\r\na\r\n0\r\n\r\n" % LONG), body="a"),
        "trailers that frame": _one(chunked(_TRAILED), body="a"),
        "Transfer-Encoding in capitals": _one(
            post(b"TRANSFER-ENCODING:CHUNKED", body=_WHOLE), body=BODY
        ),
        "Connection: content-length": _one(
            sized(SMUGGLED, b"Connection: content-length"), body=BODY
        ),
        "Connection: transfer-encoding": _one(
            chunked(_WHOLE, b"Connection: transfer-encoding"), body=BODY
        ),
        "Connection: host": _one(get(b"Connection: host, via"), "GET / HTTP/1.1"),
        "Proxy-Connection": _one(sized(SMUGGLED, b"Proxy-Connection: content-length"), body=BODY),
        "Keep-Alive and TE": _one(
            get(b"Keep-Alive: max=1", b"TE: trailers, chunked", b"Trailer: Host"), "GET / HTTP/1.1"
        ),
        "underscores": _one(
            sized(SMUGGLED, b"Content_Length: 0", b"Transfer_Encoding: chunked"), body=BODY
        ),
        "other fields of that sort": _one(
            sized(SMUGGLED, b"X-Content-Length: 0", b"Content-Encoding: chunked"), body=BODY
        ),
        "a letter over 0x7e": _one(get(b"X: \xe4\t.", b"X: \xff"), "GET / HTTP/1.1"),
        "Expect, and the body at once": _one(sized(SMUGGLED, b"Expect: 100-continue"), body=BODY),
        "Expect, and chunks at once": _one(chunked(_WHOLE, b"Expect: 100-continue"), body=BODY),
        "Expect of nothing": _one(sized(b"", b"Expect: 100-continue")),
        "Upgrade without Connection": _one(get(b"Upgrade: h2c"), "GET / HTTP/1.1"),
        "Upgrade to a WebSocket": Honest(
            get(
                b"Connection: upgrade",
                b"Upgrade: websocket",
                b"Sec-WebSocket-Version: 99",
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            )
            + get(path=b"/behind"),
            (_GOT, ("GET /behind HTTP/1.1", "")),
        ),
        "Upgrade to HTTP/2": Honest(
            get(b"Connection: upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAAA")
            + get(path=b"/behind"),
            (_GOT, ("GET /behind HTTP/1.1", "")),
        ),
        "empty lines before": Honest(b"\r\n\r\n" + get() + b"\r\n" + get(), (_GOT, _GOT)),
        "HEAD, and more": Honest(
            get().replace(b"GET", b"HEAD") + get(), (("HEAD / HTTP/1.1", ""), _GOT)
        ),
        "one behind the other": Honest(
            sized(SMUGGLED) + get() + chunked(_WHOLE) + sized(b"0") + get(path=b"/last"),
            (
                ("POST / HTTP/1.1", BODY),
                _GOT,
                ("POST / HTTP/1.1", BODY),
                ("POST / HTTP/1.1", "0"),
                ("GET /last HTTP/1.1", ""),
            ),
        ),
        "HTTP/1.0": _one(
            b"POST </ HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
            body="a",
        ),
        "a field in the query": _one(
            get(path=b"/?a=%0d%0aX:%20y"), "GET /?a=%0d%0aX:%20y HTTP/1.1"
        ),
        "a URL in the query": _one(get(path=b"/?http://x/"), "GET /?http://x/ HTTP/1.1"),
        "a long query": _one(get(path=b"/?" + LONG), f"GET /?{LONG.decode()} HTTP/1.1"),
    }
)
"""Requests that are valid, each as an origin must see it."""
