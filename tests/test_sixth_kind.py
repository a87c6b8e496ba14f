"""A sixth kind of service takes a folder and a line."""

from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from netkit.daemon.compose import Daemon, prepare
from netkit.errors import ConfigError
from netkit.services.kinds import KINDS
from tests import sixth

WITH_SIXTH = (*KINDS, sixth.KIND)  # the line


class SixthKindTests(SynchronousTestCase):
    def config(self, text: str) -> str:
        path = Path(self.mktemp())
        path.write_text(text)
        return str(path)

    def test_serves(self) -> None:
        """It is configured, checked, bound and served as any other."""
        reactor = MemoryReactorClock()
        prepared = prepare(self.config('[service.uptime]\nlisten = "tcp:13"\n'), WITH_SIXTH)
        self.assertEqual(list(prepared.listing()), ["uptime  tcp:13"])
        Daemon(prepared, reactor).privilegedStartService()
        port, factory = reactor.tcpServers[0][:2]
        transport = StringTransport()
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        assert protocol is not None
        protocol.makeConnection(transport)
        self.assertEqual((port, transport.value()), (13, b"up for 0 s\r\n"))
        self.assertTrue(transport.disconnecting)

    def test_mistakes(self) -> None:
        """Mistakes in its table are told as any other's."""
        name = self.config('[service.uptime]\nlisten = "tcp:13"\nwrds = "%H"\n')
        error = self.assertRaises(ConfigError, prepare, name, WITH_SIXTH)
        self.assertEqual(
            str(error),
            f'{name}:3: [service.uptime] wrds: is not known here; did you mean "words"?',
        )
