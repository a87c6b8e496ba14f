"""`netkit connect` as it is called, beside the programs that it is like. Origins row 15."""

import fcntl
import os
import pty
import re
import socket
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from netkit.services.echo.protocol import RawEcho
from netkit.tools.certificate import NAMES, provide
from tests.tools.bridging.programs import PIPES, One, Peer, Program, begin, netkit, peer, serve
from tests.tools.commanded import ROOT

HERE = "127.0.0.1"
LISTENING = re.compile(rb"listening on \S+:(\d+)")


class Row15Tests(TestCase):
    timeout = 40

    async def test_row_15(self) -> None:
        """Row 15: input to the server, server to output, LF as CRLF, says when connected, ends with it."""
        server, port = peer(self)
        ours = netkit(self, "connect", "-v", "--crlf", HERE, port)
        await ours.says(f"netkit: connected to {HERE}:{port}\n".encode())
        ours.type(b"hello\n")
        await server.hears(7)
        server.transport.write(b"and bye\n")
        server.transport.loseConnection()
        self.assertEqual(
            (await ours.ended, server.heard, ours.out), (0, b"hello\r\n", b"and bye\n")
        )
        self.assertIn(b"netkit: the peer ended; 7 bytes sent, 8 received\n", ours.errors)


class EndTests(TestCase):
    """Which ends first, by real descriptors."""

    timeout = 40

    async def test_input_first(self) -> None:
        """The peer gets our FIN, and its answer comes through whole."""
        server, port = peer(self)
        ours = netkit(self, "connect", HERE, port)
        ours.type(b"question")
        ours.hang_up()
        await server.silent
        server.transport.write(b"a" * 300_000)
        server.transport.loseConnection()
        self.assertEqual((await ours.ended, len(ours.out), ours.errors), (0, 300_000, b""))
        self.assertEqual(server.heard, b"question")

    async def test_no_input(self) -> None:
        """An input that is /dev/null, or was closed, is at its end."""
        for redirection in ("</dev/null", "<&-"):
            server, port = peer(self)
            script = f"exec python -m netkit.tools connect {HERE} {port} {redirection}"
            ours = self.shell(script)
            await server.silent
            server.transport.write(b"answer")
            server.transport.loseConnection()
            self.assertEqual((await ours.ended, ours.out, ours.errors), (0, b"answer", b""))

    def shell(self, script: str) -> Program:
        """Start a script, in which `python` is the one that runs this."""
        return begin(self, "sh", "-c", script.replace("python", f"{sys.executable} -W error", 1))

    def file(self, data: bytes = b"") -> int:
        """Return a descriptor of a file that has `data`, and stands at its beginning."""
        path = Path(self.mktemp())
        path.write_bytes(data)
        fileno = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, fileno)
        return fileno

    async def test_file(self) -> None:
        """A file is sent whole, though the peer ends first; and a file is written whole."""
        data = os.urandom(3_000_000)
        kept = self.file()
        server, port = peer(self)
        ours = netkit(
            self, "connect", HERE, port, descriptors={0: self.file(data), 1: kept, 2: "r"}
        )
        await server.made
        server.transport.write(data[::-1])
        server.transport.loseWriteConnection()
        self.assertEqual((await ours.ended, ours.errors), (0, b""))
        await server.silent
        self.assertTrue(server.heard == data)
        self.assertTrue(os.pread(kept, 9_000_000, 0) == data[::-1])
        server.transport.loseConnection()

    async def test_echo(self) -> None:
        """What netkit's echo service is sent comes back, every byte of it."""
        data = os.urandom(2_000_000)
        port = serve(self, One(RawEcho()))
        ours = netkit(self, "connect", f"tcp:{HERE}:{port}")
        ours.type(data)
        ours.hang_up()
        self.assertEqual(await ours.ended, 0)
        self.assertTrue(ours.out == data)

    async def test_reset(self) -> None:
        """A peer that breaks off, with bytes of ours unread, has what it said last written; exit 2."""
        listening = socket.create_server((HERE, 0))
        self.addCleanup(listening.close)
        port = listening.getsockname()[1]
        files = {**PIPES, 0: self.file(b"x" * 20_000_000)}
        ours = netkit(self, "connect", HERE, str(port), descriptors=files)

        def refuse() -> None:
            connected, _ = listening.accept()
            connected.recv(1)
            connected.sendall(b"413 too much\n")
            connected.close()

        await deferToThread(refuse)
        self.assertEqual((await ours.ended, ours.out), (2, b"413 too much\n"))
        self.assertEqual(ours.errors, f"netkit: {HERE}:{port}: the connection broke off\n".encode())

    async def test_nobody_reads(self) -> None:
        """Where nobody reads the output it ends quietly, as programs in a pipe do."""
        server, port = peer(self)
        reader, writer = os.pipe()
        os.close(reader)
        ours = netkit(self, "connect", HERE, port, descriptors={**PIPES, 1: writer})
        os.close(writer)
        await server.made
        server.transport.write(b"data")
        self.assertEqual((await ours.ended, ours.errors), (141, b""))

    async def test_refused(self) -> None:
        """Where there is no connection it says why in one line."""
        with socket.socket() as nobody:
            nobody.bind((HERE, 0))
            port = nobody.getsockname()[1]
            ours = netkit(self, "connect", HERE, str(port))
            self.assertEqual(await ours.ended, 2)
        self.assertEqual(ours.errors, f"netkit: {HERE}:{port}: connection refused\n".encode())

    async def test_sockets(self) -> None:
        """Sockets are input and output as well, as under inetd."""
        server, port = peer(self)
        mine, theirs = socket.socketpair()
        self.addCleanup(mine.close)
        both = {**PIPES, 0: theirs.fileno(), 1: theirs.fileno()}
        ours = netkit(self, "connect", HERE, port, descriptors=both)
        theirs.close()
        mine.sendall(b"question")
        await server.hears(8)
        server.transport.write(b"answer")
        server.transport.loseConnection()
        self.assertEqual((await ours.ended, mine.recv(99)), (0, b"answer"))


