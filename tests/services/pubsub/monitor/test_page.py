"""The page has the main figures, and leads to the others."""

from netkit.services.pubsub import settings as service
from netkit.services.pubsub.fabric.settings import Fabric
from tests.services.pubsub.clients import CONNECT
from tests.services.pubsub.monitor.mounted import MonitorCase


class PageTests(MonitorCase):
    def test_figures(self) -> None:
        """Figures are those of the service, large ones in units that can be read."""
        self.connect(1, CONNECT + b"SUB a 1\r\nPUB a 2000\r\n" + bytes(2000) + b"\r\n")
        page = self.ask("").body.decode()
        self.assertIn("<dt>Connections</dt><dd><b>1</b> <span>1 in all</span>", page)
        self.assertIn("<dt>Messages in</dt><dd><b>1</b> <span>2.0 kB</span>", page)
        self.assertNotIn("Cluster</dt>", page)

    def test_links(self) -> None:
        """Links lead below the mount, with a slash behind it or without one."""
        for path in ("", "/"):
            page = self.ask(path).body.decode()
            for name in ("varz", "connz", "subsz", "leafz", "healthz"):
                self.assertIn(f'href="/monitor/{name}"', page)

    def test_cluster(self) -> None:
        """A node of a cluster says whether it is cut off."""
        self.serve(service.Settings(fabric=Fabric(servers=("nats://192.0.2.9",))))
        self.assertIn("<dt>Cluster</dt><dd><b>cut off</b>", self.ask("").body.decode())
