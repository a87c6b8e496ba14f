"""What a peer's bytes say: control lines and the payloads behind some of them.

Consecutive messages with the same control line are taken together: what stands between two of their
payloads is the same each time, so that one split finds them all. Rule: nothing that a peer sends
raises anything; a reader keeps at most one line or one message that is not whole yet.
"""

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.grammar import Grammar, Opening, content
from netkit.services.pubsub.nats.verbs import BAD_SUBJECT, LINE_TOO_LONG, UNKNOWN, Event, Refusal

_CRLF = b"\r\n"
_SMALL = 4096  # bytes; a longer payload costs more to copy than to find
_WINDOW = 8  # messages; eight times as many are tried after as many were found


class Reader:
    """The events in what one peer, `source`, sends.

    After a refusal that is fatal there are none any more, and the reader is `broken`.
    """

    __slots__ = ("_grammar", "_held", "_source", "_wanted", "broken")

    def __init__(self, grammar: Grammar, source: str = "") -> None:
        self._grammar = grammar
        self._source = source
        self._held: bytes | bytearray = b""
        self._wanted = 0  # bytes, before it is worth while to look again
        self.broken = False

    @property
    def held(self) -> int:
        """The bytes that wait for what is still to come of their line or message."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Event]:
        """Return what `data` completes; every message of a run with the others."""
        if self._held:
            data = self._together(data)
        events: list[Event] = []
        position, end = 0, len(data)
        while position < end and not self.broken:
            position = self._next(data, position, events)
        return events

    def _together(self, data: bytes) -> bytes:
        if len(self._held) + len(data) < self._wanted:
            if type(self._held) is not bytearray:
                self._held = bytearray(self._held)
            self._held += data
            return b""
        data = b"".join((self._held, data))
        self._held = b""
        return data

    def _next(self, data: bytes, position: int, events: list[Event]) -> int:
        """Add what stands at `position`; return where the next line begins."""
        start = data.find(b"\n", position) + 1
        line = data[position : start or None]
        meaning = self._grammar.known.get(line)
        if meaning is not None:
            return self._messages(data, position, start, meaning, events)
        return self._unknown(data, position, start, line, events)

    def _unknown(
        self, data: bytes, position: int, start: int, line: bytes, events: list[Event]
    ) -> int:
        most = self._grammar.line_bytes
        if len(line) > most and len(content(line)) > most:
            return self._break(LINE_TOO_LONG, data, events)
        if not start:
            return self._hold(data, position, 0)
        meaning = self._grammar.meaning(line)
        if isinstance(meaning, Opening):
            return self._messages(data, position, start, meaning, events)
        events.append(meaning)
        self.broken = isinstance(meaning, Refusal) and meaning.fatal
        return start

    def _messages(
        self, data: bytes, position: int, start: int, opening: Opening, events: list[Event]
    ) -> int:
        stop = start + opening.size
        if stop + len(_CRLF) > len(data):
            return self._hold(data, position, stop + len(_CRLF) - position)
        if opening.size <= _SMALL and data.startswith(opening.between, stop):
            payloads = run(data, start, opening)
            stop += (len(payloads) - 1) * (opening.size + len(opening.between))
        else:
            payloads = [data[start:stop]]
        whole = data.startswith(_CRLF, stop)
        if not whole:
            payloads.pop()
        if payloads:
            self._add(events, opening, payloads)
        return stop + len(_CRLF) if whole else self._break(UNKNOWN, data, events)

    def _add(self, events: list[Event], opening: Opening, payloads: list[bytes]) -> None:
        _, _, subject, reply, header_bytes, sid = opening
        if subject is None:
            events.extend([BAD_SUBJECT] * len(payloads))
            return
        last = events[-1] if events else None
        if (
            type(last) is Published
            and last.subject == subject
            and last.reply == reply
            and last.header_bytes == header_bytes
            and last.sid == sid
        ):
            last.payloads += payloads
        else:
            events.append(Published(subject, payloads, reply, header_bytes, sid, self._source))

    def _hold(self, data: bytes, position: int, wanted: int) -> int:
        self._held = data[position:]
        self._wanted = wanted
        return len(data)

    def _break(self, refusal: Refusal, data: bytes, events: list[Event]) -> int:
        events.append(refusal)
        self.broken = True
        return len(data)


def run(data: bytes, start: int, opening: Opening) -> list[bytes]:
    """Return the payloads of the messages that have come whole and have the same control line.

    The first payload begins at `start`; behind the last one there are two bytes to be looked at.
    """
    size, between = opening.size, opening.between
    stride = size + len(between)
    payloads: list[bytes] = []
    window = _WINDOW
    while True:
        there = (len(data) - start + len(between) - len(_CRLF)) // stride
        count = min(there, window)
        pieces = data[start : start + count * stride - len(between)].split(between)
        # A payload may hold what stands between payloads: only pieces of the right size are some.
        if len(pieces) != count or max(map(len, pieces)) != size:
            good = next(index for index, piece in enumerate(pieces) if len(piece) != size)
            payloads += pieces[:good]
            start += good * stride
            payloads.append(data[start : start + size])
            return payloads
        payloads += pieces
        start += count * stride
        if count == there or not data.startswith(between, start - len(between)):
            return payloads
        window *= _WINDOW
