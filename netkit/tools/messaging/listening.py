"""Hearing what is published: from one server, and from the next one when that is gone."""

from collections.abc import Callable
from random import random, randrange

from attrs import frozen
from twisted.internet.task import deferLater

from netkit.net.failures import NoConnectionError
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.servers import Roster, Server, wait
from netkit.services.pubsub.nats.verbs import Subscribe, Unsubscribe
from netkit.tools.messaging.client import Access, Client, LostError
from netkit.tools.running import Here

_FIRST_WAIT = 1.0  # seconds
_LONGEST_WAIT = 30.0
_SID = b"1"


@frozen
class Wanted:
    """What to hear: what is published to `pattern`, `most` messages of it (None for no end).

    Of those who are in one `queue` one gets each message.
    """

    pattern: bytes
    queue: bytes = b""
    most: int | None = None


class Listening:
    """Hears `wanted` and gives every run to `show`.

    `begun` is told each time a server knows what is wanted, and `lost` why it is not heard just now.
    """

    def __init__(
        self,
        wanted: Wanted,
        show: Callable[[Published], None],
        begun: Callable[[Server], None],
        lost: Callable[[str], None],
    ) -> None:
        self._wanted = wanted
        self._show = show
        self._begun = begun
        self._lost = lost
        self._left = wanted.most
        self._client: Client | None = None

    async def listen(self, here: Here, servers: tuple[Server, ...], access: Access) -> None:
        """Hear until there were as many messages as wanted.

        Raises NoConnectionError or TroubleError where no server can be reached at first, and RefusedError
        where one does not allow it; a connection that is lost later is made again.
        """
        roster = Roster(servers, randrange)
        failures, known = 0, False
        while self._left != 0:
            server = roster.next()
            client = self._client = Client(here, server, access, self._heard)
            try:
                await client.connect()
                failures, known = 0, True
                await self._subscribe(client)
                self._begun(server)
                await client.ended()
            except (NoConnectionError, LostError) as error:
                failures += 1
                if not known and failures >= len(roster):
                    raise
                seconds = wait(failures, len(roster), _FIRST_WAIT, _LONGEST_WAIT, random())  # noqa: S311 (a jitter)
                self._lost(f"{server}: {error}; the next attempt is in {seconds:.1f} s")
                await deferLater(here.connector.clock, seconds)
            finally:
                client.close()

    async def _subscribe(self, client: Client) -> None:
        client.write(writing.subscribe(Subscribe(self._wanted.pattern, _SID, self._wanted.queue)))
        if self._left is not None:
            client.write(writing.unsubscribe(Unsubscribe(_SID, self._left)))
        await client.flush()

    def _heard(self, run: Published) -> None:
        if self._left is not None:
            run = run.part(slice(self._left))
            self._left -= len(run.payloads)
        self._show(run)
        if self._left == 0 and self._client is not None:
            self._client.close()
