"""Saying something, and asking for an answer."""

from collections.abc import AsyncIterable, Callable
from random import randrange
from secrets import token_hex

from attrs import frozen
from twisted.internet.defer import Deferred

from netkit.net.failures import NoConnectionError
from netkit.services.pubsub.messages import NO_HEADERS, Published
from netkit.services.pubsub.nats import headers, writing
from netkit.services.pubsub.nats.headers import Headers
from netkit.services.pubsub.nats.servers import Roster, Server
from netkit.services.pubsub.nats.verbs import Subscribe
from netkit.tools.messaging.client import Access, Client, LostError
from netkit.tools.outcome import TroubleError
from netkit.tools.running import Here

_UNHEARD = 256 * 1024
"""After so many bytes we wait until the server has heard them."""

NONE = Headers()


@frozen
class Said:
    """Where messages go, and what stands beside them: `reply` is where answers should go."""

    subject: bytes
    reply: bytes = b""
    headers: Headers = NONE

    def of(self, payload: bytes) -> Published:
        """Return one message."""
        if not self.headers.fields:
            return Published(self.subject, [payload], self.reply)
        block = headers.written(self.headers)
        return Published(self.subject, [block + payload], self.reply, len(block))


async def publish(
    here: Here,
    servers: tuple[Server, ...],
    access: Access,
    said: Said,
    payloads: AsyncIterable[bytes],
) -> int:
    """Publish each of `payloads`; return how many there were, all of them heard by the server.

    Raises NoConnectionError or TroubleError where they cannot be.
    """
    client = await _connected(here, servers, access, _nothing)
    count = unheard = 0
    try:
        async for payload in payloads:
            _check(client, said, payload)
            client.write(writing.published(said.of(payload)))
            count += 1
            unheard += len(payload) + len(said.subject)
            if unheard > _UNHEARD:
                await client.flush()
                unheard = 0
        await client.flush()
    finally:
        client.close()
    return count


async def request(
    here: Here, servers: tuple[Server, ...], access: Access, said: Said, payload: bytes
) -> Published | None:
    """Publish one message; return the first answer to it, or None where nobody is there.

    Raises NoConnectionError or TroubleError, as where no answer comes in time.
    """
    inbox = b"_INBOX.%b" % token_hex(11).encode()
    answer: Deferred[Published] = Deferred()

    def heard(run: Published) -> None:
        if not answer.called:
            answer.callback(run.part(slice(1)))

    client = await _connected(here, servers, access, heard)
    client.ended().addErrback(lambda failure: None if answer.called else answer.errback(failure))
    late = TroubleError(f"no answer within {here.timeout:g} s")
    call = here.connector.clock.callLater(here.timeout, lambda: answer.errback(late))
    try:
        _check(client, said, payload)
        asked = Said(said.subject, inbox, said.headers)
        subscribe = writing.subscribe(Subscribe(inbox, b"1"))
        client.write(subscribe + writing.published(asked.of(payload)) + writing.PING)
        run = await answer
    finally:
        if call.active():
            call.cancel()
        client.close()
    return None if _is_nobodys(run) else run


async def _connected(
    here: Here, servers: tuple[Server, ...], access: Access, heard: Callable[[Published], None]
) -> Client:
    """Return a client of the first of the servers, begun anywhere, that can be reached."""
    roster = Roster(servers, randrange)
    for left in reversed(range(len(roster))):
        client = Client(here, roster.next(), access, heard)
        try:
            await client.connect()
        except (NoConnectionError, LostError):
            client.close()
            if not left:
                raise
        else:
            return client
    raise AssertionError


def _nothing(_: Published) -> None:
    """Hear nothing: nothing was asked for."""


def _check(client: Client, said: Said, payload: bytes) -> None:
    """See to it that the server takes such a message; TroubleError where it does not."""
    most = client.info.max_payload
    if len(payload) > most:
        raise TroubleError(f"a message has {len(payload)} bytes; the server takes {most} at most")
    if said.headers.fields and not client.info.headers:
        raise TroubleError("the server takes no headers")


def _is_nobodys(run: Published) -> bool:
    return run.header_bytes != NO_HEADERS and run.payloads[0].startswith(b"NATS/1.0 503")
