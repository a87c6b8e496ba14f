"""The mount shows true values, under NATS's names, to who may see them."""

import json
from typing import Any, cast

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IPushProducer

from netkit.net.addresses import Address, SocketAddress, literal
from netkit.passwords import Cost, hashed
from netkit.services.pubsub import settings as service
from netkit.services.pubsub.fabric.settings import Fabric
from netkit.services.pubsub.monitor.mount import Settings
from netkit.services.pubsub.settings import Nats, Protocol
from tests.services.pubsub.clients import CONNECT
from tests.services.pubsub.live.mounted import Browser
from tests.services.pubsub.monitor.mounted import MonitorCase

_ANN = (
    b'CONNECT {"verbose":false,"name":"<b>\\u001b[31m&","lang":"x","version":"1.0",'
    b'"user":"ann","pass":"secret"}\r\n'
)


class AnswerTests(MonitorCase):
    def test_form(self) -> None:
        """JSON on many lines that nobody keeps, and no page of another site may read."""
        answer = self.ask("/varz", "Origin: https://evil.example")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
        self.assertTrue(answer.body.startswith(b'{\n  "server_id": "N'))

    def test_only_read(self) -> None:
        """It is read, and nothing else."""
        for path in ("", "/varz", "/healthz"):
            self.assertEqual(self.ask(path, method="POST").status, 405)
            self.assertEqual(self.ask(path, method="HEAD").status, 200)
        self.assertEqual(self.ask("/varz/x").status, 404)
        self.assertEqual(self.ask("/jsz").status, 404)

    def test_wrong(self) -> None:
        """A query that asks for what is not to be had is answered 400."""
        answer = self.ask("/connz?limit=<b>")
        self.assertEqual(answer.status, 400)
        self.assertIn(b"Limit is a whole number of 0 or more.", answer.body)


class ServerTests(MonitorCase):
    def test_limits(self) -> None:
        """Limits are those of the settings, times in nanoseconds where NATS has them so."""
        self.serve(
            service.Settings(
                clients=5,
                pending_bytes=1000,
                pending_seconds=2,
                nats=Nats(max_payload=10, ping_interval=3, pings_out=4, login_timeout=1.5),
            )
        )
        found = self.shape("/varz")
        expected = {
            "max_connections": 5,
            "max_pending": 1000,
            "write_deadline": 2_000_000_000,
            "max_payload": 10,
            "max_control_line": 4096,
            "ping_interval": 3_000_000_000,
            "ping_max": 4,
            "auth_timeout": 1.5,
            "auth_required": False,
            "tls_required": False,
            "http_base_path": "/monitor",
        }
        self.assertEqual({key: found[key] for key in expected}, expected)

    def test_identity(self) -> None:
        """The server is who its INFO says."""
        said = self.connect(1).take()
        info = json.loads(said.removeprefix(b"INFO "))
        found = self.shape("/varz")
        for key in ("server_id", "server_name", "version", "proto", "max_payload"):
            self.assertEqual(found[key], info[key])
        self.assertNotIn("go", found)

    def test_figures(self) -> None:
        """What comes and goes is counted."""
        self.connect(1, CONNECT + b"SUB a 1\r\n")
        self.connect(2, CONNECT + b"SUB a 1\r\nPUB a 5\r\nhello\r\n").finish()
        self.clock.advance(63)
        found = self.shape("/varz")
        expected = {
            "connections": 1,
            "total_connections": 2,
            "subscriptions": 1,
            "in_msgs": 1,
            "in_bytes": 5,
            "out_msgs": 2,
            "out_bytes": 10,
            "in_client_msgs": 1,
            "out_client_bytes": 10,
            "slow_consumers": 0,
            "leafnodes": 0,
            "uptime": "1m3s",
            "http_req_stats": {"/varz": 1},
        }
        self.assertEqual({key: found[key] for key in expected}, expected)

    def test_stale(self) -> None:
        """Who does not answer is counted."""
        self.connect(1, CONNECT)
        for _ in range(500):
            self.clock.advance(1)
        self.assertEqual(self.shape("/varz")["stale_connections"], 1)

    def test_where(self) -> None:
        """Where it listens is said while it listens for NATS only."""
        self.assertNotIn("port", self.shape("/varz"))
        self.addresses = frozenset({SocketAddress(_here(), 4222)})
        found = self.shape("/varz")
        self.assertEqual((found["host"], found["port"]), ("192.0.2.7", 4222))

    def test_subscriptions(self) -> None:
        """There are so many, and were so many more."""
        self.connect(1, CONNECT + b"SUB a 1\r\nSUB b 2\r\nUNSUB 1\r\nPUB b 0\r\n\r\n")
        found = self.shape("/subsz")
        del found["server_id"], found["now"]
        expected = {"num_subscriptions": 1, "num_cache": 1, "num_inserts": 2, "num_removes": 1}
        self.assertEqual(found, expected)


