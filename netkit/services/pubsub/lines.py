"""The line protocol: whoever sends a line is seen by everyone as `<source> line`.

Lines come in ended by CRLF or LF and go out ended by LF: that is what `nc` sends itself, and what
a filter behind it expects (a CR would be the last character of every line). What the service says
itself begins with no source.

Rule: no byte of one peer does anything to the terminal of another. A line that is UTF-8 without
control characters goes out as it came, tabs included. Everything else is written as an escape:
controls and marks that turn the direction of writing, and bytes that are no UTF-8.

Messages of others than line clients may have several lines, or be anything but text: each of their
lines becomes one behind the source of the message, and their header blocks are left out.
"""

from collections.abc import Iterable

from netkit.document.values import printable
from netkit.services.pubsub.messages import Published

_PLAIN = bytes((ord("\t"), ord("\n"), *range(ord(" "), ord("~") + 1)))

# What `printable` does, as a table: eight times as fast where a peer sends nothing but controls.
_UNPRINTABLE = [chr(point) for point in (*range(0x3000), 0xFEFF) if not chr(point).isprintable()]
_ESCAPES = str.maketrans(
    {character: printable(character) for character in _UNPRINTABLE if character != "\t"}
    | {chr(0xDC00 + byte): rf"\x{byte:02x}" for byte in range(0x80, 0x100)}  # surrogateescape's
)


def written(run: Published) -> bytes:
    """Return `run` as the clients of this protocol get it: one piece for all its lines."""
    prefix = f"<{run.source}> ".encode()
    lines = run.bare().payloads
    piece = _joined(prefix, lines)
    if piece.count(b"\n") != len(lines):
        lines = [line for payload in lines for line in _split(payload)]
        piece = _joined(prefix, lines)
    if piece.translate(None, _PLAIN):
        return _joined(prefix, map(shown, lines))
    return piece


def shown(line: bytes) -> bytes:
    """Return `line` with an escape for everything that is not printable, save tabs."""
    text = line.decode("utf-8", "surrogateescape")
    return line if text.isprintable() else text.translate(_ESCAPES).encode()


def full(clients: int) -> bytes:
    """Return what the client hears who is one too many."""
    return b"too many clients: %d are connected; try again later\n" % clients


def too_long(line_bytes: int) -> bytes:
    """Return what the client hears whose line is too long."""
    return b"line too long: %d bytes are the most\n" % line_bytes


def missed(messages: int) -> bytes:
    """Return what a client hears that was too slow for so many messages."""
    return b"too slow: %d messages were left out\n" % messages


def _split(payload: bytes) -> list[bytes]:
    """Return the lines of a payload, which may end its last one or not."""
    return payload.removesuffix(b"\n").replace(b"\r\n", b"\n").split(b"\n")


def _joined(prefix: bytes, lines: Iterable[bytes]) -> bytes:
    return prefix + (b"\n" + prefix).join(lines) + b"\n"
