"""The newest messages of servers good and bad: whatever a server does, it ends, and in one line."""

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.connection import FAREWELL
from netkit.tools.mailing.conversation import RESPONSES
from netkit.tools.mailing.reading import BATCH, Account, Security, Server, Wanted
from netkit.tools.outcome import TroubleError
from tests.tools.mailing.servers import INBOX, TIMEOUT, Reading, Talk, fetched

WHO = "192.0.2.7:143: the server "


class GoodServers(SynchronousTestCase):
    def read(self, talk: Talk, wanted: Wanted = INBOX) -> Reading:
        """Return what is read of a server, after which nothing is left."""
        reading = Reading(talk, wanted).talk_on()
        self.assertEqual(self.successResultOf(reading.done), len(reading.shown))
        self.assertEqual(reading.left(), (True, []))
        return reading

    def test_newest(self) -> None:
        """Messages are shown newest first, with nothing asked that marks them as read."""
        reading = self.read(Talk())
        self.assertEqual([each.uid for each in reading.shown], [30, 20, 10])
        self.assertEqual(reading.shown[0].subject, "message 3")
        asked = reading.talk.asked
        self.assertEqual(
            asked,
            [
                b"n1 CAPABILITY",
                b"n2 AUTHENTICATE PLAIN AHpvZQBzZWNyZXQ=",
                b'n3 EXAMINE "INBOX"',
                b"n4 FETCH 1:3 (UID FLAGS RFC822.SIZE INTERNALDATE"
                b" BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)]<0.16384>)",
                b"n5 LOGOUT",
            ],
        )

    def test_batches(self) -> None:
        """Many messages are asked for some at a time, so many of them as are wanted."""
        count = 2 * BATCH + 5
        answers = {b"EXAMINE": b"* 1000 EXISTS\r\nTAG OK\r\n", b"FETCH": b"TAG OK\r\n"}
        reading = self.read(Talk(answers), Wanted("INBOX", count))
        asked = [each.split()[2] for each in reading.talk.asked if b" FETCH " in each]
        self.assertEqual(asked, [b"951:1000", b"901:950", b"896:900"])

    def test_empty(self) -> None:
        """In an empty mailbox nothing is asked for."""
        reading = self.read(Talk({b"EXAMINE": b"* 0 EXISTS\r\nTAG OK\r\n"}))
        self.assertEqual((reading.shown, len(reading.talk.asked)), ([], 4))

    def test_in_parts(self) -> None:
        """What is told of a message may come in parts and in any order, among other things."""
        told = (
            b"* 3 FETCH (FLAGS (\\Answered))\r\n* 2 EXPUNGE\r\n* 4 EXISTS\r\n* OK [X] wait\r\n"
            b"* 9 FETCH (UID 90)\r\n* VENDOR {3}\r\n))) ((\r\n"
            + fetched(1, 10)
            + fetched(3, 30)
            + b"* 1 FETCH (FLAGS ())\r\n* SEARCH\r\nTAG OK done\r\n"
        )
        reading = self.read(Talk({b"FETCH": told}))
        self.assertEqual(
            [(each.uid, each.flags) for each in reading.shown], [(30, ("\\Seen",)), (10, ())]
        )

    def test_expunged(self) -> None:
        """A message that somebody deletes meanwhile is left out."""
        told = fetched(3, 30) + b"TAG NO [EXPUNGEISSUED] some are gone\r\n"
        self.assertEqual(len(self.read(Talk({b"FETCH": told})).shown), 1)

    def test_preauth(self) -> None:
        """Where the server knows who it is nobody logs in."""
        reading = self.read(Talk(greeting=b"* PREAUTH hello\r\n"))
        self.assertEqual(reading.talk.asked[0], b'n1 EXAMINE "INBOX"')

    def test_alert(self) -> None:
        """What a server wants the user to know is told."""
        talk = Talk({b"AUTHENTICATE": b"* OK [ALERT] disk full\x1b\r\nTAG OK\r\n"})
        self.assertEqual(self.read(talk).alerts, ['"disk full\\x1b"'])

    def test_continuation(self) -> None:
        """Without SASL-IR the password waits until the server does."""
        talk = Talk(
            {
                b"CAPABILITY": b"* CAPABILITY IMAP4rev1 auth=plain LOGINDISABLED\r\nTAG OK\r\n",
                b"AUTHENTICATE": b"+ \r\n",
                b"AHpvZQBzZWNyZXQ=": b"n2 OK\r\n",
            }
        )
        self.assertEqual(
            self.read(talk).talk.asked[1:3], [b"n2 AUTHENTICATE PLAIN", b"AHpvZQBzZWNyZXQ="]
        )

    def test_login(self) -> None:
        """Where there is no PLAIN there is LOGIN, with literals for what cannot be quoted."""
        talk = Talk(
            {
                b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n",
                b"LOGIN": b"+ go on\r\n",
                'pä"'.encode(): b"n2 OK\r\n",
            }
        )
        reading = Reading(talk, account=Account("zoe", 'pä"')).talk_on()
        self.assertEqual(self.successResultOf(reading.done), 3)
        self.assertEqual(talk.asked[1:3], [b'n2 LOGIN "zoe" {4}', 'pä"'.encode()])

    def test_no_farewell(self) -> None:
        """A server that does not close is waited for no longer than a moment."""
        reading = Reading(Talk())
        reading.talk.answers = {b"LOGOUT": b"* BYE and more"}
        reading.wire.loseConnection, close = lambda: None, reading.wire.loseConnection  # type: ignore[method-assign]
        reading.talk_on()
        self.assertNoResult(reading.done)
        reading.reactor.advance(FAREWELL)
        reading.reactor.advance(0)
        self.assertEqual(self.successResultOf(reading.done), 3)
        self.assertEqual(reading.left(), (True, []))
        close()


