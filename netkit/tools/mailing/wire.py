"""What an IMAP server says (RFC 3501 7 and 9): bytes become responses, and responses values. Pure.

Rule: no more is held than the limits say, whatever a server announces. What is text stays text: a
`{5}` at the end of a line announces a literal only where the grammar may have one.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import TypeAlias

from attrs import field, frozen

Value: TypeAlias = "str | bytes | tuple[Value, ...] | None"
"""An atom or a number, a string, a list in parentheses, or NIL."""

DEEPEST = 16  # lists within lists

_LITERAL = re.compile(rb"~?\{([0-9]{1,20})\+?\}\Z")
_CONDITIONS = rb"(?:OK|NO|BAD|BYE|PREAUTH)"
_UNTAGGED_TEXT = re.compile(rb"\* " + _CONDITIONS + rb"(?: |\Z)", re.IGNORECASE)
_STATUS = re.compile(
    rb"(?P<tag>\*|[A-Za-z0-9.]{1,40}) (?P<condition>" + _CONDITIONS + rb")"
    rb"(?: (?:\[(?P<code>[^\] ]+)(?: [^\]]*)?\] ?)?(?P<text>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_DATA = re.compile(
    rb"\* (?:(?P<number>[0-9]{1,10}) )?(?P<name>[A-Za-z][A-Za-z0-9.-]{0,40})(?: (?P<rest>.*))?",
    re.DOTALL,
)
_TOKEN = re.compile(
    rb" +"
    rb"|(?P<opened>\()"
    rb"|(?P<closed>\))"
    rb'|"(?P<quoted>(?:[^"\\\r\n\x00]|\\["\\])*)"'
    rb"|(?P<atom>(?:BODY|BINARY)\[[^\]\r\n\x00]*\](?:<[0-9]{1,10}>)?|[^\x00-\x20\x7f()\"{]+)",
    re.IGNORECASE,
)
_ESCAPED = re.compile(rb'\\(["\\])')


class WireError(ValueError):
    """It is not IMAP, or more of it than is allowed; the text is what was sent instead."""


@frozen
class WireLimits:
    """How much of a response is held, in bytes: a line, a literal, and all of it."""

    line: int = 64 * 1024
    literal: int = 64 * 1024
    response: int = 128 * 1024


DEFAULTS = WireLimits()


class Condition(Enum):
    """How something went (RFC 3501 7.1)."""

    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    BYE = "BYE"
    PREAUTH = "PREAUTH"


@frozen
class Status:
    """The end of the command `tag`, or, where that is "*", a remark; `code` is in capitals."""

    tag: str
    condition: Condition
    code: str = ""
    text: str = ""


@frozen
class Continuation:
    """The server waits for the rest of a command."""


@frozen
class Data:
    """What the server tells: `name`, in capitals, what it is about, `number` about which."""

    name: str
    number: int | None = None
    _parts: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def values(self) -> tuple[Value, ...]:
        """What follows the name; raises WireError."""
        return _values(self._parts)

    @property
    def attributes(self) -> dict[str, Value]:
        """What a FETCH response (RFC 3501 7.4.2) says of a message; raises WireError."""
        match self.values:
            case (tuple(pairs),) if len(pairs) % 2 == 0:
                return {_name(name): value for name, value in zip(*[iter(pairs)] * 2, strict=True)}
        raise WireError("a message that cannot be read")


Response: TypeAlias = Status | Continuation | Data


class Responses:
    """Takes what a server sends as it comes; gives its responses one by one."""

    def __init__(self, limits: WireLimits = DEFAULTS) -> None:
        self._limits = limits
        self._held = bytearray()
        self._searched = 0
        self._parts: list[bytes] = []  # text and literals take turns
        self._size = 0
        self._announced: int | None = None

    @property
    def held(self) -> int:
        """How many bytes are here that belong to no response yet."""
        return self._size + len(self._held)

    def feed(self, octets: bytes) -> None:
        """Take what comes next."""
        self._held += octets

    def next(self) -> Response | None:
        """Return the next response that is whole, or None; raise WireError, and that for good."""
        while True:
            part = self._line() if self._announced is None else self._literal(self._announced)
            if part is None:
                return None
            self._size += len(part)
            self._parts.append(part)
            if len(self._parts) % 2 == 0:
                self._announced = None
            elif not self._announces():
                return self._whole()

    def _line(self) -> bytes | None:
        end = self._held.find(b"\n", self._searched)
        self._searched = len(self._held)
        if max(end, 0 if end >= 0 else self._searched) > self._limits.line:
            raise WireError(f"a line of more than {self._limits.line} bytes")
        if end < 0:
            return None
        line = self._taken(end + 1)
        if not line.endswith(b"\r\n"):
            raise WireError("a line that ends without CR")
        return line[:-2]

    def _literal(self, size: int) -> bytes | None:
        return self._taken(size) if len(self._held) >= size else None

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        self._searched = 0
        return taken

    def _announces(self) -> bool:
        """Take the announcement of a literal off the line; return whether there is one."""
        announced = _LITERAL.search(self._parts[-1]) if self._may_announce() else None
        if announced is None:
            return False
        size = int(announced[1])
        if size > self._limits.literal:
            raise WireError(f"a literal of more than {self._limits.literal} bytes")
        if self._size + size > self._limits.response:
            raise WireError(f"a response of more than {self._limits.response} bytes")
        self._parts[-1] = self._parts[-1][: announced.start()]
        self._announced = size
        return True

    def _may_announce(self) -> bool:
        first = self._parts[0]
        return first.startswith(b"* ") and not _UNTAGGED_TEXT.match(first)

    def _whole(self) -> Response:
        parts, self._parts, self._size = tuple(self._parts), [], 0
        return _response(parts)


def _response(parts: tuple[bytes, ...]) -> Response:
    first = parts[0]
    if first == b"+" or first.startswith(b"+ "):
        return Continuation()
    status = _STATUS.fullmatch(first)
    if status:
        text = (status["text"] or b"").decode(errors="replace")
        condition = Condition(status["condition"].decode().upper())
        code = (status["code"] or b"").decode(errors="replace").upper()
        return Status(status["tag"].decode(), condition, code, text)
    data = _DATA.fullmatch(first)
    if data is None:
        raise WireError("a line that is not IMAP")
    number = None if data["number"] is None else int(data["number"])
    return Data(data["name"].decode().upper(), number, (data["rest"] or b"", *parts[1:]))


def _values(parts: tuple[bytes, ...]) -> tuple[Value, ...]:
    lists: list[list[Value]] = [[]]
    for place, part in enumerate(parts):
        if place % 2:
            lists[-1].append(part)
            continue
        for token in _tokens(part):
            if token["opened"]:
                lists.append([])
            elif token["closed"]:
                _close(lists)
            elif token["quoted"] is not None:
                lists[-1].append(_ESCAPED.sub(rb"\1", token["quoted"]))
            elif token["atom"]:
                lists[-1].append(_atom(token["atom"]))
            if len(lists) > DEEPEST:
                raise WireError(f"lists more than {DEEPEST} deep")
    if len(lists) > 1:
        raise WireError("a list without an end")
    return tuple(lists[0])


def _tokens(text: bytes) -> Iterator[re.Match[bytes]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise WireError("a value that is not IMAP")
        yield token
        at = token.end()


def _close(lists: list[list[Value]]) -> None:
    ended = lists.pop()
    if not lists:
        raise WireError("a list without a beginning")
    lists[-1].append(tuple(ended))


def _atom(octets: bytes) -> str | None:
    atom = octets.decode("latin-1")
    return None if atom.upper() == "NIL" else atom


def _name(value: Value) -> str:
    if not isinstance(value, str):
        raise WireError("a message that cannot be read")
    return value.upper()
