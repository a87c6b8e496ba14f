"""Publishing, asking and listening, with netkit's service and with nats-server."""

from collections.abc import Callable
from itertools import chain
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredQueue
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from netkit.net.failures import NoConnectionError
from netkit.passwords import Cost, hashed
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.headers import Headers
from netkit.services.pubsub.nats.servers import Server, parse
from netkit.services.pubsub.settings import PermissionsTable, RulesTable, Settings
from netkit.tools.messaging.client import Access, LostError, RefusedError
from netkit.tools.messaging.listening import Listening, Wanted
from netkit.tools.messaging.publishing import Said, publish, request
from netkit.tools.outcome import TroubleError
from tests.listening import listening
from tests.services.pubsub.fabric.program import NO_PROGRAM, nats_server
from tests.tools.messaging.served import here, netkit_serves, some


def at(port: int) -> tuple[Server, ...]:
    """Return the one server there."""
    return (parse(f"nats://127.0.0.1:{port}"),)


ANYBODY = Access()


class Heard:
    """Somebody who listens, and calls `show` with what there is."""

    def __init__(
        self,
        to: tuple[Server, ...],
        wanted: Wanted,
        show: Callable[[Published], object] = lambda _: None,
    ) -> None:
        self.runs: list[Published] = []
        self.begun: DeferredQueue[Server] = DeferredQueue()
        self._show = show
        listening = Listening(wanted, self.take, self.begun.put, lambda _: None)
        self.over = Deferred.fromCoroutine(listening.listen(here(), to, ANYBODY))

    def take(self, run: Published) -> None:
        """Take what is heard."""
        self.runs.append(run)
        self._show(run)

    @property
    def payloads(self) -> list[bytes]:
        """What was heard."""
        return [payload for run in self.runs for payload in run.payloads]


class NetkitTests(TestCase):
    """With netkit's own service."""

    async def server(self) -> int:
        """Return the port of a server."""
        return netkit_serves(self)

    async def test_heard(self) -> None:
        """What is published is heard in its order, as much of it as was wanted, headers and all."""
        to = at(await self.server())
        heard = Heard(to, Wanted(b"a.*", most=3))
        await heard.begun.get()
        said = Said(b"a.b", b"back", Headers(((b"K", b"v"),)))
        self.assertEqual(await publish(here(), to, ANYBODY, said, some(b"1", b"2", b"3", b"4")), 4)
        await heard.over
        self.assertEqual([each[-1:] for each in heard.payloads], [b"1", b"2", b"3"])
        first = heard.runs[0]
        self.assertEqual((first.subject, first.reply), (b"a.b", b"back"))
        self.assertIn(b"K: v\r\n", first.payloads[0])

    async def test_much(self) -> None:
        """More than anybody would keep in memory comes whole, since the server sets the pace."""
        to = at(await self.server())
        heard = Heard(to, Wanted(b"much", most=200))
        await heard.begun.get()
        payload = bytes(20_000)
        await publish(here(), to, ANYBODY, Said(b"much"), some(*[payload] * 200))
        await heard.over
        self.assertEqual(set(heard.payloads), {payload})

    async def test_queue(self) -> None:
        """Of those in one queue one gets each message."""
        to = at(await self.server())
        shown: DeferredQueue[Published] = DeferredQueue()
        crowd = [Heard(to, Wanted(b"jobs", b"workers"), shown.put) for _ in range(3)]
        for each in crowd:
            await each.begun.get()
        said = [b"%d" % number for number in range(20)]
        for payload in said:
            await publish(here(), to, ANYBODY, Said(b"jobs"), some(payload))
            await shown.get()
        for each in crowd:
            each.over.addErrback(lambda failure: failure.trap(CancelledError)).cancel()
        self.assertEqual(sorted(chain.from_iterable(each.payloads for each in crowd)), sorted(said))

    async def test_request(self) -> None:
        """An answer is returned; where nobody is there that is known at once."""
        to = at(await self.server())
        self.assertIsNone(await request(here(), to, ANYBODY, Said(b"time"), b""))
        answered: list[Deferred[int]] = []

        def answer(run: Published) -> None:
            said = publish(here(), to, ANYBODY, Said(run.reply), some(b"noon"))
            answered.append(Deferred.fromCoroutine(said))

        serving = Heard(to, Wanted(b"time", most=1), answer)
        await serving.begun.get()
        run = await request(here(), to, ANYBODY, Said(b"time"), b"?")
        assert run is not None
        self.assertEqual(run.payloads, [b"noon"])
        await serving.over
        await answered[0]

    async def test_no_answer(self) -> None:
        """Where somebody listens and does not answer, that is said in time."""
        to = at(await self.server())
        heard = Heard(to, Wanted(b"time", most=1))
        await heard.begun.get()
        with self.assertRaisesRegex(TroubleError, r"no answer within 0\.2 s"):
            await request(here(0.2), to, ANYBODY, Said(b"time"), b"")
        await heard.over

    async def test_too_long(self) -> None:
        """A message that the server would not take is not sent, and it is said what it takes."""
        to = at(await self.server())
        with self.assertRaisesRegex(
            TroubleError, "2000000 bytes; the server takes 1048576 at most"
        ):
            await publish(here(), to, ANYBODY, Said(b"a"), some(bytes(2_000_000)))

    async def test_writer_that_fails(self) -> None:
        """Where what is heard cannot be shown, listening ends with that."""
        to = at(await self.server())

        def full(_: Published) -> None:
            raise BrokenPipeError

        heard = Heard(to, Wanted(b"a"), full)
        await heard.begun.get()
        await publish(here(), to, ANYBODY, Said(b"a"), some(b""))
        with self.assertRaises(BrokenPipeError):
            await heard.over


