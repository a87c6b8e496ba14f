"""What is said to an IMAP server: nothing that a user writes ends a line."""

from base64 import b64decode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.writing import command, login, mailbox, plain


class CommandTests(SynchronousTestCase):
    def test_quoted(self) -> None:
        """What a quoted string can hold is quoted."""
        self.assertEqual(command(b"X"), (b"X",))
        self.assertEqual(command(b"X", b"", rb'a "\ b'), (rb'X "" "a \"\\ b"',))

    def test_literals(self) -> None:
        """What it cannot hold goes as a literal, for which the server is waited."""
        self.assertEqual(login("zoë", "p\r\nn2 X"), (b"LOGIN {4}", b"zo\xc3\xab {7}", b"p\r\nn2 X"))
        self.assertEqual(login("u", "pä"), (b'LOGIN "u" {3}', b"p\xc3\xa4"))

    def test_undecodable(self) -> None:
        """A password that is not UTF-8 is sent as it was given."""
        self.assertEqual(login("u", "\udcff"), (b'LOGIN "u" {1}', b"\xff"))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.binary(max_size=30), max_size=4))
    def test_any(self, arguments: list[bytes]) -> None:
        """A part that is not a literal is one line, and each literal has its size."""
        first, *others = command(b"X", *arguments)
        for each in others:
            opening, _, size = first.rpartition(b"{")
            self.assertTrue(opening.isascii() and b"\n" not in opening and b"\r" not in opening)
            first = each[int(size.removesuffix(b"}")) :]
        self.assertNotIn(b"\n", first)

    def test_plain(self) -> None:
        """PLAIN has nobody to act for, the user and the password."""
        self.assertEqual(
            b64decode(plain("zoë", 'p"\\ü')), "zoë".join("\0\0").encode() + 'p"\\ü'.encode()
        )
        self.assertNotIn(b"\n", plain("u", "x" * 500))


class MailboxTests(SynchronousTestCase):
    def test_modified_utf7(self) -> None:
        """Names of mailboxes are in modified UTF-7 (RFC 3501 5.1.3)."""
        for name, encoded in (
            ("INBOX", b"INBOX"),
            ("R&D", b"R&-D"),
            ("Entwürfe", b"Entw&APw-rfe"),
            ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", b"&2D3eAA-"),
            ("a\r\nb", b"a&AA0ACg-b"),
            ("\udcff", b"&AD8-"),
        ):
            with self.subTest(name):
                self.assertEqual(mailbox(name), encoded)
