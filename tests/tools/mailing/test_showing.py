"""A message as it is shown: it fits, and nothing in it can act on a terminal."""

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.message import Message
from netkit.tools.mailing.senders import Mailbox, mailboxes
from netkit.tools.mailing.showing import Table, as_json, fit, line

WHEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
EVIL = "\x1b]0;x\x07\r\n\t\x9b31m\u202e"
GOOD = Message(7, ("\\Seen",), 99, WHEN, WHEN, mailboxes(b"T: Z <a@b>, c@d;"), "Grüße 😀")


class ShowingTests(SynchronousTestCase):
    def test_line(self) -> None:
        """In a pipe the texts have a tab between each; the server's date stands in for the sender's."""
        self.assertEqual(line(GOOD), "7\t2026-11-21T10:00:00+00:00\tT: Z <a@b>, c@d\tGrüße 😀")
        self.assertEqual(line(Message(7)), "7\t\t\t")
        self.assertEqual(line(Message(7, received=WHEN)), "7\t2026-11-21T10:00:00+00:00\t\t")

    def test_json(self) -> None:
        """In JSON everything is there, and what is not is null."""
        self.assertEqual(
            as_json(GOOD),
            {
                "uid": 7,
                "date": "2026-11-21T10:00:00+00:00",
                "received": "2026-11-21T10:00:00+00:00",
                "from": "T: Z <a@b>, c@d",
                "subject": "Grüße 😀",
                "flags": ["\\Seen"],
                "size": 99,
            },
        )
        empty = as_json(Message(7))
        self.assertEqual([empty[name] for name in ("date", "from", "subject", "size")], [None] * 4)
        json.dumps(empty)

    def test_rows(self) -> None:
        """Rows have the width of the terminal and their columns under each other."""
        messages = (GOOD, Message(6), Message(5, subject="你好" * 100, senders=GOOD.senders * 20))
        for width in (60, 80, 200):
            rows = [Table(width, 3).row(each) for each in messages]
            with self.subTest(width):
                self.assertLessEqual(max(map(cell_len, rows)), width)
                self.assertEqual([row[:5] for row in rows], ["  7  ", "  6  ", "  5  "])
                self.assertIn("(no sender)", rows[1])
                self.assertIn("(no subject)", rows[1])
                self.assertIn("…", rows[2])
        self.assertNotIn(":00", Table(60, 3).row(GOOD))

    def test_far_years(self) -> None:
        """A year at the end of time is shown as well as any."""
        for year in (1, 9999):
            far = Message(
                7, date=datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, tzinfo=UTC)
            )
            self.assertIn(str(year), Table(80, 1).row(far))

    def test_harmless(self) -> None:
        """Whatever sender and subject are, nothing reaches a terminal that acts on it."""
        evil = Message(7, (), 1, None, None, (Mailbox(EVIL, EVIL),), EVIL)
        for shown in (
            Table(200, 3).row(evil),
            line(evil).replace("\t", ""),
            json.dumps(as_json(evil)),
        ):
            self.assertTrue(shown.isprintable(), shown)

    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=30), st.integers(2, 40))
    def test_fit(self, text: str, width: int) -> None:
        """What has to fit takes its cells and no more."""
        self.assertEqual(cell_len(fit(text, width)), width)