class TerminalTests(TestCase):
    """A terminal, which others use as well."""

    timeout = 40

    def setUp(self) -> None:
        self.user, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.user)
        self.addCleanup(os.close, self.terminal)
        self.before = self.state()

    def state(self) -> tuple[object, ...]:
        """Return what a program could leave changed."""
        flags = fcntl.fcntl(self.terminal, fcntl.F_GETFL)
        return flags, termios.tcgetattr(self.terminal)

    async def call(self, *options: str) -> tuple[Peer, Program]:
        """Start it on the terminal; return the peer that it has called, and it."""
        server, port = peer(self)
        ends: dict[int, str | int] = {0: self.terminal, 1: self.terminal, 2: "r"}
        ours = netkit(self, "connect", *options, HERE, port, descriptors=ends)
        await server.made
        return server, ours

    async def test_peer_first(self) -> None:
        """The end of the peer is the end, though one could still type; the terminal is as it was."""
        server, ours = await self.call()
        os.write(self.user, b"typed\n")
        await server.hears(6)
        self.assertEqual(self.state(), self.before)
        server.transport.write(b"shown\n")
        server.transport.loseConnection()
        self.assertEqual((await ours.ended, ours.errors), (0, b""))
        self.assertEqual(os.read(self.user, 99), b"typed\r\nshown\r\n")
        self.assertEqual(self.state(), self.before)

    async def test_end_of_file(self) -> None:
        """Ctrl-D is the end of the input, and the answer comes still."""
        server, ours = await self.call()
        os.write(self.user, b"typed\n\x04")
        await server.silent
        server.transport.write(b"shown\n")
        server.transport.loseConnection()
        self.assertEqual(await ours.ended, 0)
        self.assertEqual(os.read(self.user, 99), b"typed\r\nshown\r\n")

    async def test_interrupted(self) -> None:
        """Ctrl-C ends it and the connection, and leaves the terminal as it was."""
        server, ours = await self.call("-v")
        await ours.says(b"connected")
        ours.transport.signalProcess("INT")
        self.assertEqual(await ours.ended, 130)
        self.assertFalse(await server.lost)
        self.assertEqual(self.state(), self.before)


class OthersTests(TestCase):
    """The other end is somebody else's program."""

    timeout = 40

    async def listening(self, *options: str) -> tuple[Program, str]:
        """Start ours, which waits to be called; return it and the port."""
        ours = netkit(self, "connect", "-v", "--listen", *options, HERE, "0")
        await ours.says(b"listening on ")
        found = LISTENING.search(ours.errors)
        assert found
        return ours, found[1].decode()

    def path(self) -> str:
        """Return a path for a socket, short enough for one."""
        return os.path.relpath(self.mktemp(), ROOT)

    async def test_nc_listens(self) -> None:
        """Netcat that waits on a UNIX socket gets what is sent, and is heard, whoever ends first."""
        for program, options in (("nc", ("-lvNU",)), ("ncat", ("-lvU",))):
            path = self.path()
            other = begin(self, program, *options, path)
            await other.says(b"istening on")
            ours = netkit(self, "connect", f"unix:{path}")
            ours.type(b"question\n")
            await other.says(b"question\n")
            other.type(b"answer\n")
            await ours.says(b"answer\n")
            ours.hang_up()
            other.hang_up()
            self.assertEqual((await ours.ended, ours.out, ours.errors), (0, b"answer\n", b""))
            self.assertEqual((await other.ended, other.out), (0, b"question\n"))

    async def test_nc_calls(self) -> None:
        """Netcats that call are served, and end as we do."""
        for program, options in (("nc", ("-N",)), ("ncat", ())):
            ours, port = await self.listening("--send-all")
            other = begin(self, program, *options, HERE, port)
            other.type(b"question\n")
            other.hang_up()
            await ours.says(b"question\n")
            ours.type(b"answer\n")
            ours.hang_up()
            self.assertEqual((await other.ended, other.out), (0, b"answer\n"))
            self.assertEqual((await ours.ended, ours.out), (0, b"question\n"))

    async def test_keep(self) -> None:
        """With --keep one caller comes after the other, and who comes meanwhile waits."""
        ours, port = await self.listening("--keep")
        first, second = (begin(self, "nc", "-N", HERE, port) for _ in range(2))
        for each in (first, second):
            each.type(b"hello\n")
        await ours.says(b"hello\n")
        self.assertEqual(ours.out, b"hello\n")
        for each in (first, second):
            each.hang_up()
        ours.hang_up()
        self.assertEqual((await first.ended, await second.ended), (0, 0))
        await ours.says(b"hello\nhello\n")

    async def test_socat(self) -> None:
        """Socat's shell hears our end and says its last."""
        other = begin(
            self, "socat", "-d", "-d", f"TCP-LISTEN:0,bind={HERE}", "SYSTEM:cat; echo bye"
        )
        await other.says(b"listening on")
        await other.says(b"\n")
        found = re.search(rb"listening on .*:(\d+)", other.errors)
        assert found
        ours = netkit(self, "connect", HERE, found[1].decode())
        ours.type(b"hello\n")
        ours.hang_up()
        self.assertEqual((await ours.ended, ours.out), (0, b"hello\nbye\n"))


