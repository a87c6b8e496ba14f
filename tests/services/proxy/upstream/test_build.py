"""The mount as a site builds it: ways of every sort, and what a server is called."""

from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.destination import parse
from netkit.net.dial import TcpWay, TlsWay, UnixWay
from netkit.services.kind import World
from netkit.services.proxy import KIND as PROXY
from netkit.services.proxy.upstream import KIND, build
from netkit.services.proxy.upstream.health import State
from netkit.services.proxy.upstream.mount import Upstream
from netkit.services.proxy.upstream.servers import Shown
from netkit.services.proxy.upstream.settings import ServerTable, Settings, Sticky
from tests.http.fakes import recorded
from tests.net.authorities import authority


class Built(SynchronousTestCase):
    def built(self, *servers: str, **settings: Any) -> Upstream:
        """Return a mount of `servers`."""
        reactor = MemoryReactorClock()
        world = World(reactor, reactor, recorded([]))
        made = Settings(servers=tuple(map(parse, servers)), **settings)
        return build(made, None, world)

    def test_offered(self) -> None:
        """The proxy's folder offers the mount to sites."""
        self.assertIn(KIND, PROXY.mounts)

    def test_called(self) -> None:
        """A server is called by its host, and by its port where that is not the usual one."""
        places = {
            "tcp:a.example:80": b"a.example",
            "tcp:a.example:443": b"a.example:443",
            "tls:a.example:443": b"a.example",
            "tls:[::1]:8443": b"[::1]:8443",
            "unix:/run/x.sock": b"localhost",
        }
        mount = self.built(*places)
        self.assertEqual(
            {server.name: mount._errands._hosts[server] for server in mount._servers.all},
            {str(parse(place)): called for place, called in places.items()},
        )

    def test_ways(self) -> None:
        """Each sort of server has its way; those with TLS are judged by the operator's authorities."""
        file = Path(self.mktemp())
        root = authority()
        file.write_bytes(root.certificate_pem)
        mount = self.built("tcp:a:80", "unix:/x", "tls:a:443:name=b.example", ca=file)
        tcp, unix, tls = (server.way for server in mount._servers.all)
        self.assertIsInstance(tcp, TcpWay)
        self.assertIsInstance(unix, UnixWay)
        assert isinstance(tls, TlsWay)
        self.assertEqual(tls.server_name, "b.example")
        self.assertEqual(tls.terms.authorities, (root.certificate,))
        self.assertTrue(tls.terms.verify)

    def test_weights(self) -> None:
        """Weights, backups and the cookie's secret reach the servers."""
        reactor = MemoryReactorClock()
        tables = (
            ServerTable(to=parse("tcp:a:80"), weight=5),
            ServerTable(parse("tcp:b:80"), 1, True),
        )
        world = World(reactor, reactor, recorded([]))
        mounts = [
            build(Settings(servers=tables, sticky=Sticky(secret=secret)), None, world)
            for secret in ("", "s")
        ]
        self.assertEqual(
            mounts[0].shown,
            (
                Shown("tcp:a:80", State.UP, 5, False, 0, 0),
                Shown("tcp:b:80", State.UP, 1, True, 0, 0),
            ),
        )
        first, second = (mount._servers.all[0].cookie for mount in mounts)
        self.assertNotEqual(first, second)

    def test_own_names(self) -> None:
        """Each mount without a name makes one up, so that two in a row are no circle."""
        names = {self.built("tcp:a:80")._relay.name for _ in range(3)}
        self.assertEqual(len(names), 3)
        self.assertEqual(self.built("tcp:a:80", name="us")._relay.name, "us")
