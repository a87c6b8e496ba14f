"""A site's access log as its own file: in memory, and in a netkit of its own process."""

import gzip
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree, which
from unittest import skipUnless

from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.accesslines import SHOWN_BYTES
from netkit.http.accesstable import AccessFile
from netkit.services.kind import Complaint, Mount, NoOptions, World
from netkit.services.site import KIND
from netkit.services.site.mounts import MOUNTS
from netkit.services.site.service import Settings, Site
from tests.http.fakes import PEER, recorded
from tests.http.test_accesslines import COMBINED
from tests.running import PATIENCE, Running, netkit

[COUNTER] = (kind for kind in MOUNTS if kind.name == "counter")
LOGROTATE = which("logrotate", path=f"{os.defpath}:/usr/sbin")


def settings(file: Path) -> Settings:
    """Return a site with one mount and its log in `file`."""
    return Settings((Mount("/", COUNTER, COUNTER.settings()),), access_log=AccessFile(file=file))


class InMemory(SynchronousTestCase):
    def setUp(self) -> None:
        """Build a site."""
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(rmtree, self.folder)
        self.file = self.folder / "access.log"
        self.events: list[LogEvent] = []
        memory = MemoryReactorClock()
        self.site = Site(settings(self.file), {}, World(memory, memory, recorded(self.events)))

    def ask(self) -> None:
        """Ask for a page."""
        protocol = self.site.factory(NoOptions()).buildProtocol(PEER)
        assert protocol is not None
        protocol.makeConnection(StringTransport(peerAddress=PEER))
        protocol.dataReceived(b"GET /x?SECRET HTTP/1.1\r\nHost: h\r\n\r\n")

    def test_file(self) -> None:
        """The file is opened by the start, not before, and complete at the end and after it."""
        self.assertFalse(self.file.exists())
        self.site.startService()
        self.assertTrue(self.file.exists())
        for count in (1, 2):
            self.ask()
            if count == 1:
                self.site.stopService()
            lines = self.file.read_text().splitlines()
            self.assertEqual(len(lines), count)
            self.assertIn('"GET /x HTTP/1.1" 200 15 "-" "-"', lines[-1])
        self.assertEqual(self.events, [])

    def test_complaint(self) -> None:
        """What is wrong with the file is a complaint at its key."""
        missing = self.folder / "no" / "access.log"
        self.assertEqual(
            list(KIND.complaints(settings(missing))),
            [
                Complaint(
                    ("access_log", "file"),
                    f'"{missing}" is in a folder that is not there; make the folder',
                )
            ],
        )


class InAProcess(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder for the log where netkit's user may write."""
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(rmtree, self.folder)
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.logs.chmod(0o777)

    def running(self, more: str) -> AbstractContextManager[Running]:
        """Start a netkit whose log is told `more`."""
        text = f"""
            [service.web]
            kind = "site"
            listen = "tcp:0:interface=127.0.0.1"
            access_log = {{ file = "logs/access.log", {more} }}
            mount = [{{ path = "/", kind = "counter" }}]
            """
        return netkit(text, str(self.folder))

    def ask(self, running: Running, *paths: str, **headers: str) -> None:
        """Ask for pages on one connection."""
        connection = HTTPConnection("127.0.0.1", running.ports["web"][0], timeout=PATIENCE)
        for path in paths:
            connection.request("GET", path, headers=headers)
            connection.getresponse().read()
        connection.close()

    def asked_and_rotated(self, rotate: Callable[[int], object]) -> int:
        """Rotate the log thrice, each time it has something; return how many requests there were."""
        log = self.logs / "access.log"
        asked = rotated = 0
        with self.running('format = "combined"') as running:
            while rotated < 3:
                # Of 40 lines as long as that some are written at once.
                agent = {"User-Agent": '"' * SHOWN_BYTES}
                self.ask(running, *(f"/{number}" for number in range(asked, asked + 40)), **agent)
                asked += 40
                if log.exists() and log.stat().st_size:
                    rotate(rotated)
                    rotated += 1
            running.stop()
        return asked

    def targets(self, lines: Iterable[str]) -> list[str]:
        """Return the targets in `lines`."""
        matches = [COMBINED.fullmatch(line) for line in lines]
        return [match["target"] for match in matches if match]

    def test_renamed(self) -> None:
        """A log that is renamed again and again while clients ask has each request once."""
        log = self.logs / "access.log"
        asked = self.asked_and_rotated(
            lambda number: log.rename(self.logs / f"access.log.{number}")
        )
        files = [*sorted(self.logs.glob("access.log.*")), log]
        self.assertEqual(len(files), 4)
        lines = [line for file in files for line in file.read_text().splitlines()]
        self.assertEqual(self.targets(lines), [f"/{number}" for number in range(asked)])

    @skipUnless(LOGROTATE, "logrotate is not installed")
    def test_logrotate(self) -> None:
        """Who rotates by logrotate tells nobody, even where it compresses at once."""
        self.logs.chmod(0o755)  # logrotate's condition
        if os.geteuid() == 0:
            os.chown(self.logs, 65534, 65534)
        conf = self.folder / "logrotate.conf"
        conf.write_text(f"{self.logs}/access.log {{\nrotate 9\nsize 1\ncompress\nnocreate\n}}\n")
        conf.chmod(0o644)
        command = [str(LOGROTATE), "--state", str(self.folder / "state"), str(conf)]
        asked = self.asked_and_rotated(lambda _: subprocess.run(command, check=True))
        lines = []
        for file in sorted(self.logs.glob("access.log.*.gz"), reverse=True):
            lines += gzip.decompress(file.read_bytes()).decode().splitlines()
        lines += (self.logs / "access.log").read_text().splitlines()
        self.assertEqual(self.targets(lines), [f"/{number}" for number in range(asked)])

    def test_hostile(self) -> None:
        """A client behind a trusted proxy is named, and what it sends stays within its value."""
        more = 'format = "json", query = true, trusted_proxies = ["127.0.0.0/8"]'
        with self.running(more) as running:
            fields = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7", "User-Agent": '"}\x1f\x9b\\'}
            self.ask(running, "/?a=b&token=SECRET", **fields)
            running.stop()
        [line] = (self.logs / "access.log").read_text().splitlines()
        found = json.loads(line)
        self.assertEqual((found["client"], found["target"]), ("192.0.2.7", "/?a=b&token=-"))
        self.assertEqual((found["agent"], found["status"]), (r'"}\x1f\x9b\x5c', 200))

    @skipUnless(os.geteuid() == 0, "needs root")
    def test_shed(self) -> None:
        """Where only root may write the site serves, says so, and writes as soon as it may."""
        self.logs.chmod(0o755)
        with self.running('format = "timed"') as running:
            line = running.wait_for("access.log cannot be written")
            self.assertIn("by user 65534: permission denied; lines are held", line)
            self.ask(running, "/a")
            self.logs.chmod(0o777)
            running.wait_for("access.log is written again; lines dropped: 0")
            running.stop()
        self.assertIn('"GET /a HTTP/1.1" 200', (self.logs / "access.log").read_text())