class OpensslTests(TestCase):
    """The other end is OpenSSL's."""

    timeout = 40

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        provide(folder, NAMES, datetime.now(UTC))
        self.pem = str((folder / "localhost.pem").resolve())

    async def serving(self, *options: str) -> tuple[Program, str]:
        """Start `openssl s_server`; return it and its port."""
        where = ("-accept", f"{HERE}:0", "-cert", self.pem, "-naccept", "1")
        other = begin(self, "openssl", "s_server", *where, *options)
        await other.says(b"ACCEPT ")
        await other.says(b"\n")
        found = re.search(rb"ACCEPT \S+:(\d+)", other.out + other.errors)
        assert found
        return other, found[1].decode()

    async def test_server(self) -> None:
        """Its name is checked, what it says is shown, and close_notify tells it of our end."""
        other, port = await self.serving("-rev")
        ours = netkit(self, "connect", "-v", "--tls", "--cacert", self.pem, "localhost", port)
        ours.type(b"hello\n")
        await ours.says(b"olleh\n")
        ours.hang_up()
        self.assertEqual((await ours.ended, ours.out), (0, b"olleh\n"))
        told = rf"connected to {HERE}:{port}, TLSv1.3, certificate of localhost, {HERE}, ::1\n"
        self.assertRegex(ours.errors.decode(), told)
        await other.says(b"CONNECTION CLOSED")

    async def test_answer_behind_our_end(self) -> None:
        """What a server says behind our close_notify still comes; so it does without one."""
        for options in ((), ("--no-shutdown",)):
            _, port = await self.serving("-www")
            where = ("--cacert", self.pem, *options, f"tls:localhost:{port}")
            ours = netkit(self, "connect", *where)
            ours.type(b"GET / HTTP/1.0\r\n\r\n")
            ours.hang_up()
            self.assertEqual((await ours.ended, ours.errors), (0, b""))
            self.assertTrue(ours.out.rstrip().endswith(b"</HTML>"))

    async def test_not_to_be_trusted(self) -> None:
        """A server that cannot prove its name gets nothing; --insecure takes it all the same."""
        for options, status, errors in (
            ((), 2, rb"netkit: \S+: its certificate is self-signed\n"),
            (
                ("--servername", "b.example", "--cacert", self.pem),
                2,
                rb'.* is not for "b.example"\n',
            ),
            (("--insecure",), 0, b""),
        ):
            _, port = await self.serving("-rev")
            ours = netkit(self, "connect", "--tls", *options, "localhost", port)
            ours.type(b"hello\n")
            ours.hang_up()
            self.assertEqual(await ours.ended, status)
            self.assertRegex(ours.errors, rb"\A" + errors + rb"\Z")
            self.assertEqual(ours.out, b"" if status else b"olleh\n")

    async def test_client(self) -> None:
        """With a certificate we are the server, for s_client as well."""
        ours = netkit(self, "connect", "-v", "--listen", "--cert", self.pem, HERE, "0")
        await ours.says(b"listening on ")
        found = LISTENING.search(ours.errors)
        assert found
        where = ("-connect", f"localhost:{found[1].decode()}", "-CAfile", self.pem)
        other = begin(self, "openssl", "s_client", "-quiet", "-verify_return_error", *where)
        other.type(b"question\n")
        await ours.says(b"question\n")
        ours.type(b"answer\n")
        await other.says(b"answer\n")
        ours.hang_up()
        self.assertEqual(await ours.ended, 0)

    async def test_nothing_to_say(self) -> None:
        """With TLS an input that is empty leaves the peer the time to send a file."""
        ours = netkit(self, "connect", "-v", "--listen", "--cert", self.pem, HERE, "0")
        ours.hang_up()
        await ours.says(b"listening on ")
        found = LISTENING.search(ours.errors)
        assert found
        data = os.urandom(3_000_000)
        where = ("--cacert", self.pem, f"tls:localhost:{found[1].decode()}")
        other = netkit(self, "connect", *where)
        other.type(data)
        other.hang_up()
        self.assertEqual((await other.ended, other.errors, await ours.ended), (0, b"", 0))
        self.assertTrue(ours.out == data)
