"""The key `access_log`: what is wrong with it, and what comes of it."""

import json
import os
import shutil
import socket
import tempfile
import tomllib
from pathlib import Path
from typing import Any
from unittest import skipIf

import attrs
from attrs import evolve
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.document.values import Network
from netkit.http.accesslines import Form
from netkit.http.accesslog import Exchange
from netkit.http.accesstable import KNOWN_BYTES, AccessFile, AccessLog, built, complaints
from netkit.http.forwarded import ClientField
from netkit.http.messages import Request
from tests.http.fakes import Visitor, asked, recorded
from tests.running import ROOT


@attrs.frozen
class Table:
    """A service's table."""

    access_log: bool | AccessFile = True


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder for the file."""
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = AccessFile(file=self.folder / "access.log")
        self.clock = Clock()
        self.events: list[LogEvent] = []

    def log(self, setting: bool | AccessFile) -> AccessLog:
        """Return an access log that is stopped by the end of the test."""
        log = built(setting, self.clock, recorded(self.events), wall=lambda: 0.0)
        self.addCleanup(log.stop)
        return log

    def read(self, text: str) -> tuple[Table | None, list[str]]:
        """Return what a table is read as, and its problems."""
        document = Document(str(self.folder / "x.toml"), text)
        table = document.read(Table, document.table("t"), ("t",))
        return table, [problem.text for problem in document.problems]


def exchange(request: Request) -> Exchange:
    """Return a request with an answer."""
    return Exchange(request, 200, 1, 0.0, True)


def tell(log: AccessLog, request: Request) -> None:
    """Tell `log` of a request with an answer, where it wants to know."""
    if log.served is not None:
        log.served(exchange(request))


class Building(Case):
    def test_file(self) -> None:
        """A table has lines in its file, a second later at most, and none in the daemon's log."""
        log = self.log(self.file)
        log.start()
        tell(log, asked(target=b"/a"))
        self.clock.advance(1)
        self.assertEqual(
            self.file.file.read_text(),
            '192.0.2.7 - - [01/Jan/1970:00:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"\n',
        )
        self.assertEqual(self.events, [])

    def test_formats(self) -> None:
        """The table says which form the lines have, and whether queries stand in them."""
        request = asked(target=b"/?a=b")
        for form, wanted in ((Form.TIMED, '"-" 0.000000\n'), (Form.JSON, '"target": "/?a=b"')):
            file = self.folder / form.value
            log = self.log(evolve(self.file, file=file, format=form, query=True))
            tell(log, request)
            log.stop()
            self.assertIn(wanted, file.read_text())

    def test_switch(self) -> None:
        """`true` has lines in the daemon's log, `false` nowhere."""
        for setting, count in ((False, 0), (True, 1)):
            log = self.log(setting)
            log.start()
            tell(log, asked())
            log.reopen()
            log.stop()
            self.assertEqual(len(self.events), count)

    def test_reopen(self) -> None:
        """On request the file is opened anew."""
        log = self.log(self.file)
        log.start()
        self.file.file.unlink()
        log.reopen()
        self.assertTrue(self.file.file.exists())


class Clients(Case):
    def client(
        self, value: bytes, peer: IAddress | None = None, trusted: str = "10.0.0.0/8", **kw: Any
    ) -> str:
        """Return who the client is said to be."""
        networks: tuple[Network, ...] = ()
        table, _ = self.read(f'[t]\naccess_log = {{ file = "l", trusted_proxies = ["{trusted}"] }}')
        assert table is not None
        assert isinstance(table.access_log, AccessFile)
        networks = table.access_log.trusted_proxies
        setting = evolve(self.file, format=Form.JSON, trusted_proxies=networks, **kw)
        name = setting.client_field.value.encode()
        client = Visitor(peer or IPv4Address("TCP", "10.0.0.1", 1))
        log = self.log(setting)
        for _ in range(2):
            tell(log, asked(headers=((name, value),), client=client))
        tell(log, asked(client=client))
        log.stop()
        *said, without = self.file.file.read_text().splitlines()[-3:]
        self.assertEqual(json.loads(without)["client"], getattr(client.peer, "host", "unix"))
        first, second = (json.loads(line)["client"] for line in said)
        self.assertEqual(first, second)
        return str(first)

    def test_trusted(self) -> None:
        """Whom a trusted proxy names in its field is the client."""
        self.assertEqual(self.client(b"192.0.2.7"), "192.0.2.7")
        self.assertEqual(
            self.client(b'for="[2001:db8::1]:80"', client_field=ClientField.FORWARDED),
            "2001:db8::1",
        )
        self.assertEqual(self.client(b"192.0.2.7", UNIXAddress("")), "192.0.2.7")

    def test_not_trusted(self) -> None:
        """Nobody else is believed, and rubbish is not, either."""
        peer = IPv4Address("TCP", "192.0.2.7", 1)
        self.assertEqual(self.client(b"203.0.113.9", peer), "192.0.2.7")
        self.assertEqual(self.client(b"203.0.113.9", trusted="10.1.0.0/16"), "10.0.0.1")
        self.assertEqual(self.client(b'", "time": 1'), "10.0.0.1")
        self.assertEqual(self.client(b"rubbish", UNIXAddress("")), "unix")

    def test_long(self) -> None:
        """A long field is read as any other."""
        self.assertEqual(self.client(b"x" * KNOWN_BYTES + b", 192.0.2.7"), "192.0.2.7")

    def test_nobody_by_default(self) -> None:
        """Unless networks are named no field is believed."""
        log = self.log(self.file)
        tell(log, asked(headers=((b"X-Forwarded-For", b"203.0.113.9"),)))
        log.stop()
        self.assertTrue(self.file.file.read_text().startswith("192.0.2.7 "))


