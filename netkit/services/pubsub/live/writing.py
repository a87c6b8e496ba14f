"""Messages as server-sent events: in JSON, which leaves nothing out, or as bare text.

JSON has `subject`, and `data` with the payload as text, or `base64` where it is not UTF-8; `reply`
and `headers` where there are any. Text is the payload, line by line, as line clients see it, so that
no byte of one peer does anything to the terminal of another (see `lines`). Pure.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import TypeAlias

from netkit.services.pubsub.lines import shown
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import headers
from netkit.services.pubsub.nats.headers import HeadersError

Form: TypeAlias = Callable[[int, Published], bytes]
"""Writes a run, whose first message has the number given, as events."""

MISSED = b"event: missed\ndata: some messages are not kept any more\n\n"
"""What a client is told that was away for too long."""

SLOW = b"event: slow\ndata: too much waits; come back for the rest\n\n"
"""What a client is told that does not keep up, before its stream ends."""

_LINE_END = re.compile(rb"\r\n|\r|\n")


def as_json(first: int, run: Published) -> bytes:
    """Return the events of `run`, whose first message has the number `first`."""
    events = [
        f"id: {number}\ndata: {said}\n\n" for number, said in enumerate(json_objects(run), first)
    ]
    return "".join(events).encode()


def json_objects(run: Published) -> list[str]:
    """Return the messages of `run`, each as an object on one line."""
    head = f'"subject":{_quoted(_text(run.subject))}'
    if run.reply:
        head += f',"reply":{_quoted(_text(run.reply))}'
    if run.header_bytes < 0:
        said = [head] * len(run.payloads)
    else:
        said = [head + _headers(payload[: run.header_bytes]) for payload in run.payloads]
    return [
        f"{{{head}{_payload(payload)}}}"
        for head, payload in zip(said, run.bare().payloads, strict=True)
    ]


def as_text(first: int, run: Published) -> bytes:
    """Return the events of `run`, whose first message has the number `first`."""
    return b"".join(
        b"id: %d\n%b\n" % (number, b"".join(map(_data, _lines(payload))))
        for number, payload in enumerate(run.bare().payloads, first)
    )


def latest(
    runs: Iterable[tuple[int, Published]], form: Form, most: int
) -> tuple[list[bytes], bool]:
    """Return the last events of `runs`, which come the latest first, and whether that is all.

    They are in their order, and have `most` bytes together at most.
    """
    events: list[bytes] = []
    for first, run in runs:
        piece = form(first, run)
        if len(piece) > most:
            events += _last_of(first, run, form, most)
            return events[::-1], False
        most -= len(piece)
        events.append(piece)
    return events[::-1], True


def _last_of(first: int, run: Published, form: Form, most: int) -> list[bytes]:
    """Return the last events of `run` that have `most` bytes together, the latest first."""
    events: list[bytes] = []
    for index in reversed(range(len(run.payloads))):
        event = form(first + index, run.part(slice(index, index + 1)))
        most -= len(event)
        if most < 0:
            break
        events.append(event)
    return events


def _payload(payload: bytes) -> str:
    try:
        return f',"data":{_quoted(payload.decode())}'
    except UnicodeDecodeError:
        return f',"base64":"{b64encode(payload).decode()}"'


def _headers(block: bytes) -> str:
    """Return the fields of a header block, each with all its values, or nothing if it is none."""
    try:
        read = headers.read(block)
    except HeadersError:
        return ""
    fields: dict[str, list[str]] = {}
    for name, value in read.fields:
        fields.setdefault(name.decode(), []).append(_text(value))
    said = f',"headers":{json.dumps(fields)}' if fields else ""
    return f'{said},"status":{read.status}' if read.status else said


def _quoted(text: str) -> str:
    """Return `text` in JSON, without a character that a terminal could act on."""
    written = json.dumps(text, ensure_ascii=False)
    return written if written.isprintable() else json.dumps(text)


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")


def _lines(payload: bytes) -> list[bytes]:
    lines = _LINE_END.split(payload)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _data(line: bytes) -> bytes:
    return b"data: %b\n" % shown(line)
