"""The command that scans, on loopback, beside nmap."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.tools.scan import Line, taken_apart
from tests.running import ROOT
from tests.tools.commanded import Ran, called
from tests.tools.scanning.hosts import closed, listening, silent, sockets

PRLIMIT, NMAP = shutil.which("prlimit"), shutil.which("nmap")
LISTENERS = Path("/proc/net/tcp"), Path("/proc/net/tcp6")
LISTENING = "0A"  # TCP_LISTEN, as the kernel writes it there


async def scan(*arguments: str, within: tuple[str, ...] = ()) -> Ran:
    """Run `netkit scan` as a process of its own, `within` a command that runs others."""
    command = [*within, sys.executable, "-W", "error", "-m", "netkit.tools", "scan", *arguments]
    program, line = command[0], command[1:]
    out, errors, status = await getProcessOutputAndValue(
        program, line, env={"PYTHONPATH": str(ROOT)}
    )
    return Ran(status, out.decode(), errors.decode())


def listened_to() -> set[int]:
    """Return the ports that somebody on this host listens to, as the kernel says."""
    files = [file.read_text() for file in LISTENERS if file.exists()]
    lines = [line.split() for file in files for line in file.splitlines()]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == LISTENING}


class LineTests(SynchronousTestCase):
    """Which arguments are hosts, and which are ports."""

    def test_last(self) -> None:
        """The last argument is PORTS where it looks like it, and only that one."""
        self.assertEqual(taken_apart(["a", "b", "22"]), Line(["a", "b"], "22"))
        self.assertEqual(taken_apart(["a", "http"]), Line(["a", "http"]))
        self.assertEqual(taken_apart(["a", "http,"]), Line(["a"], "http,"))
        self.assertEqual(taken_apart(["::1"]), Line(["::1"]))

    def test_apart(self) -> None:
        """With -p all arguments are hosts, whatever they look like."""
        self.assertEqual(taken_apart(["a", "22"], "80"), Line(["a", "22"], "80"))

    def test_no_host(self) -> None:
        """Ports alone are scanned nowhere."""
        self.assertRaises(ValueError, taken_apart, ["22"])

    def test_wrong(self) -> None:
        """What is wrong on the line is one line, and nothing is scanned."""
        for line, said in (
            ("22", '"22" are ports; which host?'),
            (
                "10.0.0.0/8 22",
                '"10.0.0.0/8" has too many addresses; /16 or longer, 65,536 addresses',
            ),
            ("127.0.0.1 0", "0 is not a port; 1 to 65535"),
            (
                "-p nosuch 127.0.0.1",
                '"nosuch" is no port and no known service; a port (1 to 65535), ',
            ),
            (
                "127.0.0.1:22",
                '"127.0.0.1:22" is neither an address nor a host name; as in: scan 127.0.0.1 22',
            ),
        ):
            with self.subTest(line):
                ran = called("scan", *line.split())
                self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
                self.assertTrue(ran.errors.startswith(f"netkit: {said}"), ran.errors)
        self.assertEqual(called("scan", "--jobs", "0", "::1").status, 2)


class CommandTests(TestCase):
    """The command as a user calls it."""

    async def test_connection_test(self) -> None:
        """Row 13 of the tutorials' programs: HOST PORT says whether it connects, or why not."""
        stack = sockets(self)
        open_, shut, mute = listening(stack), closed(stack), silent(stack)
        ran = await scan("localhost", str(open_))
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertRegex(
            ran.out,
            rf"^localhost \(127\.0\.0\.1\) port {open_}.*: open, connected in [\d.]+ m?s\n$",
        )
        ran = await scan("127.0.0.1", str(shut))
        self.assertEqual((ran.status, ran.errors), (1, ""))
        self.assertRegex(ran.out, rf"^127\.0\.0\.1 port {shut}.*: closed, connection refused\n$")
        ran = await scan("--timeout", "0.3", "127.0.0.1", str(mute))
        self.assertEqual((ran.status, ran.errors), (1, ""))
        self.assertRegex(ran.out, rf"port {mute}.*: filtered, no answer within 0\.3 s\n$")
        ran = await scan("nosuch.invalid", "22")
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertEqual(ran.errors, "netkit: nosuch.invalid: no address is known\n")

    async def test_port_scanner(self) -> None:
        """Row 14: the ports 1 to 200 of a host at once, and the open ones are listed."""
        before = listened_to()
        ran = await scan("127.0.0.1", "1-200")
        shown = {int(line.split("\t")[1]) for line in ran.out.splitlines()}
        self.assertEqual(ran.status, 0 if shown else 1)
        self.assertRegex(ran.errors, r"^netkit: 127\.0\.0\.1: .*\d+ closed \(refused\) in ")
        self.assertLessEqual(shown, before | listened_to())

    async def test_forms(self) -> None:
        """The forms of one scan say the same."""
        stack = sockets(self)
        open_, shut = listening(stack), closed(stack)
        ports = f"{open_},{shut}"
        table = await scan("--all", "127.0.0.1", ports)
        self.assertEqual(
            sorted(line.split("\t")[2] for line in table.out.splitlines()), ["closed", "open"]
        )
        line = await scan("--oneline", "127.0.0.1", "127.0.0.2", ports)
        self.assertRegex(line.out, rf"^127\.0\.0\.1: {open_}/open/\S*\n$")
        value = json.loads((await scan("--json", "127.0.0.1", ports)).out)
        self.assertEqual([each["port"] for each in value["ports"]], [open_])
        self.assertEqual([each["ports"] for each in value["others"]], [str(shut)])

    async def test_a_service_for_a_host(self) -> None:
        """A service that is taken for a host is told how it is written; the rest is scanned."""
        ran = await scan("127.0.0.1", "ms-sql-s")
        self.assertEqual(ran.status, 2)
        self.assertIn('a service is meant? write "-p ms-sql-s"', ran.errors)
        self.assertIn("127.0.0.1: ", ran.errors)


