"""A request goes on and its answer comes back, as a whole or in pieces, and neither without the other."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Answer, AskError, Problem
from netkit.http.messages import Request, Response, ResponseHead, Stream
from netkit.net.tunnel import TunnelLimits, Tunnels
from netkit.services.proxy.passing import onward, refusal
from netkit.services.proxy.relay import Errand, Relay
from tests.http.fakes import PEER, ClosingTransport, Visit
from tests.services.proxy.fakes import Connection, NoWay, Server, Slow

NAME = "netkit-a1"
UPGRADE = "GET /chat HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: chat\n\n"


class Relaying(SynchronousTestCase):
    """A client, a relay, and a server at the end of one way."""

    def setUp(self) -> None:
        """Connect the client."""
        self.server = Server()
        tunnels = Tunnels(TunnelLimits(), Clock())
        self.relay = Relay(self.server, tunnels, NAME)
        self.transport = ClosingTransport(peerAddress=PEER)
        self.visit = Visit(self.handle, self.transport)

    def handle(self, request: Request) -> Deferred[Response]:
        """Pass the request on as it is."""
        headers = ((b"Host", b"server"), *onward(request.head, NAME))
        errand = Errand(method=request.method, way=NoWay(), target=request.target, headers=headers)
        return self.relay.pass_on(request, errand).addCallbacks(
            self.relay.response, self.refused, callbackArgs=(request.head,)
        )

    def refused(self, failure: Failure) -> Response:
        """Say why there is no answer."""
        failure.trap(AskError)
        assert isinstance(failure.value, AskError)
        return refusal(failure.value, NAME)

    def send(self, text: str) -> None:
        """Let the client send `text`."""
        self.visit.send(text.replace("\n", "\r\n").encode())

    @property
    def sent(self) -> bytes:
        """What the client was sent."""
        sent: bytes = self.visit.transport.value()
        return sent


class Whole(Relaying):
    """Messages that are there at once."""

    def test_get(self) -> None:
        """A request is written anew, and its answer comes back with Via and a length of our own."""
        self.send("GET /a?b HTTP/1.1\nHost: client\nX-A: 1\nConnection: x-b\nX-B: 2\n\n")
        asked = self.server.asked[0]
        self.assertEqual(
            b"GET /a?b HTTP/1.1\r\nHost: server\r\nX-A: 1\r\nVia: 1.1 netkit-a1\r\n",
            asked.question.opening,
        )
        asked.answer(
            203, (b"X-C", b"1"), (b"X-C", b"2"), (b"Keep-Alive", b"timeout=5"), body=b"hello"
        )
        answer = self.visit.answer()
        self.assertEqual((203, b"hello"), (answer.status, answer.body))
        self.assertEqual(["1", "2"], answer.headers.get_all("X-C"))
        self.assertEqual("1.1 netkit-a1", answer.headers["Via"])
        self.assertNotIn("Keep-Alive", answer.headers)

    def test_again(self) -> None:
        """The connection serves the next request, which may be the same."""
        for body in (b"one", b"two"):
            self.visit.transport.clear()
            self.send("GET / HTTP/1.1\nHost: a\n\n")
            self.server.asked[-1].answer(body=body)
            self.assertEqual(body, self.visit.answer().body)

    def test_login_of_a_connection(self) -> None:
        """A connection that a request logs in is nobody else's afterwards."""
        self.send("GET / HTTP/1.1\nHost: a\nAuthorization: NTLM TlRM\n\n")
        self.assertTrue(self.server.asked[0].question.last)

    def test_head(self) -> None:
        """The answer to a HEAD says the length that the server says, and has no body."""
        self.send("HEAD / HTTP/1.1\nHost: a\n\n")
        self.server.asked[0].answer(200, (b"content-length", b"1234"))
        self.assertIn(b"Content-Length: 1234\r\n", self.sent)
        self.assertTrue(self.sent.endswith(b"\r\n\r\n"))

    def test_not_modified(self) -> None:
        """A 304 goes back without a length or a body."""
        self.send('GET / HTTP/1.1\nHost: a\nIf-None-Match: "x"\n\n')
        self.server.asked[0].answer(304, (b"ETag", b'"x"'))
        self.assertIn(b'ETag: "x"\r\n', self.sent)
        self.assertNotIn(b"Content-Length", self.sent)

    def test_refused(self) -> None:
        """Where there is no answer the client gets a page that says why, and the connection stays."""
        self.send("GET / HTTP/1.1\nHost: a\n\n")
        error = AskError(Problem.HTTP_RESPONSE_TIMEOUT, "10.0.0.1:80 said nothing")
        self.server.asked[0].coming.errback(error)
        answer = self.visit.answer()
        self.assertEqual(504, answer.status)
        self.assertEqual("netkit-a1; error=http_response_timeout", answer.headers["Proxy-Status"])
        self.assertFalse(self.visit.transport.disconnecting)

    def test_client_leaves(self) -> None:
        """A client that leaves takes its question back."""
        self.send("GET / HTTP/1.1\nHost: a\n\n")
        self.visit.leave()
        self.assertTrue(self.server.asked[0].left)
        self.assertEqual([499], [each.status for each in self.visit.exchanges])

    def test_interim(self) -> None:
        """A 103 goes on to the client before the answer, without fields of the hop."""
        self.send("GET / HTTP/1.1\nHost: a\n\n")
        inform = self.server.asked[0].question.informed
        assert inform is not None
        hints = (b"Link", b"</a.css>; rel=preload")
        inform(ResponseHead(status=103, headers=(hints, (b"Connection", b"close"))))
        self.assertTrue(self.sent.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>;"))
        self.assertNotIn(b"close", self.sent)
        self.visit.transport.clear()
        self.server.asked[0].answer(body=b"x")
        self.assertEqual(b"x", self.visit.answer().body)

    def test_interim_for_the_old(self) -> None:
        """A client of HTTP/1.0 knows no interim response."""
        self.send("GET / HTTP/1.0\n\n")
        inform = self.server.asked[0].question.informed
        assert inform is not None
        inform(ResponseHead(status=103))
        self.assertEqual(b"", self.sent)


class Streamed(Relaying):
    """Bodies that take their time."""

    def answered(self, stream: Slow, status: int = 200) -> None:
        """Let the answer begin."""
        head = ResponseHead(status=status, length=stream.length)
        self.server.asked[-1].coming.callback(Answer(head=head, body=stream))

    def test_pieces(self) -> None:
        """Each piece goes on as it comes."""
        self.send("GET / HTTP/1.1\nHost: a\n\n")
        stream = Slow()
        self.answered(stream)
        stream.give(b"one")
        self.assertTrue(self.sent.endswith(b"3\r\none\r\n"))
        stream.give(None)
        self.assertEqual(b"one", self.visit.answer().body)
        self.assertTrue(stream.closed)

    def test_cut(self) -> None:
        """An answer that is cut short ends in an abort, not in what looks like its end."""
        self.send("GET / HTTP/1.1\nHost: a\n\n")
        stream = Slow()
        self.answered(stream)
        stream.give(b"one")
        stream.cut()
        self.assertTrue(self.transport.disconnected)
        self.assertFalse(self.sent.endswith(b"0\r\n\r\n"))
        self.assertTrue(stream.closed)

    def test_client_leaves(self) -> None:
        """A client that leaves in the middle closes the stream."""
        self.send("GET / HTTP/1.1\nHost: a\n\n")
        stream = Slow(10)
        self.answered(stream)
        stream.give(b"one")
        self.visit.leave()
        self.assertTrue(stream.closed)

    def test_upload(self) -> None:
        """A body goes on with its length, and is asked for by the server's side."""
        self.send("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-continue\n\n")
        question = self.server.asked[0].question
        assert not isinstance(question.body, bytes)
        self.assertEqual((3, True), (question.body.length, question.expects))
        self.assertEqual(b"", self.sent)
        first = Deferred.fromCoroutine(_first(question.body))
        self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", self.sent)
        self.visit.send(b"abc")
        self.assertEqual(b"abc", self.successResultOf(first))
        self.server.asked[0].answer(201)
        self.assertIn(b"HTTP/1.1 201 Created\r\n", self.sent)


async def _first(body: Stream) -> bytes:
    return await anext(body.__aiter__())


class Upgraded(Relaying):
    """What is no HTTP any more."""

    def upgraded(self) -> tuple[ClosingTransport, Connection, list[IProtocol]]:
        """Let the server take the upgrade; return its connection, and what it is handed to."""
        transport = ClosingTransport()
        successors: list[IProtocol] = []

        def hand_over(successor: IProtocol) -> None:
            successors.append(successor)
            successor.makeConnection(transport)
            successor.dataReceived(b"early")

        self.send(UPGRADE)
        connection = Connection(hand_over)
        head = ResponseHead(
            status=101, headers=((b"Upgrade", b"chat"), (b"Connection", b"upgrade"))
        )
        self.server.asked[0].coming.callback(Answer(head=head, body=connection))
        return transport, connection, successors

    def test_joined(self) -> None:
        """The two connections are one from there on, and nothing that came early is lost."""
        transport, _, successors = self.upgraded()
        self.assertEqual(b"chat", self.server.asked[0].question.upgrade)
        self.assertTrue(self.sent.startswith(b"HTTP/1.1 101 Switching Protocols\r\n"))
        self.assertIn(b"Connection: Upgrade\r\nUpgrade: chat\r\n\r\nearly", self.sent)
        self.visit.send(b"to the server")
        self.assertEqual(b"to the server", transport.value())
        self.visit.transport.clear()
        successors[0].dataReceived(b"to the client")
        self.assertEqual(b"to the client", self.sent)
