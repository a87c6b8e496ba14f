"""The NATS protocol on a transport: bytes to the session, and what the times ask for.

Rule: a client that says nothing costs one look a second, together with all others.
"""

from collections.abc import Iterator
from functools import cached_property
from secrets import token_hex

from attrs import evolve, field, frozen
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.python.failure import Failure

from netkit.net.peer import host
from netkit.services.pubsub.broker import Receiver
from netkit.services.pubsub.client import Client, House
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import SERVER, Grammar
from netkit.services.pubsub.nats.greeting import Info
from netkit.services.pubsub.nats.session import (
    STALE,
    TOO_MANY_CLIENTS,
    Allowance,
    Session,
    State,
)
from netkit.services.pubsub.nats.verbs import Refusal
from netkit.services.pubsub.nats.wire import Reader
from netkit.services.pubsub.settings import Nats
from netkit.services.pubsub.subscriptions import Subscription

VERSION = "2.10.0"
"""The server whose core protocol this is; clients look at it to know what they may ask for."""

LINGER_SECONDS = 10.0
"""For so long a client that was let go may take what is there for it."""


@frozen(eq=False)
class Terms:
    """What all NATS clients of a service share."""

    limits: Nats
    server: str = field(factory=lambda: f"N{token_hex(15).upper()}")

    @cached_property
    def grammar(self) -> Grammar:
        """How clients are read."""
        return Grammar(SERVER, self.limits.control_line, self.limits.max_payload)

    @cached_property
    def allowance(self) -> Allowance:
        """What each may have."""
        return Allowance(self.limits.subscriptions)

    @cached_property
    def info(self) -> Info:
        """What every client is told."""
        return Info(
            server_id=self.server,
            server_name=f"netkit-{self.server[1:9].lower()}",
            version=VERSION,
            go="python",
            headers=True,
            max_payload=self.limits.max_payload,
        )


class NatsClient(Client):
    """One client that speaks NATS."""

    def __init__(self, house: House, number: int, terms: Terms) -> None:
        super().__init__(house, number)
        self._terms = terms
        self._session: Session | None = None
        self._reader: Reader | None = None
        self._heard = False
        self._pings = 0
        self._due = 0.0  # when to look whether there is still anybody

    def begin(self) -> None:
        """Say who we are, and listen."""
        self._session = Session(self.house.broker, self, allowance=self._terms.allowance)
        self._reader = Reader(self._terms.grammar, self.source)
        self._due = self.house.world.clock.seconds() + self._terms.limits.ping_interval
        self.house.crowd.watch(self, self.look)
        self.deliver(writing.info(self._info()))

    def finish(self) -> None:
        """End the subscriptions."""
        if self._session is not None:
            self._session.end()
            self._session = None
        self._due = self.house.world.clock.seconds() + LINGER_SECONDS

    def refusal(self, most: int) -> bytes:  # noqa: ARG002 (NATS has no place for it)
        """Return what the client hears who is one too many."""
        return writing.info(self._info()) + writing.refusal(TOO_MANY_CLIENTS)

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Forget a subscription that has had as many messages as it was for."""
        if self._session is not None:
            self._session.forget(subscription)

    def dataReceived(self, data: bytes) -> None:
        """Do what the client says, and hand out what came of it."""
        session = self._session
        if session is None or self._reader is None:
            return
        self._heard = True
        events = self._reader.feed(data)
        if events:
            session.hear(events)
            self.house.broker.settle()
            if session.state is not State.ADMITTED:
                self._turn(session)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be gone."""
        self.house.crowd.ignore(self)
        super().connectionLost(reason)

    def look(self, now: float) -> None:
        """Ask who has been silent whether it is there, and let go of who does not answer."""
        if now < self._due:
            return
        if self._session is None:
            self.transport.abortConnection()
            return
        self._due = now + self._terms.limits.ping_interval
        if self._heard:
            self._heard, self._pings = False, 0
        elif self._pings >= self._terms.limits.pings_out:
            self._refuse_now(STALE)
        else:
            self._pings += 1
            self.deliver(writing.PING)

    def _turn(self, session: Session) -> None:
        if session.state is State.OVER:
            self.let_go(b"")

    def _refuse_now(self, refusal: Refusal) -> None:
        """Let the client go for something that it did not just say."""
        self.house.world.log.info(
            "{source} is let go: {words}", source=self.source, words=refusal.words.decode()
        )
        self.let_go(writing.refusal(refusal))

    def _info(self) -> Info:
        here = self.transport.getHost()
        return evolve(
            self._terms.info,
            host=host(here),
            port=getattr(here, "port", 0),
            client_id=self.number,
            client_ip=host(self.transport.getPeer()),
        )


class NatsFactory(ServerFactory):
    """Builds the clients of one listener; `numbers` is shared by all listeners of the service."""

    noisy = False

    def __init__(self, house: House, numbers: Iterator[int], terms: Terms) -> None:
        self._house = house
        self._numbers = numbers
        self._terms = terms

    def buildProtocol(self, addr: IAddress | None) -> NatsClient:  # noqa: ARG002 (asked for when connected)
        """Return a client for one connection."""
        return NatsClient(self._house, next(self._numbers), self._terms)
