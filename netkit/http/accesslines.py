r"""An exchange becomes one line of an access log: Apache's combined form, or JSON.

Rule: nothing secret, and nothing but printable ASCII, whatever a client sent. Every other byte, and in
the combined forms the double quote, is written as `\xHH`, as nginx does: so a field ends at its
quote, also for readers that know no escapes. A value of more than SHOWN_BYTES is cut.

What depends on the head alone is made once for all requests that share one.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from time import gmtime, strftime
from typing import TypeAlias
from weakref import ref

from attrs import frozen

from netkit.http.accesslog import Exchange, bare_url
from netkit.http.messages import Request, RequestHead
from netkit.http.redaction import without_secrets

Line: TypeAlias = Callable[[Exchange], str]
"""Makes the line of an exchange, with its end."""

SHOWN_BYTES = 500
KNOWN_HEADS = 256

# Whatever the locale says.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNFIT_AS_WORD = re.compile(r"[^!#-\[\]-~]")
_UNFIT_IN_QUOTES = re.compile(r"[^ !#-\[\]-~]")
_UNFIT_IN_JSON = re.compile(r"[^ -\[\]-~]")
_WHOLE = {True: "true", False: "false"}


class Form(Enum):
    """How a line is written.

    COMBINED is Apache's to the letter, with the time when the answer ended, in UTC. TIMED has behind
    it the seconds taken, and `cut` where the answer was not sent to its end.
    """

    COMBINED = "combined"
    TIMED = "timed"
    JSON = "json"


@frozen
class Contents:
    """Where a line has what no exchange knows.

    `wall` tells the seconds since 1970, `client` whose request it is. With `query` the target has its
    query, less what looks secret.
    """

    wall: Callable[[], float]
    client: Callable[[Request], str]
    query: bool = False


def lines(form: Form, contents: Contents) -> Line:
    """Return what makes lines of the form `form`."""
    if form is Form.JSON:
        return _json(contents)
    return _combined(contents, timed=form is Form.TIMED)


def _combined(contents: Contents, *, timed: bool) -> Line:
    client, query = contents.client, contents.query
    heads = _Heads(lambda head: _combined_parts(head, query=query))
    clock = _Clock(contents.wall, _apache_time)

    def line(exchange: Exchange) -> str:
        request = exchange.request
        _, before, behind = heads.of(request.head)
        taken = ""
        if timed:
            taken = f" {exchange.seconds:.6f}" + ("" if exchange.whole else " cut")
        return (
            f"{client(request)} - - [{clock.now()}] {before}"
            f" {exchange.status} {exchange.sent} {behind}{taken}\n"
        )

    return line


def _combined_parts(head: RequestHead, *, query: bool) -> tuple[str, str]:
    words = (_text(head.method), _target(head, query=query), _text(head.version))
    fields = (_referrer(head), _agent(head))
    return (
        f'"{" ".join(_fit(word or "-", _UNFIT_AS_WORD) for word in words)}"',
        " ".join(f'"{_fit(field or "-", _UNFIT_IN_QUOTES)}"' for field in fields),
    )


def _json(contents: Contents) -> Line:
    client, query = contents.client, contents.query
    heads = _Heads(lambda head: _json_parts(head, query=query))
    clock = _Clock(contents.wall, lambda second: strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)))

    def line(exchange: Exchange) -> str:
        request, received = exchange.request, exchange.received
        _, before, behind = heads.of(request.head)
        return (
            f'{{"time": "{clock.now()}.{clock.milliseconds:03d}Z", "client": "{client(request)}",'
            f' {before}, "status": {exchange.status}, "sent": {exchange.sent},'
            f' "received": {"null" if received is None else received},'
            f' "seconds": {exchange.seconds:.6f}, {behind}, "whole": {_WHOLE[exchange.whole]},'
            f' "tls": {_WHOLE[request.client.secure]}}}\n'
        )

    return line


def _json_parts(head: RequestHead, *, query: bool) -> tuple[str, str]:
    before = {
        "method": _text(head.method),
        "host": _text(head.authority),
        "target": _target(head, query=query),
        "version": _text(head.version),
    }
    return _members(before), _members({"referrer": _referrer(head), "agent": _agent(head)})


def _members(texts: Mapping[str, str | None]) -> str:
    return ", ".join(f'"{key}": {_json_text(text)}' for key, text in texts.items())


def _json_text(text: str | None) -> str:
    if text is None:
        return "null"
    shown = _fit(text, _UNFIT_IN_JSON).replace("\\", r"\\").replace('"', r"\"")
    return f'"{shown}"'


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _target(head: RequestHead, *, query: bool) -> str:
    target = _text(head.target)
    bare = bare_url(target)
    _, mark, asked = target.partition("#")[0].partition("?")
    if not query or not mark:
        return bare
    return f"{bare}?{without_secrets(asked[: SHOWN_BYTES + 1])}"


def _referrer(head: RequestHead) -> str | None:
    value = head.fields.get(b"referer")
    return None if value is None else bare_url(_text(value))


def _agent(head: RequestHead) -> str | None:
    value = head.fields.get(b"user-agent")
    return None if value is None else _text(value)


def _fit(text: str, unfit: re.Pattern[str]) -> str:
    """Return `text`, whose characters are bytes, cut and with escapes."""
    shown = text if len(text) <= SHOWN_BYTES else text[:SHOWN_BYTES] + "..."
    return unfit.sub(_escape, shown)


def _escape(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def _apache_time(second: int) -> str:
    now = gmtime(second)
    return f"{now.tm_mday:02}/{_MONTHS[now.tm_mon - 1]}/{strftime('%Y:%H:%M:%S', now)} +0000"


class _Clock:
    """The time as text, made once a second."""

    __slots__ = ("_second", "_shown", "_wall", "_written", "milliseconds")

    def __init__(self, wall: Callable[[], float], written: Callable[[int], str]) -> None:
        self._wall = wall
        self._written = written
        self._second: int | None = None
        self._shown = ""
        self.milliseconds = 0

    def now(self) -> str:
        """Return the second that it is; `milliseconds` are those that have gone by since."""
        now = self._wall()
        second = int(now)
        if second != self._second:
            self._second, self._shown = second, self._written(second)
        self.milliseconds = int((now - second) * 1000)
        return self._shown


class _Heads:
    """What is written of the heads that were seen last, while they are in use."""

    __slots__ = ("_known", "_parts")

    def __init__(self, parts: Callable[[RequestHead], tuple[str, str]]) -> None:
        self._parts = parts
        self._known: dict[int, tuple[ref[RequestHead], str, str]] = {}

    def of(self, head: RequestHead) -> tuple["ref[RequestHead]", str, str]:
        """Return a reference to `head`, and what stands before and behind the figures."""
        known = self._known.get(id(head))
        if known is not None and known[0]() is head:
            return known
        if len(self._known) >= KNOWN_HEADS:
            self._known.clear()
        known = self._known[id(head)] = (ref(head), *self._parts(head))
        return known
