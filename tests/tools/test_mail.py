"""The command that lists the newest messages of a mailbox, against Dovecot with real messages."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.tools.commanded import Ran, called, spawned
from tests.tools.mailing.dovecot import MISSING, PASSWORD, USER, Dovecot

ROOT = Path(__file__).parents[2]


def message(subject: bytes, sender: bytes = b"Zoe <a@b.example>", more: bytes = b"") -> bytes:
    """Return a message."""
    date = b"Sat, 21 Nov 2026 10:00:00 +0100"
    return b"Date: %b\r\nFrom: %b\r\nSubject: %b\r\n%b\r\nhello\r\n" % (date, sender, subject, more)


def word(text: str, charset: str) -> bytes:
    """Return `text` as an encoded word."""
    return b"=?%b?B?%b?=" % (charset.encode(), b64encode(text.encode(charset)))


MESSAGES = (
    message(b"the first"),
    message(word("Привет, мир", "koi8-r")),
    message(word("こん", "iso-2022-jp") + b"\r\n " + word("にちは", "iso-2022-jp")),
    message(word("Žluťoučký", "iso8859-2"), word("Zoë", "utf-8") + b" <zoe@b.example>"),
    message("raw UTF-8: Grüße 😀".encode(), "Zoë <zoë@b.example>".encode()),
    message(b"raw Latin-1: Gr\xfc\xdfe"),
    message(b"=?no-such-charset?Q?a=FFb?= \x1b[31m =?utf-8?Q?=1B]0;x=07=0D=0A?="),
    message(b"group", b"The team: a@b.example, Zoe <c@d.example>;"),
    b"\r\nwithout any field\r\n",
    b"From: \r\nSubject:\r\nDate: once upon a time\r\n\r\nempty ones\r\n",
    message(b"x" * 50_000),
    message(b'a quote " and a backslash \\ {5}', b'"Doe, \\"J\\"" <j@b.example>'),
)
SUBJECTS = [
    "the first",
    "Привет, мир",
    "こんにちは",
    "Žluťoučký",
    "raw UTF-8: Grüße 😀",
    "raw Latin-1: Grüße",
    "aÿb \x1b[31m \x1b]0;x\x07\r\n",
    "group",
    None,
    "",
    None,
    'a quote " and a backslash \\ {5}',
]


class MailTestCase(TestCase):
    timeout = 60
    skip = MISSING

    def mail(self, *options: str, **environment: str) -> Deferred[Ran]:
        """List mail of the server at 127.0.0.1."""
        known = {
            "HOME": self.mktemp(),
            "NETRC": "",
            "NETKIT_MAIL_PASSWORD": PASSWORD,
            "PYTHONPATH": str(ROOT),
        }
        return Deferred.fromCoroutine(
            spawned("mail", "--host", "127.0.0.1", *options, environment={**known, **environment})
        )

    def over_tls(self, server: Dovecot, *options: str, **environment: str) -> Deferred[Ran]:
        """List mail over TLS, with the server trusted."""
        where = ("--port", str(server.tls_port), "--cacert", server.authority)
        return self.mail(*where, *options, **environment)

    def trouble(self, ran: Ran) -> str:
        """Return the one line that is told of trouble."""
        self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1), ran)
        self.assertTrue(ran.errors.startswith("netkit: "), ran)
        self.assertNotIn("ünï", ran.errors)
        return ran.errors.removeprefix("netkit: ").rstrip("\n")


class ReadingTests(MailTestCase):
    async def test_newest(self) -> None:
        """Row 24: the newest messages over TLS, encoded words decoded, none marked as read."""
        server = Dovecot(self, MESSAGES)
        ran = await self.over_tls(server, "--user", USER, "--json", "-n", "100")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        found: list[dict[str, Any]] = [json.loads(line) for line in ran.out.splitlines()]
        found.reverse()
        self.assertEqual([each["uid"] for each in found], list(range(1, len(MESSAGES) + 1)))
        self.assertEqual([each["subject"] for each in found[:10]], SUBJECTS[:10])
        self.assertEqual(found[0]["date"], "2026-11-21T10:00:00+01:00")
        self.assertEqual(
            [each["from"] for each in found[3:5]],
            ["Zoë <zoe@b.example>", "Zoë <zoë@b.example>"],
        )
        self.assertEqual(found[7]["from"], "The team: a@b.example, Zoe <c@d.example>")
        self.assertEqual([found[8][name] for name in ("from", "subject", "date")], [None] * 3)
        self.assertEqual([found[9][name] for name in ("from", "date")], [None] * 2)
        self.assertTrue(found[9]["received"])
        self.assertTrue(found[10]["subject"] and set(found[10]["subject"]) == {"x"})
        self.assertEqual(found[11]["subject"], SUBJECTS[11])
        self.assertEqual(found[0]["size"], len(MESSAGES[0]))
        self.assertNotIn("\\Seen", str(found))
        self.assertEqual(server.unread(), len(MESSAGES))

    async def test_in_a_pipe(self) -> None:
        """In a pipe there are tabs, the newest comes first, and nothing acts on a terminal."""
        server = Dovecot(self, MESSAGES[:8])
        ran = await self.over_tls(server, "--user", USER, "-n", "7")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        rows = [line.split("\t") for line in ran.out.removesuffix("\n").split("\n")]
        self.assertEqual([row[0] for row in rows], list("8765432"))
        self.assertEqual(
            rows[6], ["2", "2026-11-21T10:00:00+01:00", "Zoe <a@b.example>", SUBJECTS[1]]
        )
        self.assertEqual(rows[1][3], r"aÿb \x1b[31m \x1b]0;x\x07\r\n")
        self.assertTrue(all(each.isprintable() for row in rows for each in row))

    async def test_starttls(self) -> None:
        """STARTTLS comes to the same."""
        server = Dovecot(self, MESSAGES[:1])
        where = ("--port", str(server.port), "--cacert", server.authority, "--user", USER)
        ran = await self.mail("--starttls", *where)
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertTrue(ran.out.endswith("\tthe first\n"), ran)

    async def test_netrc(self) -> None:
        """User and password may come from a netrc file that nobody else can read."""
        server = Dovecot(self, MESSAGES[:1])
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        file = server.folder / "netrc"
        file.touch(0o600)
        file.write_text(f'machine 127.0.0.1 login {USER} password "{quoted}"\n')
        ran = await self.over_tls(server, NETRC=str(file), NETKIT_MAIL_PASSWORD="")
        self.assertEqual((ran.status, ran.errors, ran.out.count("\n")), (0, "", 1))


class TroubleTests(MailTestCase):
    async def test_wrong_password(self) -> None:
        """A wrong password is one line, which does not show it."""
        server = Dovecot(self)
        ran = await self.over_tls(server, "--user", USER, NETKIT_MAIL_PASSWORD="wrong ünï")
        self.assertEqual(
            self.trouble(ran),
            f'127.0.0.1:{server.tls_port}: the server does not let "{USER}" log in:'
            ' "Authentication failed."',
        )

    async def test_expired(self) -> None:
        """An expired certificate is one line."""
        server = Dovecot(self, expired=True)
        said = self.trouble(await self.over_tls(server, "--user", USER))
        self.assertEqual(said, f"127.0.0.1:{server.tls_port}: its certificate has expired")

    async def test_nobody_to_ask(self) -> None:
        """Where there is no password and nobody to be asked nothing is tried."""
        ran = await self.mail("--user", USER, NETKIT_MAIL_PASSWORD="")
        self.assertEqual(self.trouble(ran), "nobody is there to be asked for the password")


class CommandLineTests(SynchronousTestCase):
    def test_never_an_argument(self) -> None:
        """There is no way to say a password on the command line."""
        for option in (("--password", "x"), ("--user", "u", "x")):
            ran = called("mail", "--host", "127.0.0.1", *option)
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))

    def test_mistakes(self) -> None:
        """What is wrong with the command line is one line."""
        for options in (
            (),
            ("--host", "a b"),
            ("--host", "a", "-n", "0"),
            ("--host", "a", "--cacert", "/no"),
        ):
            ran = called("mail", *options, "--user", "u")
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1), ran)

    def test_help(self) -> None:
        """The help says where the password comes from and has examples."""
        said = called("mail", "--help").out
        for each in ("NETKIT_MAIL_PASSWORD", "netrc", "Exit status", "netkit mail --host"):
            self.assertIn(each, said)
