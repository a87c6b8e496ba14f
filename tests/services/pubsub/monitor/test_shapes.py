"""What a node of a cluster shows of it, and what TLS is called."""

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.connected import Connection
from netkit.services.pubsub.monitor import shapes
from netkit.services.pubsub.monitor.asked import Asked
from netkit.services.pubsub.monitor.shapes import Moment
from tests.services.pubsub.fabric.cluster import Cluster
from tests.services.pubsub.monitor.test_choosing import One

_MOMENT = Moment(server_id="NX", wall=1_000_000.0, clock=50.0)


class MomentTests(SynchronousTestCase):
    def test_times(self) -> None:
        """What the clock said is said in the time of day."""
        self.assertEqual(_MOMENT.written(49.0), "1970-01-12T13:46:39Z")
        self.assertEqual(_MOMENT.since(49.0), "1s")


class LeafTests(SynchronousTestCase):
    def test_none(self) -> None:
        """Without a cluster there is nothing."""
        found = shapes.leafz(None, _MOMENT)
        self.assertEqual(
            found,
            {"server_id": "NX", "now": "1970-01-12T13:46:40Z", "leafnodes": 0, "leafs": []},
        )

    def test_linked(self) -> None:
        """A node that is linked shows the server that it is linked to, and what went either way."""
        cluster = Cluster("192.0.2.77")
        node = cluster.node()
        cluster.client(node, b"SUB a 1\r\nPUB a 5\r\nhello\r\n")
        figures = node.fabric_figures()
        assert figures is not None
        found = shapes.leafz(figures, _MOMENT)
        self.assertEqual(found["leafnodes"], 1)
        self.assertEqual(
            found["leafs"],
            [
                {
                    "is_spoke": True,
                    "ip": "192.0.2.77",
                    "port": 4222,
                    "in_msgs": 0,
                    "out_msgs": 1,
                    "in_bytes": 0,
                    "out_bytes": 5,
                    "subscriptions": 1,
                }
            ],
        )
        self.assertTrue(found["fabric"]["linked"])
        named = shapes.leafz(evolve(figures, server="a.example:4223"), _MOMENT)["leafs"][0]
        self.assertEqual(named["port"], 4223)
        self.assertNotIn("ip", named)
        wide = shapes.leafz(evolve(figures, server="[2001:db8::1]:4222"), _MOMENT)["leafs"][0]
        self.assertEqual(wide["ip"], "2001:db8::1")


class ConnectionTests(SynchronousTestCase):
    def test_tls(self) -> None:
        """A version of TLS is a number; the time to a client is written as Go writes it."""
        seen = Connection(
            kind="nats",
            peer=IPv4Address("TCP", "192.0.2.1", 7),
            tls_version="TLSv1.3",
            tls_cipher="TLS_AES_128_GCM_SHA256",
        )
        one = One(3, round_trip=0.00025, seen=seen)
        (found,) = shapes.connz([one], 1, Asked(), _MOMENT, 10)["connections"]
        self.assertEqual(
            (found["tls_version"], found["tls_cipher_suite"], found["rtt"]),
            ("1.3", "TLS_AES_128_GCM_SHA256", "250µs"),
        )
