"""What a control line means, to a server and to a client.

Fields stand apart by runs of blanks and tabs, verbs are in any case, a line ends by CRLF or LF. Rule:
whatever a line is, it has a meaning: a verb's value, the opening of a message, or a refusal.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from attrs import field, frozen

from netkit.services.pubsub.messages import NO_HEADERS
from netkit.services.pubsub.nats.greeting import Connect, GreetingError, Info, read
from netkit.services.pubsub.nats.verbs import (
    BAD_SUBSCRIPTION,
    PAYLOAD_TOO_LONG,
    UNKNOWN,
    Complaint,
    Event,
    Signal,
    Subscribe,
    Unsubscribe,
)
from netkit.services.pubsub.subjects import is_pattern, is_subject

LINE_BYTES = 4096
PAYLOAD_BYTES = 1024 * 1024
SID_BYTES = 128
"""The longest sid: it goes out with every message, however short that is."""

REMEMBERED = 4096
_SHORT = 128

_WORDS = re.compile(rb"[^ \t]+")
_CONTROLS = bytes((*range(ord("\t")), *range(ord("\n"), ord(" ")), 0x7F))
_DIGITS = 9


class Opening(NamedTuple):
    """A control line behind which a payload of `size` bytes and CRLF follow.

    `between` is what stands between two payloads of messages with this line. `subject` is None where
    it is none, and the message is to be passed over; the rest is as in `Published`.
    """

    size: int
    between: bytes
    subject: bytes | None
    reply: bytes
    header_bytes: int
    sid: bytes


Meaning: TypeAlias = Opening | Event
Verb: TypeAlias = "Callable[[Grammar, bytes, list[bytes]], Meaning]"
"""Takes the line and the words behind the verb."""


@frozen
class Grammar:
    """One side's verbs, and the limits of its peers; the connections of a service share one.

    Openings without a reply are remembered by their lines, up to REMEMBERED of them: publishers
    repeat themselves.
    """

    verbs: Mapping[bytes, Verb] = field(repr=False)
    line_bytes: int = LINE_BYTES
    payload_bytes: int = PAYLOAD_BYTES
    known: dict[bytes, Opening] = field(factory=dict, init=False, eq=False, repr=False)

    def meaning(self, line: bytes) -> Meaning:
        """Return what a line, its end included, says."""
        text = content(line)
        words = text.split() if _is_plain(text) else _WORDS.findall(text)  # the first is quicker
        if not words or not line.startswith(words[0]):
            return UNKNOWN
        verb = self.verbs.get(words[0].upper())
        return UNKNOWN if verb is None else verb(self, line, words[1:])

    def remember(self, line: bytes, opening: Opening) -> None:
        """Take `line` for `opening` without looking at it any more."""
        if len(line) <= _SHORT:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[line] = opening


def content(line: bytes) -> bytes:
    """Return the line without its end, CRLF or LF."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _is_plain(text: bytes) -> bool:
    """Return whether there is no control character but tabs."""
    return len(text.translate(None, _CONTROLS)) == len(text)


def _size(word: bytes) -> int:
    """Return the number that stands there, of nine digits at most, or -1."""
    return int(word) if word.isdigit() and len(word) <= _DIGITS else -1


def _message(*, headers: bool, sid: bool) -> Verb:
    """Return the verb of a message: `subject [sid] [reply] [header bytes] bytes`."""
    sizes = 2 if headers else 1
    least = 1 + sid + sizes

    def verb(grammar: Grammar, line: bytes, words: list[bytes]) -> Meaning:
        if not least <= len(words) <= least + 1 or not _is_plain(b"".join(words[1:])):
            return UNKNOWN
        size = _size(words[-1])
        header_bytes = _size(words[-2]) if headers else 0
        if not 0 <= header_bytes <= size:
            return UNKNOWN
        if size > grammar.payload_bytes:
            return PAYLOAD_TOO_LONG
        opening = Opening(
            size,
            b"\r\n" + line,
            words[0] if is_subject(words[0]) else None,
            words[-1 - sizes] if len(words) > least else b"",
            header_bytes or NO_HEADERS,
            words[1] if sid else b"",
        )
        if len(words) == least:
            grammar.remember(line, opening)
        return opening

    return verb


def _subscribe(_grammar: Grammar, _line: bytes, words: list[bytes]) -> Meaning:
    if len(words) not in (2, 3) or not _is_plain(b"".join(words[1:])):
        return UNKNOWN
    pattern, *queue, sid = words
    if len(sid) > SID_BYTES:
        return UNKNOWN
    return Subscribe(pattern, sid, b"".join(queue)) if is_pattern(pattern) else BAD_SUBSCRIPTION


def _unsubscribe(_grammar: Grammar, _line: bytes, words: list[bytes]) -> Meaning:
    if len(words) not in (1, 2) or not _is_plain(b"".join(words)):
        return UNKNOWN
    most = _size(words[1]) if words[1:] else 0
    return Unsubscribe(words[0], most if most > 0 else None)


def _greeting(kind: type[Connect] | type[Info]) -> Verb:
    def verb(_grammar: Grammar, line: bytes, _words: list[bytes]) -> Meaning:
        try:
            return read(kind, content(line)[len(kind.__name__) :])
        except GreetingError:
            return UNKNOWN

    return verb


def _complaint(_grammar: Grammar, line: bytes, _words: list[bytes]) -> Meaning:
    return Complaint(content(line)[len(b"-ERR") :].strip(b" \t").strip(b"'"))


def _signal(signal: Signal) -> Verb:
    return lambda _grammar, _line, _words: signal


_BOTH: Mapping[bytes, Verb] = {
    b"PING": _signal(Signal.PING),
    b"PONG": _signal(Signal.PONG),
}

SERVER: Mapping[bytes, Verb] = {
    **_BOTH,
    b"PUB": _message(headers=False, sid=False),
    b"HPUB": _message(headers=True, sid=False),
    b"SUB": _subscribe,
    b"UNSUB": _unsubscribe,
    b"CONNECT": _greeting(Connect),
}
"""What a server hears from its clients."""

CLIENT: Mapping[bytes, Verb] = {
    **_BOTH,
    b"MSG": _message(headers=False, sid=True),
    b"HMSG": _message(headers=True, sid=True),
    b"INFO": _greeting(Info),
    b"+OK": _signal(Signal.OK),
    b"-ERR": _complaint,
}
"""What a client hears from its server."""
