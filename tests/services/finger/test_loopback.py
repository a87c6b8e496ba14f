"""Others' programs on the loopback: netcat, and Debian's finger, which knows only port 79."""

from pathlib import Path
from shutil import which

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SkipTest, TestCase

from netkit.services.finger import Settings
from netkit.services.finger.service import Finger, build
from netkit.services.finger.users import Backend
from netkit.services.kind import NoOptions, World
from tests.services.finger.fakes import MOSHEZ, Log, SlowUsers

USERS = Path(__file__).parents[3] / "etc" / "users.toml"
SETTINGS = Settings(users=USERS)


class Loopback(TestCase):
    """Serves the users of etc/ on the loopback, to a program that must be there."""

    timeout = 30
    program: str

    def setUp(self) -> None:
        if which(self.program) is None:
            raise SkipTest(f"{self.program} is not installed")
        self.log = Log()
        self.world = World(clock=reactor, network=reactor, log=self.log.logger())

    async def serve(self, port: int = 0, backend: Backend | None = None) -> int:
        """Listen until the test ends; return the port."""
        if backend is None:
            service = build(SETTINGS, {}, self.world)
        else:
            service = Finger(SETTINGS, backend, self.world)
        endpoint = TCP4ServerEndpoint(reactor, port, interface="127.0.0.1")
        listening = await endpoint.listen(service.factory(NoOptions()))
        self.addCleanup(listening.stopListening)
        host = listening.getHost()
        assert isinstance(host, IPv4Address)
        return host.port

    async def run_program(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run the program; return what it has printed when it ends."""
        path = which(self.program)
        assert path is not None
        printed, _, _ = await getProcessOutputAndValue(path, arguments, stdinBytes=stdin)
        return bytes(printed)


class NetcatTests(Loopback):
    program = "nc"

    async def ask(self, query: bytes, port: int) -> bytes:
        """Return the answer to `query`, behind which netcat closes its half."""
        return await self.run_program("-N", "127.0.0.1", str(port), stdin=query)

    async def test_half_close(self) -> None:
        """A client that closes its half behind the query gets the whole answer."""
        answer = await self.ask(b"moshez\r\n", await self.serve())
        self.assertIn(b"Happy and well", answer.split(b"\r\n"))

    async def test_half_close_while_looking_up(self) -> None:
        """So does one whose look-up takes longer than its half-close."""
        backend = SlowUsers()
        reactor.callLater(0.1, backend.asked.callback, MOSHEZ)
        answer = await self.ask(b"moshez\n", await self.serve(backend=backend))
        self.assertIn(b"Happy and well", answer.split(b"\r\n"))

    async def test_list(self) -> None:
        """An empty line gets the list, a line of rubbish does not, and nor does half a line."""
        port = await self.serve()
        self.assertIn(b"Radia Perlman", await self.ask(b"\n", port))
        self.assertNotIn(b"janitor", await self.ask(b"\r\n", port))
        self.assertEqual(b"No such user\r\n", await self.ask(b"\x00\xff\x1b[2J\n", port))
        self.assertEqual(b"", await self.ask(b"moshez", port))
        self.assertEqual(3, len(self.log.events))

    async def test_megabyte(self) -> None:
        """A megabyte without a line's end is let go, and the next client is served."""
        port = await self.serve()
        await self.ask(b"a" * 2**20, port)
        self.assertIn(b"Happy and well", await self.ask(b"moshez\n", port))
        self.assertIn("sent no query in 1024 bytes", self.log.lines()[0])
        self.assertEqual(2, len(self.log.events))


class FingerTests(Loopback):
    program = "finger"

    async def test_finger(self) -> None:
        """Debian's finger shows a user, the list, everything, and the refusal to forward."""
        try:
            await self.serve(79)
        except CannotListenError as error:
            raise SkipTest(f"port 79 is not to be had: {error.socketError}") from None
        self.assertIn(b"Happy and well", await self.run_program("moshez@127.0.0.1"))
        self.assertIn(b"Radia Perlman", await self.run_program("@127.0.0.1"))
        self.assertIn(b"loom weaves", await self.run_program("-l", "@127.0.0.1"))
        self.assertIn(
            b"Finger forwarding service denied", await self.run_program("ada@elsewhere@127.0.0.1")
        )
        self.assertIn('"/W": listed', self.log.lines()[2])
