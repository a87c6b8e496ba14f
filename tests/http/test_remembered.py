"""What is remembered depends on its key alone, is bounded, and is gone after its second."""

from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.framing import InvalidResponseError
from netkit.http.limits import Limits
from netkit.http.messages import RequestHead, Response, Takeover
from netkit.http.remembered import (
    ANSWER_BYTES,
    HEAD_BYTES,
    HEADS,
    NAMES,
    Ready,
    Remembered,
)
from netkit.http.sections import RefusedError

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def _ready(octets: bytes = b"") -> Ready:
    return Ready(octets, RequestHead(method=b"GET", target=b"/"), 200, len(octets))


class OneSecond(SynchronousTestCase):
    """What a server remembers within a second."""

    def setUp(self) -> None:
        self.remembered = Remembered(Limits())
        self.remembered.begin(0.0)

    def test_heads(self) -> None:
        """The same bytes are the same head, until the second is over."""
        head = self.remembered.head(GET)
        self.assertIs(self.remembered.head(GET), head)
        self.remembered.begin(1.0)
        self.assertEqual(self.remembered.heads, {})
        self.assertEqual(self.remembered.head(GET), head)

    def test_heads_that_are_not_kept(self) -> None:
        """A head with a body, a long one and a refused one are not remembered."""
        for fields in (
            b"Content-Length: 1",
            b"Transfer-Encoding: chunked",
            b"a: " + b"b" * HEAD_BYTES,
        ):
            self.remembered.head(GET[:-2] + fields + b"\r\n\r\n")
        self.assertRaises(RefusedError, self.remembered.head, b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(self.remembered.heads, {})

    def test_number_of_heads(self) -> None:
        """No more heads are kept than the limit, and those beyond it are read all the same."""
        for number in range(HEADS + 1):
            head = self.remembered.head(GET.replace(b"/ ", b"/%d " % number))
        self.assertEqual(head.target, b"/%d" % HEADS)
        self.assertEqual(len(self.remembered.heads), HEADS)

    def test_openings(self) -> None:
        """First lines say when they were made, in the time of their second."""
        response = Response(200, ((b"X", b"y"),))
        lines = self.remembered.opening(response)
        self.assertIn(b"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", lines)
        self.assertIs(self.remembered.opening(Response(200, ((b"X", b"y"),), b"other")), lines)
        self.assertNotEqual(self.remembered.opening(Response(404, ((b"X", b"y"),))), lines)
        self.remembered.begin(1.0)
        self.assertIn(b" 00:00:01 GMT", self.remembered.opening(response))

    def test_upgrades(self) -> None:
        """What only an upgrade may say is not remembered for a response that is none."""
        fields = ((b"Connection", b"upgrade"),)
        self.remembered.opening(Response(101, fields, Takeover(Protocol())))
        self.assertRaises(InvalidResponseError, self.remembered.opening, Response(101, fields))

    def test_long_openings(self) -> None:
        """Long ones, as a server behind a proxy may send them, are not kept."""
        response = Response(200, ((b"X", b"y" * HEAD_BYTES),))
        self.assertIsNot(self.remembered.opening(response), self.remembered.opening(response))
        self.assertEqual(self.remembered._openings, {})

    def test_number_of_openings(self) -> None:
        """No more first lines are kept than the limit."""
        for number in range(HEADS + 1):
            response = Response(200, ((b"X", b"%d" % number),))
            lines = self.remembered.opening(response)
        self.assertIn(b"X: %d\r\n" % HEADS, lines)
        self.assertEqual(len(self.remembered._openings), HEADS)

    def test_answers(self) -> None:
        """Answers are kept for the name that the client gave, until the second is over."""
        answers = self.remembered.answers("a")
        self.remembered.keep(answers, GET, _ready())
        self.assertEqual(self.remembered.answers("a"), {GET: _ready()})
        self.assertEqual(self.remembered.answers("b"), {})
        self.assertEqual(self.remembered.answers(None), {})
        self.remembered.begin(1.0)
        self.assertEqual(answers, {})
        self.assertIs(self.remembered.answers("a"), answers)

    def test_number_of_names(self) -> None:
        """Beyond the limit a name has no answers of its own, nor those of another."""
        for number in range(NAMES):
            self.remembered.answers(f"{number}")
        one = self.remembered.answers("one more")
        self.remembered.keep(one, GET, _ready())
        self.assertEqual(self.remembered.answers("one more"), {})
        self.assertEqual(self.remembered.answers("0"), {})
        self.assertEqual(len(self.remembered._answers), NAMES)

    def test_size_of_answers(self) -> None:
        """Answers have a size together, which is free again in the next second."""
        answers = self.remembered.answers(None)
        large = _ready(bytes(ANSWER_BYTES - len(GET)))
        self.remembered.keep(answers, b"x" * (HEAD_BYTES + 1), _ready())
        self.assertEqual(answers, {})
        self.remembered.keep(answers, GET, large)
        self.remembered.keep(answers, b"x", _ready())
        self.assertEqual([*answers], [GET])
        self.remembered.begin(1.0)
        self.remembered.keep(answers, b"x", _ready())
        self.assertEqual([*answers], [b"x"])