class HealthTests(MonitorCase):
    def test_well(self) -> None:
        """A server that runs is well, whatever is asked about JetStream."""
        answer = self.ask("/healthz?js-enabled-only=true")
        self.assertEqual((answer.status, answer.body), (200, b'{"status":"ok"}'))

    def test_cut_off(self) -> None:
        """So is one that is cut off from its cluster; what waits is shown elsewhere."""
        self.serve(service.Settings(fabric=Fabric(servers=("nats://u:secret@192.0.2.9:4222",))))
        self.assertEqual(self.ask("/healthz").status, 200)
        found = self.shape("/leafz")
        self.assertEqual((found["leafnodes"], found["leafs"]), (0, []))
        self.assertEqual(found["fabric"]["linked"], False)
        everything = self.ask("/varz").body + self.ask("/leafz").body + self.ask("").body
        self.assertNotIn(b"secret", everything)
        self.assertEqual(self.shape("/varz")["leaf"], {"remotes": [{"urls": ["192.0.2.9:4222"]}]})

    def test_stops(self) -> None:
        """A server that lets its clients go takes no others."""
        self.pubsub.stopService()
        answer = self.ask("/healthz")
        self.assertEqual(answer.status, 503)
        self.assertEqual(json.loads(answer.body)["status"], "unavailable")


