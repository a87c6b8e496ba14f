"""Who a message is from: addresses in every form that is seen, and rubbish too."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.senders import Mailbox, mailboxes


class MailboxesTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """One mailbox in all its forms."""
        for field, name, address in (
            (b"a@b.example", "", "a@b.example"),
            (b"<a@b>", "", "a@b"),
            (b"Zoe <a@b>", "Zoe", "a@b"),
            (b'"Doe, \\"J\\" (x)" <a@b>', 'Doe, "J" (x)', "a@b"),
            (b"=?utf-8?q?Zo=C3=AB?= =?utf-8?q?_X?= <a@b>", "Zoë X", "a@b"),
            (b'"=?utf-8?q?Zo=C3=AB?=" <a@b>', "Zoë", "a@b"),
            ("Zoë <ü@b>".encode(), "Zoë", "ü@b"),
            (b"Z\xfc <a@b>", "Zü", "a@b"),
            (b"a@b (Zoe (the) first)", "Zoe (the) first", "a@b"),
            (b"Zoe (x) <a@b>", "Zoe", "a@b"),
            (b"Zoe <@x,@y:a@b>", "Zoe", "a@b"),
            (b"Zoe a@b", "Zoe", "a@b"),
            (b"a @ b", "", "a@b"),
            (b"J. Doe <a@b>", "J. Doe", "a@b"),
            (b"root", "root", ""),
            (b"Zoe <>", "Zoe", ""),
            (b'"unclosed <a@b>', "unclosed <a@b>", ""),
            (b"(unclosed <a@b>", "unclosed <a@b>", ""),
            (b"Zoe <a@b", "Zoe", "a@b"),
        ):
            with self.subTest(field):
                self.assertEqual(mailboxes(field), (Mailbox(name, address),))

    def test_several(self) -> None:
        """Several are told apart, and a group stands before its members."""
        self.assertEqual(
            mailboxes(b"a@b, , Zoe <c@d>"), (Mailbox("", "a@b"), Mailbox("Zoe", "c@d"))
        )
        self.assertEqual(
            mailboxes(b"=?utf-8?q?T=C3=A9am?=: Zoe <a@b>, c@d; e@f"),
            (Mailbox("Téam:"), Mailbox("Zoe", "a@b"), Mailbox("", "c@d"), Mailbox("", "e@f")),
        )
        self.assertEqual(
            mailboxes(b"undisclosed-recipients:;"), (Mailbox("undisclosed-recipients:"),)
        )
        self.assertEqual(mailboxes(b""), ())

    def test_disguise(self) -> None:
        """A name that is like an address hides none, and nothing decoded is taken for one."""
        for field in (b'"boss@bank" <a@b>', b"=?utf-8?q?boss=40bank?= <a@b>"):
            (found,) = mailboxes(field)
            self.assertEqual(found.brief, '"boss@bank" <a@b>')
        (found,) = mailboxes(b"=?utf-8?q?Boss_=3Cboss=40bank=3E=2C?= <a@b>")
        self.assertEqual(found, Mailbox("Boss <boss@bank>,", "a@b"))

    def test_shown(self) -> None:
        """A mailbox is shown in full or in brief."""
        self.assertEqual((str(Mailbox("Z", "a@b")), Mailbox("Z", "a@b").brief), ("Z <a@b>", "Z"))
        self.assertEqual(str(Mailbox('Doe, "J\\"', "a@b")), '"Doe, \\"J\\\\\\"" <a@b>')
        self.assertEqual((str(Mailbox("", "a@b")), Mailbox("", "a@b").brief), ("a@b", "a@b"))

    @settings(deadline=None, max_examples=200)
    @given(st.text(alphabet='aé@<>,;:()"\\ =?', max_size=40))
    def test_any(self, field: str) -> None:
        """Whatever is written is somebody or nobody."""
        for each in mailboxes(field.encode()):
            self.assertTrue(each.name or each.address)

    def test_much(self) -> None:
        """A field full of openings takes no time to speak of."""
        for rubbish in (b"(", b'"', b'\\"', b'"\\', b"<", b"a:", b"a <b>,", b"(\\", b"@"):
            mailboxes(rubbish * (16_000 // len(rubbish)))