class Complaining(Case):
    def wrong(self, name: str) -> list[str]:
        """Return what is wrong with the file of that name."""
        file = self.folder / name
        found = list(complaints(evolve(self.file, file=file)))
        self.assertTrue(all(path == ("file",) for path, _ in found))
        return [text.replace(str(self.folder), "") for _, text in found]

    def test_right(self) -> None:
        """A file that is there or can be made, a pipe, and no file at all, are right."""
        (self.folder / "there").touch()
        os.mkfifo(self.folder / "pipe")
        (self.folder / "link").symlink_to("new")
        for name in ("there", "new", "pipe", "link"):
            self.assertEqual(self.wrong(name), [], name)
        self.assertEqual([*complaints(True), *complaints(False)], [])
        self.assertFalse((self.folder / "new").exists())

    def test_wrong(self) -> None:
        """A folder, what has no folder, and what is no file, are told, and what would be right."""
        (self.folder / "file").touch()
        (self.folder / "link").symlink_to("no/such")
        unix = socket.socket(socket.AF_UNIX)
        self.addCleanup(unix.close)
        unix.bind(str(self.folder / "socket"))
        self.assertEqual(
            [
                text
                for name in (".", "no/a", "link", "file/a", "socket")
                for text in self.wrong(name)
            ],
            [
                '"" is a folder; name a file in it',
                '"/no/a" is in a folder that is not there; make the folder',
                '"/link" is in a folder that is not there; make the folder',
                '"/file/a" cannot be written: not a directory',
                '"/socket" is no file that lines can be added to; name another',
            ],
        )

    @skipIf(os.geteuid() == 0, "root may write everything")
    def test_not_allowed(self) -> None:
        """What may not be written is told."""
        (self.folder / "file").touch(0o400)
        self.assertIn("cannot be written; let", self.wrong("file")[0])
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        self.assertIn("cannot be made; let", self.wrong("new")[0])


class Reading(Case):
    def test_mistakes(self) -> None:
        """What a table may not hold is told with what it may."""
        for text, wrong in (
            ('"on"', '"on" is not right; true, false or a table'),
            ("{}", "is missing"),
            (
                '{ file = "a", format = "combind" }',
                '"combind" is not known; did you mean "combined"?',
            ),
            (
                '{ file = "a", client_field = "X" }',
                '"X" is not known; did you mean "X-Forwarded-For"?',
            ),
            ('{ file = "a", trusted = [] }', 'is not known here; did you mean "trusted_proxies"?'),
        ):
            [problem] = self.read(f"[t]\naccess_log = {text}")[1]
            self.assertIn(wrong, problem)

    def test_reference(self) -> None:
        """The reference configuration has the table with every key and its default."""
        reference = (ROOT / "etc" / "netkit.toml").read_text()
        [example] = [line for line in reference.splitlines() if line.startswith("#   { file = ")]
        written = f"[t]\naccess_log = {example[1:]}"
        table, problems = self.read(written)
        self.assertEqual(problems, [])
        self.assertEqual(table, Table(AccessFile(file=self.folder / "access.log")))
        self.assertEqual(
            list(tomllib.loads(written)["t"]["access_log"]),
            [field.name for field in attrs.fields(AccessFile)],
        )
        for form in Form:
            self.assertIn(f'"{form.value}"', reference)