class AllPortsTests(TestCase):
    """All ports of this host, with as few descriptors as a user may have."""

    skip = None if PRLIMIT else "there is no prlimit (Debian: util-linux)"

    async def test_none_wrong(self) -> None:
        """With 300 descriptors every one of 50 listeners is found, and nothing that is none."""
        assert PRLIMIT is not None
        stack = sockets(self)
        # An address of our own: who else listens on this host meanwhile does not get into the way.
        host = f"127.77.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF | 1}"
        ours = {listening(stack, host=host) for _ in range(50)}
        for _ in range(2):
            before = listened_to()
            ran = await scan("--json", host, "1-65535", within=(PRLIMIT, "--nofile=300:300"))
            self.assertEqual((ran.status, ran.errors), (0, ""))
            value = json.loads(ran.out)
            found = {each["port"] for each in value["ports"]}
            self.assertLessEqual(ours, found)
            self.assertLessEqual(found, before | listened_to())
            self.assertEqual([each["state"] for each in value["others"]], ["closed"])


class NmapTests(TestCase):
    """Beside nmap."""

    skip = None if NMAP else "there is no nmap (Debian: nmap)"

    async def test_the_same(self) -> None:
        """The connect scan of nmap says the same of open, closed and filtered ports."""
        assert NMAP is not None
        stack = sockets(self)
        ports = [listening(stack) for _ in range(8)]
        ports += [closed(stack) for _ in range(8)] + [silent(stack) for _ in range(2)]
        written = ",".join(map(str, ports))
        line = ("-n", "-Pn", "-sT", "-T5", "-oG", "-", "-p", written, "127.0.0.1")
        said, _, _ = await getProcessOutputAndValue(NMAP, line)
        theirs = dict(re.findall(r"(\d+)/(\w+)/tcp", said.decode()))
        ran = await scan("--oneline", "--all", "--timeout", "1", "127.0.0.1", written)
        self.assertEqual(dict(re.findall(r"(\d+)/(\w+)/", ran.out)), theirs)
        self.assertEqual(len(theirs), len(ports))
