"""Messages as events: a browser gets back what was published, and a terminal nothing to act on."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import printable
from netkit.services.pubsub.live.writing import (
    MISSED,
    SLOW,
    as_json,
    as_text,
    latest,
)
from netkit.services.pubsub.messages import Published
from tests.http.eventsource import EventSource

_PAYLOADS = st.binary(max_size=20) | st.text(max_size=10).map(
    lambda text: text.encode(errors="replace")
)


def _heard(events: bytes) -> list[tuple[str, Any]]:
    source = EventSource().read(events)
    return [(event.last_event_id, json.loads(event.data)) for event in source.heard]


class JsonTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(st.lists(_PAYLOADS, min_size=1, max_size=4), st.integers(1, 2**60))
    def test_round_trip(self, payloads: list[bytes], first: int) -> None:
        """A browser gets every payload with its number, byte by byte."""
        heard = _heard(as_json(first, Published(b"a.b", payloads)))
        self.assertEqual([each for each, _ in heard], [str(first + n) for n in range(len(heard))])
        said = [
            value["data"].encode() if "data" in value else b64decode(value["base64"])
            for _, value in heard
        ]
        self.assertEqual(said, payloads)

    def test_text_is_readable(self) -> None:
        """Text stands there as it is, in one line."""
        event = as_json(7, Published(b"a.b", ["gr\u00fc\u00df\n\u20ac".encode()]))
        self.assertEqual(
            event, 'id: 7\ndata: {"subject":"a.b","data":"gr\u00fc\u00df\\n\u20ac"}\n\n'.encode()
        )

    def test_reply_and_headers(self) -> None:
        """The subject for answers is there, and header fields with all their values."""
        block = b"NATS/1.0\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n"
        run = Published(b"a", [block + b"x"], b"to.me", len(block))
        ((_, value),) = _heard(as_json(1, run))
        self.assertEqual(
            value,
            {
                "subject": "a",
                "reply": "to.me",
                "headers": {"A": ["1", "3"], "B": ["2"]},
                "data": "x",
            },
        )

    def test_status(self) -> None:
        """The status of a header block is there."""
        block = b"NATS/1.0 503\r\n\r\n"
        ((_, value),) = _heard(as_json(1, Published(b"a", [block], b"", len(block))))
        self.assertEqual(value, {"subject": "a", "status": 503, "data": ""})

    def test_broken_headers(self) -> None:
        """A header block that is none is left out."""
        ((_, value),) = _heard(as_json(1, Published(b"a", [b"rubbish-x"], b"", 8)))
        self.assertEqual(value, {"subject": "a", "data": "x"})

    def test_a_subject_that_is_no_text(self) -> None:
        """A subject of a NATS client that is not UTF-8 stops nothing."""
        ((_, value),) = _heard(as_json(1, Published(b"a\xff", [b"x"])))
        self.assertEqual(value["subject"], "a\ufffd")


class TextTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Each line of a payload has a field, however it ends; the last line end is not shown."""
        event = as_text(3, Published(b"a", [b"one\r\ntwo\rthree\n", b"", b"x"]))
        self.assertEqual(
            event,
            b"id: 3\ndata: one\ndata: two\ndata: three\n\nid: 4\ndata: \n\nid: 5\ndata: x\n\n",
        )

    def test_no_headers(self) -> None:
        """Header blocks are left out."""
        self.assertEqual(as_text(1, Published(b"a", [b"head:x"], b"", 5)), b"id: 1\ndata: x\n\n")


class TerminalTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(st.lists(_PAYLOADS, min_size=1, max_size=3))
    def test_nothing_to_act_on(self, payloads: list[bytes]) -> None:
        """Whatever is published, curl shows printable characters, tabs and lines."""
        for write in (as_json, as_text):
            written = write(1, Published(b"a", payloads)).decode()
            self.assertEqual(_acted_on(written), set())

    def test_every_control(self) -> None:
        """That holds for every control, and for what turns the direction of writing."""
        rubbish = "".join(map(chr, [*range(32), *range(127, 160), 0x202E, 0x2066, 0xFEFF])).encode()
        for write in (as_json, as_text):
            written = write(1, Published(b"a\xc2\x9b", [rubbish])).decode()
            self.assertEqual(_acted_on(written), set())


class LatestTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.integers(1, 4), max_size=5), st.integers(0, 400))
    def test_what_fits(self, counts: list[int], most: int) -> None:
        """The last messages that fit are there, in order; whether that is all of them is said."""
        runs = list(_runs(counts))
        events, whole = latest(reversed(runs), as_text, most)
        everything = b"".join(as_text(first, run) for first, run in runs)
        written = b"".join(events)
        self.assertLessEqual(len(written), most)
        self.assertTrue(everything.endswith(written))
        self.assertEqual(whole, written == everything)

    def test_as_many_as_fit(self) -> None:
        """Of a run that does not fit the last messages are there."""
        run = Published(b"a", [b"x"] * 10)
        one = len(as_text(10, run.part(slice(1))))
        events, whole = latest([(10, run)], as_text, 3 * one)
        self.assertEqual(
            [EventSource().read(each).last_event_id for each in events], ["17", "18", "19"]
        )
        self.assertFalse(whole)

    def test_notices(self) -> None:
        """What a client is told has a name of its own, and leaves the id as it is."""
        for notice, name in ((MISSED, "missed"), (SLOW, "slow")):
            source = EventSource().read(b"id: 7\ndata: x\n\n" + notice)
            self.assertEqual(source.heard[1].type, name)
            self.assertEqual(source.last_event_id, "7")


def _acted_on(written: str) -> set[str]:
    return {each for each in written if each not in "\n\t" and printable(each) != each}


def _runs(counts: list[int]) -> Iterator[tuple[int, Published]]:
    first = 1
    for count in counts:
        yield first, Published(b"a", [b"x" * count] * count)
        first += count