class NatsServerTests(NetkitTests):
    """The same with nats-server."""

    skip = NO_PROGRAM

    async def server(self) -> int:
        """Return the port of a server."""
        return (await nats_server(self)).port

    async def test_killed(self) -> None:
        """A server that is killed is left for the next one, and listening goes on there."""
        first, second = await nats_server(self), await nats_server(self)
        to = (*at(first.port), *at(second.port))
        heard = Heard(to, Wanted(b"a", most=1))
        begun = await heard.begun.get()
        here_now, other = (first, second) if begun.port == first.port else (second, first)
        await here_now.kill()
        self.assertEqual((await heard.begun.get()).port, other.port)
        await publish(here(), at(other.port), ANYBODY, Said(b"a"), some(b"1"))
        await heard.over
        self.assertEqual(heard.payloads, [b"1"])


class LoginTests(TestCase):
    """Who may."""

    def setUp(self) -> None:
        """Let bob in, who may not publish to secrets."""
        self.to = at(
            netkit_serves(
                self,
                Settings(
                    users={"bob": str(hashed("sesame", Cost(9, 8, 1)))},
                    permissions={"bob": PermissionsTable(publish=RulesTable(deny=("secret.>",)))},
                ),
            )
        )

    async def test_in(self) -> None:
        """Who says the right password is let in."""
        access = Access("bob", "sesame")
        self.assertEqual(await publish(here(), self.to, access, Said(b"a"), some(b"x")), 1)

    async def test_out(self) -> None:
        """Who does not hears why, once; and the password is nowhere in it."""
        for access in (Access("bob", "wrong"), ANYBODY):
            with self.assertRaisesRegex(RefusedError, "Authorization Violation") as caught:
                await publish(here(), self.to, access, Said(b"a"), some(b"x"))
            self.assertNotIn("wrong", str(caught.exception))
        with self.assertRaises(RefusedError):
            await Heard(self.to, Wanted(b"a")).over

    async def test_forbidden(self) -> None:
        """What may not be published is not taken for published."""
        with self.assertRaisesRegex(RefusedError, "(?i)permissions violation"):
            await publish(here(), self.to, Access("bob", "sesame"), Said(b"secret.a"), some(b"x"))


class Saying(Protocol):
    """Says one thing, and nothing more."""

    def __init__(self, words: bytes, *, then: Callable[[Any], None]) -> None:
        self._words = words
        self._then = then

    def connectionMade(self) -> None:
        """Say it."""
        assert self.transport is not None
        self.transport.write(self._words)
        self._then(self.transport)


class HostileTests(TestCase):
    """Servers that are none, or not for long."""

    def at(self, words: bytes, then: Callable[[Any], None] = lambda _: None) -> tuple[Server, ...]:
        """Return where something says `words` and nothing more."""
        return at(listening(self, Factory.forProtocol(lambda: Saying(words, then=then))))

    async def test_nobody(self) -> None:
        """Where nothing listens that is said."""
        with self.assertRaisesRegex(NoConnectionError, "refused"):
            await publish(here(), at(1), ANYBODY, Said(b"a"), some(b"x"))

    async def test_silent(self) -> None:
        """A server that says nothing, or half a line, is not waited for for ever."""
        for words in (b"", b"INFO {", b'INFO {"max_payload":100}\r\n'):
            with self.assertRaisesRegex(LostError, r"says nothing for 0\.2 s"):
                await publish(here(0.2), self.at(words), ANYBODY, Said(b"a"), some(b"x"))

    async def test_no_nats(self) -> None:
        """What speaks something else, too much, or leaves, is told from a NATS server."""
        for words in (b"SSH-2.0-x\r\n", bytes(100_000), b"INFO []\r\n", b"-ERR 'gone'\r\n"):
            with self.assertRaises(LostError):
                await publish(here(2), self.at(words), ANYBODY, Said(b"a"), some(b"x"))
        leaving = self.at(b"INFO {}\r\n", lambda transport: transport.loseConnection())
        with self.assertRaises(LostError):
            await publish(here(2), leaving, ANYBODY, Said(b"a"), some(b"x"))
