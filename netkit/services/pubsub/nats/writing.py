"""What is sent: lines of the protocol, and runs of messages as one piece of bytes.

Rule: a piece depends on the run and on the form it is wanted in, and on nothing else, so that all
who want the same form share it.
"""

from typing import NamedTuple

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import greeting
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.headers import NO_RESPONDERS
from netkit.services.pubsub.nats.verbs import Refusal, Subscribe, Unsubscribe

PING = b"PING\r\n"
PONG = b"PONG\r\n"
OK = b"+OK\r\n"


class Delivered(NamedTuple):
    """The form of a subscriber's messages: under its `sid`, with header blocks if it takes any.

    (A named tuple, as it is looked up for each subscription and so must be hashed quickly.)
    """

    sid: bytes
    headers: bool = True

    def __call__(self, run: Published) -> bytes:
        """Return the messages of `run` as a server sends them."""
        if run.header_bytes < 0:
            return _framed(b"MSG %b %b " % (run.subject, self.sid), run)
        if self.headers:
            return _framed(b"HMSG %b %b " % (run.subject, self.sid), run)
        return self(run.bare())


def published(run: Published) -> bytes:
    """Return the messages of `run` as a client sends them."""
    verb = b"PUB" if run.header_bytes < 0 else b"HPUB"
    return _framed(b"%b %b " % (verb, run.subject), run)


def nobody(run: Published) -> Published:
    """Return the answers to requests of `run` for which nobody is there (ADR-4, status 503)."""
    return Published(
        run.reply, [NO_RESPONDERS] * len(run.payloads), header_bytes=len(NO_RESPONDERS)
    )


def info(value: Info) -> bytes:
    """Return the server's first line, which must also be sent when something in it changes."""
    return b"INFO %b\r\n" % greeting.written(value)


def connect(value: Connect) -> bytes:
    """Return the client's first line."""
    return b"CONNECT %b\r\n" % greeting.written(value)


def subscribe(value: Subscribe) -> bytes:
    """Return the line that asks for messages."""
    queue = b"%b " % value.queue if value.queue else b""
    return b"SUB %b %b%b\r\n" % (value.pattern, queue, value.sid)


def unsubscribe(value: Unsubscribe) -> bytes:
    """Return the line that asks for no more messages."""
    most = b"" if value.most is None else b" %d" % value.most
    return b"UNSUB %b%b\r\n" % (value.sid, most)


def refusal(value: Refusal) -> bytes:
    """Return the line that says what is wrong."""
    return b"-ERR '%b'\r\n" % value.words


def _framed(opening: bytes, run: Published) -> bytes:
    """Return the messages, each with `opening` before its reply, sizes and payload."""
    if run.frames is None:
        run.frames = _frames(run)
    line, pieces = run.frames
    if not line:
        return opening + opening.join(pieces)
    line = opening + line
    if len(pieces) == 1:
        return b"%b%b\r\n" % (line, pieces[0])
    return b"".join((line, (b"\r\n" + line).join(pieces), b"\r\n"))


def _frames(run: Published) -> tuple[bytes, list[bytes]]:
    """Return the rest of every control line, and the payloads; or nothing, and both together."""
    payloads = run.payloads
    words = b"%b " % run.reply if run.reply else b""
    if run.header_bytes >= 0:
        words += b"%d " % run.header_bytes
    if len(payloads) == 1 or len(set(map(len, payloads))) == 1:
        return b"%b%d\r\n" % (words, len(payloads[0])), payloads
    return b"", [b"%b%d\r\n%b\r\n" % (words, len(one), one) for one in payloads]
