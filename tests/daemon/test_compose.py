"""From a configuration file to a daemon, and every way in which it refuses to start."""

import io
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest import skipUnless

from attrs import evolve
from twisted.application.service import Application, IProcess, IServiceCollection
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock, RaisingMemoryReactor
from twisted.logger import ILogObserver
from twisted.trial.unittest import SynchronousTestCase

from netkit.daemon.compose import Daemon, Prepared, StartError, prepare
from netkit.daemon.privileges import Target
from netkit.errors import ConfigError
from netkit.net.clients import ClientCertificates
from netkit.net.tls import Terms, UnknownNames
from netkit.tools.certificate import issue
from tests.kinds import KINDS, Pages, Plain

root_only = skipUnless(os.geteuid() == 0, "needs root")
no_root = skipUnless(os.geteuid() != 0, "needs an ordinary user")

TEXT = """
    [service.pages]
    listen = "tcp:2"
    mount = [{ path = "/", kind = "view", service = "plain" }]
    [service.plain]
    listen = ["tcp:1", "tcp:3"]
    """


class ComposeTestCase(SynchronousTestCase):
    def prepare(self, text: str) -> Prepared:
        name = self.mktemp()
        Path(name).write_text(dedent(text))
        return prepare(name, KINDS)

    def daemon(self, text: str = TEXT, reactor: Any = None) -> Daemon:
        return Daemon(self.prepare(text), reactor or MemoryReactorClock())


class PrepareTests(ComposeTestCase):
    def test_listing(self) -> None:
        """A check lists every listener: service, endpoint, TLS or not."""
        self.assertEqual(
            list(self.prepare(TEXT).listing()), ["pages  tcp:2", "plain  tcp:1", "plain  tcp:3"]
        )

    def test_all_at_once(self) -> None:
        """A missing user and a missing certificate are told with the file's other mistakes."""
        text = TEXT + 'size = 0\n[daemon]\nuser = "nobdy"\n[tls.main]\ncertificates = "gone"\n'
        error = self.assertRaises(ConfigError, self.prepare, dedent(text))
        wheres = [problem.where for problem in error.problems]
        self.assertEqual(
            wheres, ["[service.plain] size", "[daemon] user", "[tls.main] certificates"]
        )


class StoreTests(ComposeTestCase):
    """Certificates of a daemon that runs."""

    def setUp(self) -> None:
        """Make a certificate, in a folder that all may enter."""
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.key = self.folder / "a.pem"
        self.issue("a.example")

    def issue(self, name: str) -> None:
        """Write a certificate for `name` over the one that stands there."""
        begins = datetime.now(UTC) - timedelta(hours=1)
        self.key.write_bytes(issue([name], begins, begins + timedelta(days=2)).pem)

    def prepared(self, user: str = "", more: str = "") -> Prepared:
        """Return a daemon's plan with that certificate."""
        tls = f'[tls.main]\ncertificates = "{self.folder}"\n{more}\n'
        return self.prepare(f"[daemon]\n{user}\n{tls}[service.plain]\nlisten = 'tcp:1'\n")

    def test_renewed(self) -> None:
        """A certificate that is renewed while the daemon runs is used, until the daemon stops."""
        prepared = self.prepared()
        clock = MemoryReactorClock()
        daemon = Daemon(prepared, clock)
        watch = daemon.getServiceNamed("tls.main")
        watch.startService()
        self.issue("b.example")
        clock.pump([1, 1])
        self.assertEqual(prepared.stores["main"].store.identities.default.names, ("b.example",))
        watch.stopService()
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_terms(self) -> None:
        """The table's options are the store's terms."""
        self.assertEqual(self.prepared().stores["main"].store.terms, Terms())
        now = datetime.now(UTC)
        clients = issue([], now, now + timedelta(days=1), subject="Clients", authority=True)
        path = Path(self.mktemp()).absolute()
        path.write_bytes(clients.certificate_pem)
        more = f'client_ca = "{path}"\nunknown_names = "refuse"\nclient_certificates = "required"'
        self.assertEqual(
            self.prepared(more=more).stores["main"].store.terms,
            Terms(UnknownNames.REFUSE, (clients.certificate,), ClientCertificates.REQUIRED),
        )

    def test_faults_by_key(self) -> None:
        """What is wrong with client_ca is told at that key, beside what is wrong elsewhere."""
        self.key.write_bytes(b"")
        error = self.assertRaises(ConfigError, self.prepared, more='client_ca = "gone.pem"')
        self.assertEqual(
            [problem.where for problem in error.problems],
            ["[tls.main] certificates", "[tls.main] client_ca"],
        )

    def test_keys_of_root(self) -> None:
        """A key that cannot be read again is told with the listing."""
        user = 'user = "nobody"'
        self.key.chmod(0o644)
        self.assertEqual(list(self.prepared(user).remarks()), [])
        self.key.chmod(0o600)
        self.assertEqual(list(self.prepared().remarks()), [])
        why = "is read before root is shed, and cannot be read again: not reloadable as"
        if os.geteuid() == 0:
            self.assertEqual(
                list(self.prepared(user).remarks()), [f"tls.main: {self.key} {why} nobody"]
            )
            self.folder.chmod(0o700)
            self.assertEqual(
                list(self.prepared("user = 54321\ngroup = 54321").remarks()),
                [f"tls.main: what is in {self.folder} {why} user 54321"],
            )