class BadServers(SynchronousTestCase):
    def trouble(self, reading: Reading) -> str:
        """Return what is told of a server, after which nothing is left."""
        failure = self.failureResultOf(reading.done, TroubleError)
        self.assertEqual(reading.left(), (True, []))
        said = str(failure.value)
        self.assertTrue(said.startswith(WHO) and said.isprintable(), said)
        self.assertNotIn("secret", said)
        return said.removeprefix(WHO)

    def says(self, said: str, greeting: bytes = b"* OK ready\r\n", **answers: bytes) -> None:
        """Assert what is told of a server that answers so."""
        talk = Talk({name.encode(): answer for name, answer in answers.items()}, greeting)
        self.assertEqual(self.trouble(Reading(talk).talk_on()), said)

    def test_greetings(self) -> None:
        """A server that does not greet as one is told of."""
        self.says('does not want to talk: "too many"', b"* BYE too many\r\n")
        self.says("does not want to talk: it does not say why", b"* BYE\r\n")
        for greeting in (b"* NO no\r\n", b"* 3 EXISTS\r\n", b"+ go\r\n", b"n1 OK\r\n"):
            self.says("greets as no IMAP server does", greeting)
        self.says("sent a line that is not IMAP", b"SSH-2.0-OpenSSH_9.2\r\n")
        self.says("sent a line that is not IMAP", b"\x16\x03\x01\x1b[2J\r\n")
        self.says("sent a line that ends without CR", b"220 ready\n")

    def test_refusals(self) -> None:
        """What a server does not do is told in its words, made harmless and short."""
        self.says(
            'does not let "zoe" log in: "wrong \\x1b[31m"',
            AUTHENTICATE=b"TAG NO [X] wrong \x1b[31m\r\n",
        )
        self.says('does not open "INBOX": "no such mailbox"', EXAMINE=b"TAG NO no such mailbox\r\n")
        self.says('does not show the messages: "x"', FETCH=b"TAG BAD x\r\n")
        self.says('does not say what it can do: "x"', CAPABILITY=b"TAG BAD x\r\n")
        self.says(
            f'does not open "INBOX": "{"x" * 77}..."', EXAMINE=b"TAG NO " + b"x" * 9999 + b"\r\n"
        )
        self.says('ends the conversation: "idle"', EXAMINE=b"* BYE idle\r\n")
        self.says(
            'ends the conversation: "idle"', LOGIN=b"", CAPABILITY=b"* BYE [X] idle\r\nTAG OK\r\n"
        )

    def test_no_way_to_log_in(self) -> None:
        """Where LOGIN is disabled and there is no PLAIN no password is sent."""
        talk = Talk(
            {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI\r\nTAG OK\r\n"}
        )
        said = self.trouble(Reading(talk).talk_on())
        self.assertEqual(said, "offers no way of logging in, or none without TLS")
        self.assertEqual(len(talk.asked), 1)

    def test_out_of_order(self) -> None:
        """Answers to what nobody asked are no answers."""
        self.says("answers a command that was not given", AUTHENTICATE=b"n9 OK\r\n")
        self.says("waits for more of a command than there is", AUTHENTICATE=b"+ more\r\n")
        self.says('does not say how many messages are in "INBOX"', EXAMINE=b"TAG OK\r\n")

    def test_rubbish_in_answers(self) -> None:
        """Rubbish where something was to be said is told of."""
        self.says("sent a literal of more than 65536 bytes", FETCH=b"* 1 FETCH (X {2147483648}\r\n")
        self.says("sent a line of more than 65536 bytes", FETCH=b"* 1 FETCH (" + b"x" * 70_000)
        many = b"* 1 FETCH (X" + b" {60000}\r\n" + b"x" * 60_000 + b" {60000}\r\n" + b"x" * 60_000
        self.says("sent a response of more than 131072 bytes", FETCH=many + b" {60000}\r\n")
        self.says("sent a message that cannot be read", FETCH=b"* 1 FETCH x\r\n")
        self.says("sent lists more than 16 deep", CAPABILITY=b"* CAPABILITY " + b"(" * 99 + b"\r\n")

    def test_endless(self) -> None:
        """Endless responses end the conversation."""
        endless = b"* 1 EXISTS\r\n" * (RESPONSES + 1)
        self.says(f"sends more than {RESPONSES} responses to a command", EXAMINE=endless)

    def test_silence(self) -> None:
        """A server that says nothing, or half a line, has the timeout and no more."""
        for half in (b"", b"* O", b"* 1 FETCH (X {5}\r\nab"):
            reading = Reading(Talk())
            reading.hear(half)
            reading.reactor.advance(TIMEOUT - 0.1)
            self.assertNoResult(reading.done)
            reading.reactor.advance(0.2)
            reading.reactor.advance(0)
            self.assertEqual(self.trouble(reading), "said nothing for 30 s")

    def test_byte_by_byte(self) -> None:
        """Bytes that never come to a response do not put the end off."""
        reading = Reading(Talk())
        for _ in range(31):
            reading.hear(b"x")
            reading.reactor.advance(1)
        reading.reactor.advance(0)
        self.assertEqual(self.trouble(reading), "said nothing for 30 s")

    def test_closes(self) -> None:
        """A server that closes the connection is told of, wherever it does."""
        for said in (b"", b"* OK ready\r\n", b"* OK ready\r\n* CAPAB"):
            reading = Reading(Talk())
            reading.hear(said)
            reading.wire.loseConnection()
            reading.reactor.advance(0)
            self.assertEqual(self.trouble(reading), "closed the connection")

    def test_last_words(self) -> None:
        """What a server said before it closed the connection counts."""
        reading = Reading(Talk())
        reading.wire.loseConnection()
        reading.wire.protocol.dataReceived(b"* BYE overloaded\r\n")
        reading.reactor.advance(0)
        self.assertEqual(self.trouble(reading), 'does not want to talk: "overloaded"')

    def test_cancelled(self) -> None:
        """Whoever cancels is left with no connection."""
        reading = Reading(Talk())
        reading.hear(b"* OK ready\r\n")
        reading.done.cancel()
        reading.reactor.advance(0)
        self.failureResultOf(reading.done, CancelledError)
        self.assertEqual(reading.left(), (True, []))


class ServerTests(SynchronousTestCase):
    def test_ports(self) -> None:
        """Each way has the port that servers listen at."""
        self.assertEqual([each.port for each in Security], [993, 143, 143])

    def test_no_password_is_shown(self) -> None:
        """Whoever prints an account prints no password."""
        self.assertNotIn("secret", repr(Account("zoe", "secret")))
        self.assertIs(Server("a").security, Security.TLS)
