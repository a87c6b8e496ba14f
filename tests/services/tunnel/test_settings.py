"""A tunnel's table, as a file has it: each mistake is told with its line and key."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.config.load import load
from netkit.net.destination import Destination, Transport
from netkit.services.tunnel.settings import ProxyHeader, Settings
from tests.net.test_dial import ROOT


class SettingsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.file = self.folder / "netkit.toml"

    def settings(self, *lines: str) -> Settings:
        """Return what is read of a table with these lines; there is nothing wrong with it."""
        problems, settings = self._load(*lines)
        self.assertEqual(problems, [])
        assert isinstance(settings, Settings)
        return settings

    def problems(self, *lines: str) -> list[str]:
        """Return what is wrong, without the name of the file."""
        return self._load(*lines)[0]

    def _load(self, *lines: str) -> tuple[list[str], object]:
        self.file.write_text("\n".join(('[service.tunnel]\nlisten = "tcp:0"', *lines)))
        plan, document = load(str(self.file))
        problems = [str(each).removeprefix(str(self.file)) for each in document.problems]
        return problems, plan.services[0].settings if plan.services else None

    def test_least(self) -> None:
        """A tunnel has to lead somewhere, and needs nothing else."""
        settings = self.settings('to = "tcp:127.0.0.1:5432"')
        self.assertEqual(settings, Settings(to=Destination(Transport.TCP, "127.0.0.1", 5432)))
        self.assertEqual(self.problems(), [":1: [service.tunnel] to: is missing"])

    def test_relative(self) -> None:
        """Paths are relative to the file."""
        self.assertEqual(self.settings('to = "unix:x"').to.path, str(self.folder / "x"))

    def test_slip(self) -> None:
        """A destination that is none is told where it stands, with what would be right."""
        words = '"tcp:5432": names no host; as in "tcp:127.0.0.1:8080"'
        self.assertEqual(self.problems('to = "tcp:5432"'), [f":3: [service.tunnel] to: {words}"])
        self.assertEqual(len(self.problems("to = 5432")), 1)

    def test_options(self) -> None:
        """Header, times and authorities are the operator's to set."""
        (self.folder / "ca.pem").write_bytes(ROOT.certificate_pem)
        settings = self.settings(
            'to = "tls:a.example:443"',
            'ca = "ca.pem"',
            'proxy_header = "v1"',
            "tunnel = { idle_timeout = 0 }",
        )
        self.assertEqual(settings.proxy_header, ProxyHeader.V1)
        self.assertEqual(settings.ca, self.folder / "ca.pem")
        self.assertEqual(settings.tunnel.idle_timeout, 0)

    def test_no_tls(self) -> None:
        """What is for TLS has no place where there is none."""
        for line in ('ca = "ca.pem"', "verify = false"):
            with self.subTest(line=line):
                (problem,) = self.problems('to = "tcp:a.example:443"', line)
                words = 'is for a server with TLS; as in to = "tls:HOST:PORT"'
                self.assertEqual(problem, f":4: [service.tunnel] {line.split()[0]}: {words}")

    def test_both(self) -> None:
        """Authorities are of no use where nobody is verified."""
        (self.folder / "ca.pem").write_bytes(ROOT.certificate_pem)
        problems = self.problems('to = "tls:a:443"', 'ca = "ca.pem"', "verify = false")
        self.assertEqual(len(problems), 1)

    def test_no_authorities(self) -> None:
        """A file of authorities that is not there, or holds none, is told."""
        (problem,) = self.problems('to = "tls:a:443"', 'ca = "ca.pem"')
        self.assertIn("[service.tunnel] ca: ", problem)
        self.assertIn("does not exist", problem)
        (self.folder / "ca.pem").write_text("nothing")
        (problem,) = self.problems('to = "tls:a:443"', 'ca = "ca.pem"')
        self.assertIn("holds no certificate", problem)
