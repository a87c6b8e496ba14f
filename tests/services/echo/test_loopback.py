"""Echo over real sockets, with a client of others'."""

from twisted.trial.unittest import TestCase

from netkit.services.echo.protocol import EchoFactory
from netkit.services.echo.settings import Mode, Settings
from tests.listening import listening
from tests.services.loopback import NO_NC, Netcat, netcat


class NetcatTests(TestCase):
    skip = NO_NC
    timeout = 20

    async def _client(self, mode: Mode) -> Netcat:
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        factory = EchoFactory(Settings(mode=mode), reactor)
        return netcat(self, listening(self, factory))

    async def test_half_close(self) -> None:
        """All of a megabyte comes back before the connection closes, though its FIN came first."""
        client = await self._client(Mode.RAW)
        data = bytes(range(256)) * 4096
        client.say(data)
        client.hang_up()
        self.assertTrue(await client.ended == data)

    async def test_line(self) -> None:
        """A line is answered; quit gets Goodbye. and the end."""
        client = await self._client(Mode.LINE)
        client.say(b"hello\n")
        await client.shows(b"You said: hello\r\n")
        client.say(b"quit\n")
        await client.shows(b"Goodbye.\r\n")
        client.hang_up()
        self.assertEqual(await client.ended, b"You said: hello\r\nGoodbye.\r\n")

    async def test_too_long(self) -> None:
        """Who sends a megabyte without newline reads why the connection is closed."""
        client = await self._client(Mode.LINE)
        client.say(b"x" * 2**20)
        client.hang_up()
        self.assertEqual(await client.ended, b"That line is too long: 4096 bytes are the most.\r\n")
