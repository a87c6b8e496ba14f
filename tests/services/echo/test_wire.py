"""What mode line answers (the line echo of the tutorials, row 3)."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.echo.wire import Conversation
from tests.net.splits import split, streams

_STREAMS = streams(b"\n", b"\r\n", b"\r", b"quit", b"x", b"\x00\x1b[2J", b"\xff", b"1234567890")


class ConversationTests(SynchronousTestCase):
    def test_line(self) -> None:
        """A line is answered by itself, ended by CRLF."""
        self.assertEqual(Conversation(80).answer(b"hello\r\n"), b"You said: hello\r\n")

    def test_newline_only(self) -> None:
        """A line that ends in LF is answered as well, in CRLF."""
        self.assertEqual(Conversation(80).answer(b"hello\n"), b"You said: hello\r\n")

    def test_many_lines_at_once(self) -> None:
        """Every line of one read has its answer, empty ones too."""
        self.assertEqual(
            Conversation(80).answer(b"a\n\nb\n"), b"You said: a\r\nYou said: \r\nYou said: b\r\n"
        )

    def test_unended_line(self) -> None:
        """A line is answered when its end comes."""
        conversation = Conversation(80)
        self.assertEqual(conversation.answer(b"hel"), b"")
        self.assertEqual(conversation.answer(b"lo\n"), b"You said: hello\r\n")

    def test_quit(self) -> None:
        """A quit is answered by Goodbye., and what follows it by nothing."""
        conversation = Conversation(80)
        self.assertEqual(
            conversation.answer(b"one\r\nquit\r\ntwo\r\n"), b"You said: one\r\nGoodbye.\r\n"
        )
        self.assertTrue(conversation.ended)
        self.assertEqual(conversation.answer(b"three\r\n"), b"")

    def test_quit_is_the_whole_line(self) -> None:
        """Only `quit` itself ends the talk."""
        conversation = Conversation(80)
        conversation.answer(b"quit \nquite\nQUIT\n quit\n")
        self.assertFalse(conversation.ended)

    def test_too_long(self) -> None:
        """A line over the limit is told so, after the answers to those before it, and that ends it."""
        conversation = Conversation(5)
        self.assertEqual(
            conversation.answer(b"12345\n123456"),
            b"You said: 12345\r\nThat line is too long: 5 bytes are the most.\r\n",
        )
        self.assertTrue(conversation.ended)
        self.assertEqual(conversation.answer(b"\n1\n"), b"")

    def test_bytes_of_every_kind(self) -> None:
        """NUL, escape sequences and bytes that are no text go back to their peer as they came."""
        self.assertEqual(
            Conversation(80).answer(b"\x00\x1b[2J\xff\xfe\x9b\n"),
            b"You said: \x00\x1b[2J\xff\xfe\x9b\r\n",
        )

    @settings(deadline=None, max_examples=100)
    @given(_STREAMS, st.data())
    def test_any_split(self, stream: bytes, data: st.DataObject) -> None:
        """Any split of the same bytes gets the same answers."""
        whole, parts = Conversation(12), Conversation(12)
        answers = b"".join(map(parts.answer, split(stream, data.draw)))
        self.assertEqual(answers, whole.answer(stream))
        self.assertEqual(parts.ended, whole.ended)
