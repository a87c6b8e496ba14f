"""NATS over WebSockets: the protocol is the same as on a connection, and so are its limits."""

import json
import zlib

from wsproto.events import CloseConnection, Ping

from netkit.services.pubsub import settings as service
from netkit.services.pubsub.live.settings import Allowed, Settings
from tests.http.fakes import ClosingTransport, NarrowTransport
from tests.http.sockets import frame
from tests.services.pubsub.live.mounted import Browser, LiveCase

_CONNECT = b'CONNECT {"verbose":false,"pedantic":false}\r\n'


class SocketCase(LiveCase):
    def browse(self, target: str = "/live/ws", *fields: str) -> Browser:
        """Return a WebSocket that is open."""
        return Browser(self.visit(), target, *fields)

    def joined(self, *said: bytes) -> Browser:
        """Return a WebSocket whose client has introduced itself and said so much."""
        browser = self.browse()
        browser.say(_CONNECT, *said, b"PING\r\n")
        self.assertTrue(browser.heard().endswith(b"PONG\r\n"))
        return browser


class NatsTests(SocketCase):
    def test_info_first(self) -> None:
        """The first message is INFO, at the mount itself too, with nothing about TLS."""
        for target in ("/live/ws", "/live", "/live/"):
            browser = self.browse(target)
            self.assertEqual(browser.status, 101)
            heard = browser.heard()
            self.assertTrue(heard.startswith(b"INFO {") and heard.endswith(b"}\r\n"))
            info = json.loads(heard[5:])
            self.assertEqual((info["client_ip"], info["headers"]), ("192.0.2.7", True))
            self.assertNotIn("tls_required", info)

    def test_both_ways(self) -> None:
        """A browser hears everybody, and everybody hears it."""
        events = self.listen("subject=a.b&format=text")
        browser = self.joined(b"SUB a.* 1\r\n")
        browser.say(b"PUB a.b 5\r\nhello\r\n")
        self.publish(b"by post")
        self.assertEqual(browser.heard(), b"MSG a.b 1 5\r\nhello\r\nMSG a.b 1 7\r\nby post\r\n")
        self.assertIn(b"data: hello\n", events.transport.value())

    def test_any_split(self) -> None:
        """Messages end anywhere, are text or binary, whole or in fragments."""
        said = b"SUB a 1\r\nPUB a 2\r\nhi\r\n" * 2
        for size in (1, 2, 3, 7):
            browser = self.joined()
            browser.say(*(said[at : at + size] for at in range(0, len(said), size)))
            self.assertIn(b"MSG a 1 2\r\nhi\r\n", browser.heard())
        browser = self.joined()
        browser.send(frame(0x81, b"SUB a 1\r\n"))
        browser.send(frame(0x02, b"PUB a 2\r") + frame(0x00, b"\nh") + frame(0x80, b"i\r\n"))
        self.assertEqual(browser.heard(), b"MSG a 1 2\r\nhi\r\n")

    def test_one_frame_for_many(self) -> None:
        """What many browsers get is framed once."""
        transports = [ClosingTransport(), ClosingTransport()]
        written: list[list[bytes]] = [[], []]
        for transport, pieces in zip(transports, written, strict=True):
            browser = Browser(self.visit(transport))
            browser.say(_CONNECT, b"SUB a.b 1\r\n")
            transport.write = pieces.append  # type: ignore[method-assign]
        self.publish(b"x" * 1000)
        self.assertEqual(len(written[0]), 1)
        self.assertIs(written[0][0], written[1][0])

    def test_leaving(self) -> None:
        """A browser that closes, or is lost, has no subscriptions any more."""
        closing = self.joined(b"SUB a 1\r\n")
        lost = self.joined(b"SUB a 1\r\n")
        self.assertEqual(self.pubsub.figures().subscriptions, 2)
        closing.send(closing.client.send(CloseConnection(1000)))
        self.assertEqual(closing.ended(), 1000)
        lost.visit.leave(cleanly=False)
        self.assertEqual(self.pubsub.figures().subscriptions, 0)
        self.assertEqual(self.pubsub.figures().connections, 0)

    def test_refused(self) -> None:
        """Who breaks the rules of NATS is told so, and closed; who is too many as well."""
        browser = self.joined()
        browser.say(b"RUBBISH\r\n")
        heard = browser.take()
        self.assertIn(b"-ERR 'Unknown Protocol Operation'\r\n", bytes(heard[0].data))  # type: ignore[attr-defined]
        self.assertIsInstance(heard[-1], CloseConnection)
        self.assertEqual(self.pubsub.figures().connections, 0)
        self.serve(shown=service.Settings(clients=1))
        self.joined()
        self.assertIn(b"-ERR 'maximum connections exceeded'", self.browse().heard())

    def test_the_end(self) -> None:
        """WebSockets end as the service stops, or the site."""
        browser = self.joined()
        self.pubsub.stopService()
        self.assertIn(b'"ldm":true', browser.heard())
        self.clock.pump([0.1] * 60)
        self.assertEqual(browser.ended(), 1000)
        self.serve()
        browser = self.joined()
        self.site.stopService()
        self.assertEqual(browser.ended(), 1001)
        self.assertEqual(self.browse().status, 503)

    def test_switched_off(self) -> None:
        """There are none where the mount has none."""
        self.serve(Settings(websocket=False))
        self.assertEqual(self.browse().status, 404)
        self.assertEqual(self.browse("/live").status, 404)


