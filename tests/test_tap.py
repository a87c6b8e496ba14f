"""netkit as twistd starts it, as an operator sees it."""

import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from textwrap import dedent
from unittest import SkipTest, skipUnless

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.certificate import provide
from tests.running import AS_NOBODY, TWISTD, netkit, run, start

root_only = skipUnless(os.geteuid() == 0, "needs root")
ECHO = """
    [service.echo]
    listen = "tcp:0:interface=127.0.0.1"
    """


def echoed(port: int, host: str = "127.0.0.1") -> bytes:
    """Return what comes back of three bytes sent to the echo service at `port`."""
    with socket.create_connection((host, port), 10) as connection:
        connection.sendall(b"abc")
        return connection.recv(3)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class TapTestCase(SynchronousTestCase):
    def config(self, text: str) -> str:
        """Write a configuration file and return its name."""
        name = Path(self.mktemp()).absolute()
        name.write_text(dedent(text))
        return str(name)

    def twistd(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run twistd with `options` to its end."""
        return run([str(TWISTD), "-n", "--pidfile=", *options])


class CheckTests(TapTestCase):
    def test_right(self) -> None:
        """A check of a right file prints what would listen where, and exits 0."""
        ran = self.twistd("netkit", "--check", "--config", self.config(ECHO))
        self.assertEqual(ran.stdout, "echo  tcp:0:interface=127.0.0.1\nconfiguration OK\n")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_reference(self) -> None:
        """The reference configuration is right."""
        ran = self.twistd("netkit", "--check")
        missing = "etc/tls"  # made by `make run`
        self.assertTrue(ran.returncode == 0 or missing in ran.stderr, ran.stderr)

    def test_wrong(self) -> None:
        """Of a wrong file each mistake is a line on standard error, nothing starts, exit 1."""
        name = self.config('[service.echo]\nlisten = "tpc:80"\nmod = "raw"\n')
        for options in (("--check",), ()):
            ran = self.twistd("netkit", "--config", name, *options)
            self.assertEqual((ran.returncode, ran.stdout), (1, ""))
            self.assertEqual(len(ran.stderr.splitlines()), 2)
            self.assertTrue(ran.stderr.startswith(f"{name}:2: [service.echo] listen: "))

    def test_missing(self) -> None:
        """A missing file is one line and exit 1."""
        ran = self.twistd("netkit", "--config", "/nowhere.toml")
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(ran.stderr, "/nowhere.toml: cannot be read: no such file or directory\n")


class StartTests(TapTestCase):
    def test_serves(self) -> None:
        """It says where it listens, serves there, and ends without a complaint."""
        with netkit(ECHO, self.mktemp()) as running:
            self.assertEqual(echoed(running.ports["echo"][0]), b"abc")
            code = running.stop()
        self.assertIn(code, {0, -signal.SIGTERM})
        self.assertNotIn("Traceback", "\n".join(running.lines))

    def test_taken(self) -> None:
        """A port that is taken is one clear line, nothing else starts, and the exit is 1."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            text = ECHO.replace("tcp:0", f"tcp:{port}")
            ran = self.twistd(*AS_NOBODY, "netkit", "--config", self.config(text))
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(
            ran.stderr,
            f"netkit: echo: cannot listen on tcp:{port}:interface=127.0.0.1: the address is in use;"
            " is another server, or another netkit, running there?\n",
        )

    def test_background(self) -> None:
        """In the background a start that fails is told to who started it, and leaves no pid file."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        pid, log = folder / "pid", folder / "log"
        ran = self.fails(f"--pidfile={pid}", f"--logfile={log}")
        self.assertIn("cannot listen on", ran.stderr)
        self.assertIn("the address is in use", log.read_text())
        wait_for_end(pid)  # the parent is told before the child has cleaned up
        self.assertFalse(pid.exists())

    def test_logfile(self) -> None:
        """Twistd's --logfile is where the lines go, in the format of the table [log]."""
        log = Path(self.mktemp()).absolute()
        self.fails("-n", "--pidfile=", f"--logfile={log}", log='format = "json"')
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        (refusal,) = (line for line in lines if line["level"] == "critical")
        self.assertIn("the address is in use", refusal["text"])

    def fails(self, *twistd: str, log: str = "") -> "subprocess.CompletedProcess[str]":
        """Start netkit on a port that is taken; return what it printed, having exited with 1."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            text = ECHO.replace("tcp:0", f"tcp:{other.getsockname()[1]}")
            config = self.config(f"[log]\n{log}\n{dedent(text)}")
            ran = run([str(TWISTD), *AS_NOBODY, *twistd, "netkit", "--config", config])
        self.assertEqual(ran.returncode, 1)
        return ran


def wait_for_end(pid: Path) -> None:
    """Wait until the process is over whose number is in the file `pid`, where there is one still."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        process = os.pidfd_open(int(pid.read_text()))
        try:
            select.select([process], [], [], 30)
        finally:
            os.close(process)


class TacTests(TapTestCase):
    def test_serves(self) -> None:
        """A .tac file of two lines serves the same."""
        port = free_port()
        user = 'user = "nobody"' if os.geteuid() == 0 else ""
        config = self.config(
            f"[daemon]\n{user}\n[service.echo]\nlisten = 'tcp:{port}:interface=127.0.0.1'\n"
        )
        tac = self.config(
            f"from netkit.application import application as serve\napplication = serve({config!r})\n"
        )
        with start([str(TWISTD), "-n", "--pidfile=", "-y", tac]) as running:
            running.wait_for("serves what")
            self.assertEqual(echoed(port), b"abc")

    def test_wrong(self) -> None:
        """Mistakes are told in lines, without a traceback."""
        tac = self.config(
            "from netkit.application import application as serve\napplication = serve('/no.toml')\n"
        )
        ran = self.twistd("-y", tac)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("/no.toml: cannot be read: no such file or directory", ran.stderr)
        self.assertNotIn("Traceback", ran.stdout + ran.stderr)


class SystemdTests(TapTestCase):
    def test_named_descriptor(self) -> None:
        """A socket that systemd opened and named is served, and needs no root."""
        activate = which("systemd-socket-activate")
        if activate is None:
            raise SkipTest("needs systemd-socket-activate, of the package systemd")
        port = free_port()
        config = self.config('[service.echo]\nlisten = "systemd:domain=INET:name=echo"\n')
        command = [activate, "-l", f"127.0.0.1:{port}", "--fdname=echo", "-E", "PYTHONPATH"]
        command += [str(TWISTD), *AS_NOBODY, "-n", "--pidfile=", "netkit", "--config", config]
        with start(command) as running:
            running.wait_for("Listening on")
            self.assertEqual(echoed(port), b"abc")

    def test_units(self) -> None:
        """The unit is hardened to an exposure of 1.1 at most, in systemd's own count."""
        analyze = which("systemd-analyze")
        if analyze is None:
            raise SkipTest("needs systemd-analyze, of the package systemd")
        ran = run(
            [analyze, "security", "--offline=true", "--threshold=11", "systemd/netkit.service"]
        )
        self.assertEqual(ran.returncode, 0, ran.stdout)


class RootTests(TapTestCase):
    @root_only
    def test_unnamed(self) -> None:
        """Started as root with no user named it refuses, with the line to write."""
        ran = self.twistd("netkit", "--config", self.config(ECHO))
        self.assertEqual(ran.returncode, 1)
        self.assertIn('write user = "nobody" in the table [daemon]', ran.stderr)
        self.assertNotIn("Traceback", ran.stderr)

    @root_only
    def test_twist(self) -> None:
        """Started by twist, which never sheds, it refuses."""
        twist = str(TWISTD.with_name("twist"))
        text = '[daemon]\nuser = "nobody"\n' + dedent(ECHO)
        ran = run([twist, "netkit", "--config", self.config(text)])
        self.assertEqual(ran.returncode, 1)
        self.assertIn("twist never sheds root; start it with twistd", ran.stderr)

    def _becomes(self, user: str, uid: int) -> None:
        port = next(port for port in range(1, 1024) if _is_free(port))
        text = f"[daemon]\n{user}\n" + dedent(ECHO).replace("tcp:0", f"tcp:{port}")
        with netkit(text, self.mktemp(), twistd=("-n", "--pidfile=")) as running:
            status = Path(f"/proc/{running.pid}/status").read_text()
            self.assertEqual(echoed(port), b"abc")
        found = dict(line.split(":", 1) for line in status.splitlines())
        for ids in ("Uid", "Gid"):
            self.assertEqual(found[ids].split(), [str(uid)] * 4)
        self.assertEqual(found["Groups"].split(), [str(uid)])
        self.assertEqual(int(found["CapEff"], 16), 0)
        self.assertEqual(int(found["CapPrm"], 16), 0)

    @root_only
    def test_sheds(self) -> None:
        """It binds a low port as root and serves as the user: /proc shows no root anywhere."""
        self._becomes('user = "nobody"', 65534)

    @root_only
    def test_number(self) -> None:
        """A number without a passwd entry will do as a user."""
        self._becomes("user = 54321\ngroup = 54321", 54321)

    @root_only
    def test_background(self) -> None:
        """In the background, too, it serves as the user."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        port = free_port()
        text = '[daemon]\nuser = "nobody"\n' + dedent(ECHO).replace("tcp:0", f"tcp:{port}")
        command = [str(TWISTD), f"--pidfile={folder}/pid", f"--logfile={folder}/log"]
        ran = run([*command, "netkit", "--config", self.config(text)])
        self.assertEqual(ran.returncode, 0, ran.stderr)
        pid = int((folder / "pid").read_text())
        try:
            self.assertEqual(echoed(port), b"abc")
            self.assertEqual(Path(f"/proc/{pid}").stat().st_uid, 65534)
        finally:
            os.kill(pid, signal.SIGTERM)

    @root_only
    def test_keys_but_not_pages(self) -> None:
        """What only root may read is served as a key, read before the shedding, not as a page."""
        folder = Path(tempfile.mkdtemp())  # a checkout may lie in a home that nobody may enter
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        (folder / "www").mkdir()
        provide(folder / "tls", ("localhost",), datetime.now(UTC))
        (folder / "www" / "open").write_text("for all")
        (folder / "www" / "shut").write_text("for root")
        (folder / "www" / "shut").chmod(0o600)
        text = f"""
            [daemon]
            user = "nobody"
            [tls.main]
            certificates = "{folder}/tls"
            [service.web]
            kind = "site"
            listen = [{{ endpoint = "tcp:0:interface=127.0.0.1", tls = "main" }}]
            mount = [{{ path = "/", kind = "static", root = "{folder}/www" }}]
            [service.proxy]
            listen = "tcp:0:interface=127.0.0.1"
            destination = [{{ action = "allow", networks = ["127.0.0.0/8", "::1"] }}]
            """
        self.assertEqual((folder / "tls" / "localhost.pem").stat().st_mode & 0o77, 0)
        remark = f"tls.main: what is in {folder}/tls is read before root is shed"
        checked = self.twistd("netkit", "--check", "--config", self.config(text))
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn(f"\n{remark}", checked.stdout)
        with netkit(text, str(folder), twistd=("-n", "--pidfile=")) as running:
            (port,) = running.ports["web"]
            context = ssl.create_default_context(cafile=folder / "tls" / "localhost.pem")
            self.assertEqual(fetched(port, "/open", context), (200, b"for all"))
            self.assertEqual(fetched(port, "/shut", context)[0], 404)
            (proxy,) = running.ports["proxy"]
            target = (
                f"http://localhost:{free_port()}/"  # a name: looking it up needs no file of root's
            )
            self.assertEqual(fetched(proxy, target)[0], 502)
            self.assertIn("warn", running.wait_for(remark))
        self.assertNotIn("Traceback", "\n".join(running.lines))


def fetched(port: int, target: str, tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Return the status and the body that `target` has at a port of this host."""
    connection = (
        http.client.HTTPSConnection("localhost", port, timeout=20, context=tls)
        if tls
        else http.client.HTTPConnection("localhost", port, timeout=20)
    )
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
