"""The echo service as the rest of netkit sees it."""

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.services.echo import KIND
from netkit.services.echo.protocol import LineEcho, RawEcho
from netkit.services.echo.settings import Mode, Settings
from netkit.services.kind import NoOptions, World


def _built(settings: Settings) -> RawEcho:
    world = World(Clock(), MemoryReactor(), Logger())
    factory = KIND.build(settings, {}, world).factory(NoOptions())
    protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 4321))
    assert isinstance(protocol, RawEcho)
    return protocol


class KindTests(SynchronousTestCase):
    def test_name(self) -> None:
        """It is called echo."""
        self.assertEqual(KIND.name, "echo")

    def test_defaults(self) -> None:
        """An empty table is RFC 862."""
        self.assertEqual(Document("t", "").read(Settings, {}, ()), Settings(mode=Mode.RAW))
        self.assertNotIsInstance(_built(Settings()), LineEcho)

    def test_mode_line(self) -> None:
        """A table may ask for mode line and another limit."""
        settings = Document("t", "").read(Settings, {"mode": "line", "line_bytes": 80}, ())
        self.assertEqual(settings, Settings(mode=Mode.LINE, line_bytes=80))
        self.assertIsInstance(_built(Settings(mode=Mode.LINE)), LineEcho)

    def test_unknown_mode(self) -> None:
        """A mode that is none is a problem that names the right ones."""
        document = Document("t", 'mode = "lines"')
        self.assertIsNone(document.read(Settings, document.tables, ()))
        self.assertEqual(
            [problem.text for problem in document.problems],
            ['"lines" is not known; did you mean "line"?'],
        )
