"""What a client says, and what it and the others hear of it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.nats.grammar import SERVER, Grammar
from netkit.services.pubsub.nats.session import Common, Session, State
from netkit.services.pubsub.nats.wire import Reader
from netkit.services.pubsub.permissions import Permissions, Rules
from netkit.services.pubsub.subscriptions import Subscription
from tests.services.pubsub.ears import Ear

_QUIET = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n'


class _Client(Ear):
    """A receiver with a session of its own."""

    def __init__(self, broker: Broker, *, stranger: bool = False, most: int = 1000) -> None:
        super().__init__()
        self.broker = broker
        self.session = Session(broker, self, stranger=stranger, common=Common(most))
        self.reader = Reader(Grammar(SERVER))

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Pass it on."""
        self.session.forget(subscription)

    def say(self, data: bytes) -> bytes:
        """Say `data`, and return what comes of it."""
        self.session.hear(self.reader.feed(data))
        self.broker.settle()
        return self.take()

    def take(self) -> bytes:
        """Return what has come since the last time."""
        heard = b"".join(self.heard)
        self.heard.clear()
        return heard


class SessionTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Start with nobody."""
        self.broker = Broker()

    def client(self, most: int = 1000) -> _Client:
        """Return a client that has said CONNECT."""
        client = _Client(self.broker, most=most)
        self.assertEqual(client.say(_QUIET), b"")
        return client


class MessagesTests(SessionTestCase):
    def test_publish(self) -> None:
        """Who has subscribed gets the messages under its own sid, the publisher too."""
        one, two = self.client(), self.client()
        two.say(b"SUB a.* 7\r\nSUB b 8\r\n")
        said = b"SUB a.b 1\r\nPUB a.b 2\r\nhi\r\nPUB a.b re 0\r\n\r\nPING\r\n"
        self.assertEqual(one.say(said), b"MSG a.b 1 2\r\nhi\r\nMSG a.b 1 re 0\r\n\r\nPONG\r\n")
        self.assertEqual(two.take(), b"MSG a.b 7 2\r\nhi\r\nMSG a.b 7 re 0\r\n\r\n")

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(1, 200), max_size=6))
    def test_any_split(self, cuts: list[int]) -> None:
        """Wherever the bytes are cut, the same is heard."""
        said = (
            b"SUB a q 1\r\nSUB > 2\r\nPUB a 3\r\nabc\r\nHPUB b 12 13\r\nNATS/1.0\r\n\r\nx\r\nPING\r\n"
            b"PUB a 3\r\ndef\r\nUNSUB 1\r\nPUB a 1\r\nx\r\nPUB nobody here 0\r\n\r\n"
        )
        self.broker = Broker()
        whole = self.client().say(said)
        self.broker = Broker()
        client = self.client()
        heard = b""
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(said)], strict=True):
            heard += client.say(said[start:end])
        self.assertEqual(sorted(heard.split(b"\r\n")), sorted(whole.split(b"\r\n")))

    def test_unsubscribe(self) -> None:
        """UNSUB ends a subscription, at once or after so many messages; then its sid is free."""
        client = self.client()
        client.say(b"SUB a 1\r\nSUB a 2\r\nUNSUB 1\r\nUNSUB 2 2\r\nUNSUB 9\r\n")
        said = b"PUB a 1\r\nx\r\n" * 3
        self.assertEqual(client.say(said), b"MSG a 2 1\r\nx\r\n" * 2)
        self.assertEqual((len(client.session), len(self.broker.interest)), (0, 0))
        client.say(b"SUB b 2\r\n")
        self.assertEqual(client.say(b"PUB b 0\r\n\r\n"), b"MSG b 2 0\r\n\r\n")

    def test_same_sid(self) -> None:
        """A second SUB with a sid that is taken is passed over."""
        client = self.client()
        client.say(b"SUB a 1\r\nSUB b 1\r\n")
        self.assertEqual(client.say(b"PUB b 0\r\n\r\nPUB a 0\r\n\r\n"), b"MSG a 1 0\r\n\r\n")

    def test_no_echo(self) -> None:
        """With `echo` false a client does not hear itself; others hear it."""
        one, two = _Client(self.broker), self.client()
        one.say(b'CONNECT {"verbose":false,"echo":false}\r\nSUB a 1\r\n')
        two.say(b"SUB a 1\r\n")
        self.assertEqual(one.say(b"PUB a 1\r\nx\r\n"), b"")
        self.assertEqual(two.take(), b"MSG a 1 1\r\nx\r\n")

    def test_headers(self) -> None:
        """Headers reach who takes them; the others get the message without."""
        one, two = self.client(), _Client(self.broker)
        one.say(b"SUB a 1\r\n")
        two.say(b'CONNECT {"verbose":false}\r\nSUB a 1\r\n')
        block = b"NATS/1.0\r\nA: b\r\n\r\n"
        heard = one.say(b"HPUB a re %d %d\r\n%bx\r\n" % (len(block), len(block) + 1, block))
        self.assertEqual(heard, b"HMSG a 1 re 18 19\r\n%bx\r\n" % block)
        self.assertEqual(two.take(), b"MSG a 1 re 1\r\nx\r\n")

    def test_headers_of_who_has_none(self) -> None:
        """HPUB from a client that did not say that it has headers ends its session."""
        client = _Client(self.broker)
        client.say(b'CONNECT {"verbose":false}\r\n')
        heard = client.say(b"HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n")
        self.assertEqual(heard, b"-ERR 'Unknown Protocol Operation'\r\n")
        self.assertIs(client.session.state, State.OVER)

    def test_no_responders(self) -> None:
        """A request that nobody is there to answer is answered at once, to who asked for that."""
        one, two = self.client(), _Client(self.broker)
        two.say(b'CONNECT {"verbose":false,"headers":true}\r\nSUB inbox.> 5\r\n')
        one.say(b"SUB inbox.* 3\r\n")
        heard = one.say(b"PUB $JS.API.INFO inbox.1 0\r\n\r\n")
        self.assertEqual(heard, b"HMSG inbox.1 3 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")
        self.assertEqual(two.take(), b"")
        self.assertEqual(two.say(b"PUB service inbox.1 0\r\n\r\n"), b"")
        two.say(b"SUB service 6\r\n")
        self.assertEqual(one.say(b"PUB service inbox.1 0\r\n\r\n"), b"")

    def test_end(self) -> None:
        """A session that ends leaves nothing behind."""
        client = self.client()
        client.say(b"SUB a 1\r\nSUB a.> 2\r\nSUB b q 3\r\nUNSUB 3 4\r\n")
        client.session.end()
        self.assertEqual(len(self.broker.interest), 0)


class MannersTests(SessionTestCase):
    def test_verbose(self) -> None:
        """A client is verbose until it says otherwise: every line but PING is answered by +OK."""
        client = _Client(self.broker)
        self.assertEqual(client.say(b"SUB a 1\r\nPING\r\n"), b"+OK\r\nPONG\r\n")
        self.assertEqual(client.say(b'CONNECT {"verbose":true}\r\n'), b"+OK\r\n")
        self.assertEqual(client.say(b"SUB a 1\r\nUNSUB 1\r\n"), b"+OK\r\n+OK\r\n")
        self.assertEqual(client.say(b"PUB a 0\r\n\r\nPUB a 0\r\n\r\n"), b"+OK\r\n+OK\r\n")

    def test_pedantic(self) -> None:
        """Of a message to what is no subject only a pedantic client is told; both stay."""
        one, two = self.client(), _Client(self.broker)
        two.say(b'CONNECT {"verbose":false,"pedantic":true}\r\n')
        said = b"PUB a..b 0\r\n\r\nPING\r\n"
        self.assertEqual(one.say(said), b"PONG\r\n")
        self.assertEqual(two.say(said), b"-ERR 'Invalid Publish Subject'\r\nPONG\r\n")

    def test_bad_subscription(self) -> None:
        """What cannot be subscribed to is refused, and the client stays."""
        client = self.client()
        self.assertEqual(
            client.say(b"SUB a..b 1\r\nPING\r\n"), b"-ERR 'Invalid Subject'\r\nPONG\r\n"
        )

    def test_no_responders_without_headers(self) -> None:
        """Who asks for answers in headers and takes no headers is refused."""
        client = _Client(self.broker)
        heard = client.say(b'CONNECT {"no_responders":true}\r\nPING\r\n')
        self.assertEqual(heard, b"-ERR 'no responders requires headers support'\r\n")

    def test_unknown(self) -> None:
        """After what is no verb nothing is heard any more."""
        client = self.client()
        heard = client.say(b"PING\r\nGET / HTTP/1.1\r\nPING\r\n")
        self.assertEqual(heard, b"PONG\r\n-ERR 'Unknown Protocol Operation'\r\n")
        self.assertIs(client.session.state, State.OVER)

    def test_too_many_subscriptions(self) -> None:
        """One subscription too many is refused, and the others stay; one that ended makes room."""
        client = self.client(most=2)
        client.say(b"SUB a 1\r\nSUB b 2\r\nUNSUB 1\r\nSUB c 3\r\nSUB c 3\r\nPING\r\n")
        heard = client.say(b"SUB d 4\r\nPUB d 0\r\n\r\nPUB c 0\r\n\r\n")
        self.assertEqual(heard, b"-ERR 'maximum subscriptions exceeded'\r\nMSG c 3 0\r\n\r\n")
        self.assertEqual(client.say(b"UNSUB 2\r\nSUB d 5\r\nPING\r\n"), b"PONG\r\n")
        self.assertEqual(len(client.session), 2)

    def test_no_room(self) -> None:
        """Who finds no room beside the subscriptions of others is told so, and stays."""
        client = self.client()
        client.session = Session(
            self.broker, client, common=Common(room=lambda: len(self.broker.interest) < 1)
        )
        client.say(_QUIET)
        said = b"SUB a 1\r\nSUB b 2\r\nSUB a 1\r\nUNSUB 1\r\nSUB c 3\r\nPING\r\n"
        self.assertEqual(client.say(said), b"-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n")
        self.assertEqual(list(self.broker.interest.wanted()), [(b"c", b"")])

    def test_storm(self) -> None:
        """Whoever comes and goes a hundred thousand times leaves nothing behind."""
        client = self.client()
        client.say(b"".join(b"SUB a.%d 1\r\nUNSUB 1\r\n" % number for number in range(20_000)))
        client.say(b"".join(b"SUB a 1 %d\r\nUNSUB %d\r\n" % (n, n) for n in range(20_000)))
        self.assertEqual((len(client.session), len(self.broker.interest)), (0, 0))


class LoginTests(SessionTestCase):
    def test_stranger(self) -> None:
        """Who has to log in may say nothing before."""
        client = _Client(self.broker, stranger=True)
        self.assertEqual(client.say(b"PING\r\n"), b"-ERR 'Authorization Violation'\r\n")
        self.assertIs(client.session.state, State.OVER)

    def test_waiting(self) -> None:
        """What a client says behind its CONNECT waits until it is admitted."""
        client = _Client(self.broker, stranger=True)
        self.assertEqual(client.say(_QUIET + b"SUB a 1\r\n"), b"")
        self.assertIs(client.session.state, State.ASKING)
        self.assertEqual(client.say(b"PUB a 0\r\n\r\nPING\r\n"), b"")
        client.session.admit(Permissions())
        self.broker.settle()
        self.assertEqual(client.take(), b"MSG a 1 0\r\n\r\nPONG\r\n")

    def test_permissions(self) -> None:
        """Nobody publishes or subscribes to what they may not; they are told, and stay."""
        client = _Client(self.broker, stranger=True)
        client.say(_QUIET)
        client.session.admit(Permissions(Rules((b"a.>",)), Rules((b"a.>", b"b"), (b"a.secret",))))
        heard = client.say(b"PUB b 0\r\n\r\nSUB c 1\r\nSUB c q 2\r\nSUB a.> 3\r\nPING\r\n")
        self.assertEqual(
            heard,
            b"-ERR 'Permissions Violation for Publish to \"b\"'\r\n"
            b"-ERR 'Permissions Violation for Subscription to \"c\"'\r\n"
            b'-ERR \'Permissions Violation for Subscription to "c" using queue "q"\'\r\n'
            b"PONG\r\n",
        )
        said = b"PUB a.open 0\r\n\r\nPUB a.secret 0\r\n\r\n"
        self.assertEqual(client.say(said), b"MSG a.open 3 0\r\n\r\n")