class PermissionTests(SocketCase):
    def test_the_mounts(self) -> None:
        """The rules of the mount hold for NATS too, together with the service's."""
        table = service.PermissionsTable(subscribe=service.RulesTable(deny=("a.x",)))
        self.serve(
            Settings(publish=Allowed(allow=("a.>",)), subscribe=Allowed(allow=("a.>",))),
            service.Settings(permissions={"*": table}),
        )
        browser = self.joined(b"SUB a.> 1\r\n")
        browser.say(b"SUB b 2\r\n")
        self.assertIn(b'Permissions Violation for Subscription to "b"', browser.heard())
        browser.say(b"PUB b 1\r\nx\r\n")
        self.assertIn(b'Permissions Violation for Publish to "b"', browser.heard())
        browser.say(b"PUB a.x 1\r\nx\r\nPUB a.y 1\r\nx\r\n")
        self.assertEqual(browser.heard(), b"MSG a.y 1 1\r\nx\r\n")

    def test_logins(self) -> None:
        """Where the service asks for logins, a browser has to log in as any client."""
        self.serve(shown=service.Settings(certificate_users=("alice",)))
        browser = self.browse()
        self.assertIn(b'"auth_required":true', browser.heard())
        browser.say(_CONNECT, b"PING\r\n")
        self.assertIn(b"-ERR 'Authorization Violation'\r\n", browser.heard())

    def test_foreign_pages(self) -> None:
        """A foreign page opens none, unless its origin is named."""
        self.assertEqual(self.browse("/live/ws", "Origin: http://test").status, 101)
        self.assertEqual(self.browse("/live/ws", "Origin: https://evil.example").status, 403)
        self.serve(Settings(origins=("https://app.example.org",)))
        self.assertEqual(self.browse("/live/ws", "Origin: https://app.example.org").status, 101)