class DaemonTests(ComposeTestCase):
    def test_binds_everything(self) -> None:
        """Every listener of the plan is bound, and nothing before that."""
        reactor = MemoryReactorClock()
        daemon = self.daemon(reactor=reactor)
        self.assertEqual(reactor.tcpServers, [])
        daemon.privilegedStartService()
        self.assertEqual([server[0] for server in reactor.tcpServers], [2, 1, 3])

    def test_references(self) -> None:
        """A mount gets the running service that it names, which is built before it."""
        services = list(self.daemon())
        pages = next(each for each in services if isinstance(each, Pages))
        self.assertIsInstance(pages.shown[0], Plain)

    def test_listening(self) -> None:
        """A service learns where it listens itself, and nothing of others."""
        daemon = self.daemon(
            """
            [service.a]
            kind = "plain"
            listen = ["tcp:1001", "tcp:1002"]
            [service.b]
            kind = "plain"
            listen = "tcp:1003"
            """,
            MemoryReactorClock(),
        )
        worlds = [each.world for each in daemon if isinstance(each, Plain)]
        self.assertEqual([world.listening() for world in worlds], [frozenset()] * 2)
        daemon.privilegedStartService()
        found = [{str(address) for address in world.listening()} for world in worlds]
        self.assertIn({"0.0.0.0:1001", "0.0.0.0:1002"}, found)
        self.assertIn({"0.0.0.0:1003"}, found)

    def test_all_refusals(self) -> None:
        """Each socket that cannot be bound is a line, and then nothing starts."""
        error = CannotListenError("", 0, OSError(98, "in use"))
        daemon = self.daemon(reactor=RaisingMemoryReactor(listenException=error))
        refused = self.assertRaises(StartError, daemon.privilegedStartService)
        lines = str(refused).splitlines()
        self.assertEqual(
            [line.split(": the")[0] for line in lines],
            [
                f"netkit: {name}: cannot listen on tcp:{port}"
                for name, port in (("pages", 2), ("plain", 1), ("plain", 3))
            ],
        )

    def test_start_error(self) -> None:
        """A refusal ends a program with status 1, and is an Exception to twistd."""
        self.assertIsInstance(StartError("x"), Exception)
        self.assertEqual((StartError("x").code, str(StartError("x"))), (1, "x"))

    @root_only
    def test_application_is_told(self) -> None:
        """The Application tells twistd whom to become and where log lines go."""
        application = Application("netkit")
        prepared = self.prepare('[daemon]\nuser = "nobody"' + dedent(TEXT))
        Daemon(prepared, MemoryReactorClock(), io.StringIO()).setServiceParent(application)

        process = IProcess(application)
        self.assertEqual((process.uid, process.gid), (65534, 65534))
        self.assertIsNotNone(application.getComponent(ILogObserver))
        self.assertEqual(len(list(IServiceCollection(application))), 1)

    @root_only
    def test_root_unnamed(self) -> None:
        """As root with nobody to become it refuses to serve."""
        daemon = self.daemon()
        daemon.privilegedStartService()
        error = self.assertRaises(StartError, daemon.startService)
        self.assertIn('write user = "nobody" in the table [daemon]', str(error))

    @root_only
    def test_twist(self) -> None:
        """As root under twist, which sheds nothing, it refuses to serve."""
        error = self.assertRaises(StartError, self.daemon().startService)
        self.assertIn("twist never sheds root; start it with twistd", str(error))

    @no_root
    def test_twist_unprivileged(self) -> None:
        """As an ordinary user under twist it binds when it starts."""
        reactor = MemoryReactorClock()
        self.daemon(reactor=reactor).startService()
        self.assertEqual(len(reactor.tcpServers), 3)

    @no_root
    def test_cannot_become(self) -> None:
        """An ordinary user that is told to become another refuses to serve."""
        prepared = evolve(self.prepare(TEXT), target=Target(54321, 54321))
        daemon = Daemon(prepared, MemoryReactorClock())
        error = self.assertRaises(StartError, daemon.startService)
        self.assertIn("only root can become 54321", str(error))
