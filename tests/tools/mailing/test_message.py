"""A message: what is known of it, whatever a sender and a server have written."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.message import Message, date, read, told
from netkit.tools.mailing.senders import Mailbox
from netkit.tools.mailing.wire import Value

SECTION = "BODY[HEADER.FIELDS"


class ReadTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """All that a server tells of a message is in it."""
        attributes: dict[str, Value] = {
            "UID": "7",
            "FLAGS": ("\\Seen", "$Junk"),
            "RFC822.SIZE": "123",
            "INTERNALDATE": b"17-Jul-1996 02:44:25 -0700",
            "BODY[HEADER.FIELDS (DATE FROM SUBJECT)]<0>": (
                b"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nFrom: Z <a@b>\r\nSubject: =?utf-8?q?x?=\r\n\r\n"
            ),
            "X-OTHER": b"what nobody asked for",
        }
        self.assertNotIn("X-OTHER", told(attributes))
        self.assertEqual(
            read(told(attributes)),
            Message(
                7,
                ("\\Seen", "$Junk"),
                123,
                datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=1))),
                datetime(1996, 7, 17, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7))),
                (Mailbox("Z", "a@b"),),
                "x",
            ),
        )

    def test_missing(self) -> None:
        """What is missing or unreadable is None; without a UID there is no message."""
        self.assertEqual(read({"UID": "7"}), Message(7))
        broken: dict[str, Value] = {
            "FLAGS": "x",
            "RFC822.SIZE": b"1",
            "INTERNALDATE": "x",
            SECTION: None,
        }
        self.assertEqual(read({"UID": "7", **broken}), Message(7))
        for uid in (None, "0", "x", b"7", "9" * 21, "²", ()):
            self.assertIsNone(read({"UID": uid}))

    def test_dates(self) -> None:
        """Dates old and new are read, and what is none is None."""
        self.assertEqual(date(b"1 Jan 2026 10:00 GMT"), datetime(2026, 1, 1, 10, tzinfo=UTC))
        self.assertEqual(date(b"1 Jan 26 10:00:00 -0000 (x)"), datetime(2026, 1, 1, 10, tzinfo=UTC))
        for written in (b"", b"x", b"1 Jan 2026 10:00 +9999", b"99 Jan 2026 10:00", b"\xff" * 1000):
            with self.subTest(written):
                self.assertIsNone(date(written))

    @settings(deadline=None, max_examples=200)
    @given(st.text(alphabet="0123456789 :+-,JanMonZ()", max_size=40))
    def test_any_date(self, written: str) -> None:
        """Whatever is written is a date with an offset, or none."""
        found = date(written.encode())
        self.assertTrue(found is None or found.utcoffset() is not None)