class ConnectionTests(MonitorCase):
    def _one(self, query: str = "") -> dict[str, Any]:
        (found,) = self.connections(query)
        return found

    def test_values(self) -> None:
        """A connection has its own figures and times."""
        client = self.connect(7, CONNECT)
        self.clock.advance(5)
        client.send(b"SUB a 1\r\nPUB a 3\r\nxyz\r\nPUB b 2\r\nxy\r\n")
        self.clock.advance(60)
        client.send(b"PING\r\n")
        client.take()
        found = self._one()
        expected = {
            "cid": 1,
            "kind": "Client",
            "type": "nats",
            "ip": "192.0.2.1",
            "port": 7,
            "uptime": "1m5s",
            "idle": "1m0s",
            "pending_bytes": 0,
            "in_msgs": 2,
            "in_bytes": 5,
            "out_msgs": 1,
            "out_bytes": 3,
            "subscriptions": 1,
        }
        self.assertEqual({key: found[key] for key in expected}, expected)
        for key in ("rtt", "name", "tls_version", "authorized_user", "subscriptions_list"):
            self.assertNotIn(key, found)

    def test_own_words(self) -> None:
        """What a client says of itself is escaped, and nothing of its login is shown."""
        hash_ = str(hashed("secret", Cost(ln=9)))
        self.serve(service.Settings(users={"ann": hash_}, permissions={}))
        self.connect(7, _ANN)
        self.assertNotIn("authorized_user", self._one())
        found = self._one("?auth=1")
        self.assertEqual(found["name"], "<b>\x1b[31m&")
        self.assertEqual((found["lang"], found["version"]), ("x", "1.0"))
        self.assertEqual(found["authorized_user"], "ann")
        body = self.ask("/connz?auth=1&subs=detail").body
        for raw in (b"<", b"&", b"\x1b", b"secret", hash_.encode()):
            self.assertNotIn(raw, body)

    def test_long_name(self) -> None:
        """Of a name that is too long the beginning is kept."""
        self.connect(7, b'CONNECT {"verbose":false,"name":"%b"}\r\n' % (b"x" * 2000))
        self.assertEqual(self._one()["name"], "x" * 256)

    def test_subscriptions(self) -> None:
        """Subscriptions are listed if wanted, with queue and sid if wanted so."""
        self.connect(7, CONNECT + b"SUB a.> 1\r\nSUB b q 2\r\n")
        self.assertEqual(self._one("?subs=1")["subscriptions_list"], ["a.>", "b"])
        self.assertEqual(
            self._one("?subs=detail")["subscriptions_list_detail"],
            [
                {"subject": "a.>", "sid": "1", "cid": 1},
                {"subject": "b", "qgroup": "q", "sid": "2", "cid": 1},
            ],
        )

    def test_many_subscriptions(self) -> None:
        """No more are listed than the settings say, and long ones count for several."""
        self.serve(settings=Settings(subscriptions=3))
        for port in (1, 2):
            self.connect(port, CONNECT + b"SUB a 1\r\nSUB b 2\r\n")
        one, two = self.connections("?subs=1")
        self.assertEqual(
            (one["subscriptions_list"], two["subscriptions_list"]), (["a", "b"], ["a"])
        )
        self.assertEqual(two["subscriptions"], 2)
        self.serve(settings=Settings(subscriptions=3))
        self.connect(1, CONNECT + b"SUB %b 1\r\nSUB b 2\r\n" % (b"x" * 600))
        self.assertEqual(len(self._one("?subs=1")["subscriptions_list"]), 1)

    def test_which(self) -> None:
        """So many from there on are shown, or one; the number of all is beside it."""
        for port in range(1, 6):
            self.connect(port, CONNECT)
        found = self.shape("/connz?limit=2&offset=1")
        self.assertEqual([one["cid"] for one in found["connections"]], [2, 3])
        self.assertEqual(
            [found[key] for key in ("num_connections", "total", "offset", "limit")], [2, 5, 1, 2]
        )
        self.assertEqual(self._one("?cid=4")["port"], 4)
        self.assertEqual(self.connections("?cid=44"), [])

    def test_pending(self) -> None:
        """What waits for who does not read is shown."""
        slow = self.connect(1, CONNECT + b"SUB a 1\r\n")
        slow.take()
        cast("IPushProducer", slow.producer).pauseProducing()
        self.connect(2, CONNECT + b"PUB a 3\r\nxyz\r\n").take()
        found = self.connections("?sort=pending")[0]
        self.assertEqual((found["port"], found["pending_bytes"]), (1, len("MSG a 1 3..xyz..")))

    def test_no_address(self) -> None:
        """Who comes by a UNIX socket has no address."""
        self.connect(UNIXAddress(None), CONNECT)
        found = self._one()
        self.assertNotIn("ip", found)
        self.assertNotIn("port", found)

    def test_leaves(self) -> None:
        """Who has left is not shown."""
        self.connect(1, CONNECT).finish()
        self.assertEqual(self.connections(), [])


class OtherClientTests(MonitorCase):
    protocols = (Protocol.NATS, Protocol.LINE)

    def test_lines(self) -> None:
        """A line client is one of its own type, with one subscription."""
        self.connect(3, b"hello\n", listener=1)
        (found,) = self.connections("?subs=detail")
        self.assertEqual((found["type"], found["in_msgs"], found["in_bytes"]), ("line", 1, 5))
        self.assertEqual(found["subscriptions_list_detail"], [{"subject": "lines", "cid": 1}])
        self.addresses = frozenset({SocketAddress(_here(), 1025)})
        self.assertNotIn("port", self.shape("/varz"))

    def test_events(self) -> None:
        """So is a browser that listens."""
        visit = self.visit()
        visit.send(b"GET /live/events?subject=a HTTP/1.1\r\nHost: test\r\n\r\n")
        self.connect(3, CONNECT + b"PUB a 2\r\nxy\r\n")
        found = self.connections()[0]
        self.assertEqual(
            (found["type"], found["out_msgs"], found["out_bytes"], found["subscriptions"]),
            ("events", 1, 2, 1),
        )

    def test_websocket(self) -> None:
        """And so is one that speaks NATS on a WebSocket."""
        browser = Browser(self.visit(), "/live/ws")
        browser.say(CONNECT + b"SUB a 1\r\nPUB a 2\r\nxy\r\n")
        (found,) = self.connections("?subs=1")
        self.assertEqual((found["type"], found["subscriptions_list"]), ("websocket", ["a"]))
        self.assertEqual((found["in_msgs"], found["out_bytes"]), (1, 2))


def _here() -> Address:
    found = literal("192.0.2.7")
    assert found is not None
    return found