class BadFrameTests(SocketCase):
    def setUp(self) -> None:
        """Show a service with short messages."""
        self.serve(shown=service.Settings(nats=service.Nats(max_payload=1000)))

    def test_against_the_rules(self) -> None:
        """Frames that are not masked, compressed, or of no known sort end the connection."""
        bomb = zlib.compress(bytes(10_000_000))
        for name, data, code in (
            ("not masked", frame(0x82, b"PING\r\n", mask=None), 1002),
            ("compressed", frame(0xC2, bomb), 1002),
            ("no such opcode", frame(0x83, b"x"), 1002),
            ("a fragment of nothing", frame(0x80, b"x"), 1002),
            ("no UTF-8", frame(0x81, b"\xff\xfe"), 1007),
        ):
            with self.subTest(name):
                browser = self.joined(b"SUB a 1\r\n")
                browser.send(data)
                self.assertEqual(browser.ended(), code)
                self.assertEqual(self.pubsub.figures().subscriptions, 0)

    def test_many_in_one(self) -> None:
        """A message of WebSocket may hold any number of NATS's, and is never kept as a whole."""
        browser = self.joined(b"SUB b 1\r\n")
        said = b"PUB a 1000\r\n%b\r\n" % bytes(1000) * 3000 + b"PUB b 2\r\nhi\r\n"
        sent = frame(0x82, said)
        for at in range(0, len(sent), 65_536):
            browser.send(sent[at : at + 65_536])
        self.assertEqual(browser.heard(), b"MSG b 1 2\r\nhi\r\n")
        self.assertEqual(self.pubsub.figures().in_messages, 3001)

    def test_nothing_more(self) -> None:
        """A message that announces much and never comes costs what has come, and ends in time."""
        browser = self.joined()
        browser.send(frame(0x82, bytes(100_000))[:14])
        self.clock.pump([1] * 50)
        self.assertTrue(browser.visit.transport.disconnecting)

    def test_rubbish(self) -> None:
        """A message without an end that is no NATS is refused as soon as that is seen."""
        browser = self.joined()
        browser.send(b"\x82\xff" + (2**40).to_bytes(8, "big") + bytes(4) + b"x" * 5000)
        self.assertIn(b"-ERR 'maximum control line exceeded'\r\n", browser.heard())

    def test_a_long_payload(self) -> None:
        """A message that fits but whose payload is too long is NATS's to refuse."""
        browser = self.joined()
        browser.say(b"PUB a 1001\r\n")
        self.assertIn(b"-ERR 'Maximum Payload Violation'\r\n", browser.heard())

    def test_pings(self) -> None:
        """A ping of WebSocket's own is answered, and too many are not."""
        browser = self.joined()
        browser.send(browser.client.send(Ping(b"x")))
        self.assertEqual(len(browser.take()), 1)
        browser.send(frame(0x89) * 200)
        self.assertEqual(browser.ended(), 1008)


class SlowTests(SocketCase):
    def test_slow(self) -> None:
        """A browser that takes nothing is let go at the service's own limit, and nobody else."""
        self.serve(shown=service.Settings(pending_bytes=10_000))
        slow = NarrowTransport()
        slow.high_water = 1000
        browser = Browser(self.visit(slow))
        browser.say(_CONNECT, b"SUB a.b 1\r\n")
        other = self.joined(b"SUB a.b 1\r\n")
        for _ in range(100):
            self.publish(b"x" * 500)
        self.assertEqual(self.pubsub.figures().slow_consumers, 1)
        self.clock.pump([1] * 7)
        self.assertTrue(slow.disconnecting)
        self.assertEqual(other.heard().count(b"MSG a.b 1 500\r\n"), 100)

    def test_catching_up(self) -> None:
        """One that falls behind for a moment gets everything in its order, and is not read meanwhile."""
        slow = NarrowTransport()
        slow.high_water = 1000
        browser = Browser(self.visit(slow))
        browser.say(_CONNECT, b"SUB a.b 1\r\n")
        for number in range(50):
            self.publish(b"%0100d" % number)
        self.assertEqual(slow.producerState, "paused")
        taken = b""
        while piece := slow.drain():
            taken += piece
        browser.client.receive_data(taken)
        heard = b"".join(bytes(each.data) for each in browser.client.events())  # type: ignore[attr-defined]
        numbers = [int(word) for word in heard.split() if len(word) == 100]
        self.assertEqual(numbers, list(range(50)))
        self.assertEqual(slow.producerState, "producing")
