"""The NATS protocol on a transport: bytes to the session, and what the times ask for.

Rule: a client that says nothing costs one look a second, together with all others.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from secrets import token_hex
from typing import cast

from attrs import evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IAddress,
    IOpenSSLServerConnectionCreator,
    ISSLTransport,
    ITLSTransport,
)
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.python.failure import Failure

from netkit.net.clients import client_name
from netkit.net.peer import host
from netkit.services.pubsub.client import Client, House
from netkit.services.pubsub.connected import Connection, tls_of
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import SERVER, Grammar
from netkit.services.pubsub.nats.greeting import Info
from netkit.services.pubsub.nats.session import (
    AUTHENTICATION_TIMEOUT,
    AUTHORIZATION,
    SLOW,
    STALE,
    TOO_MANY_CLIENTS,
    UNKNOWN_CLIENT,
    Common,
    Session,
    State,
)
from netkit.services.pubsub.nats.verbs import Refusal
from netkit.services.pubsub.nats.wire import Reader
from netkit.services.pubsub.permissions import Permissions
from netkit.services.pubsub.settings import Nats, Options
from netkit.services.pubsub.subscriptions import Subscription

VERSION = "2.10.0"
"""The server whose core protocol this is; clients look at it to know what they may ask for."""

_SOME = 5  # subjects of a slow client that stand in the log

LINGER_SECONDS = 10.0
"""For so long a client that was let go may take what is there for it."""


@frozen(eq=False)
class Terms:
    """What all NATS clients of a service share; `edge` where the service is an edge of a cluster.

    `room` says whether there is any for another subscription.
    """

    limits: Nats
    room: Callable[[], bool]
    edge: bool = False
    server: str = field(factory=lambda: f"N{token_hex(15).upper()}")

    @cached_property
    def common(self) -> Common:
        """What the sessions of the clients share."""
        return Common(self.limits.subscriptions, self.room)

    @cached_property
    def grammar(self) -> Grammar:
        """How clients are read."""
        return Grammar(SERVER, self.limits.control_line, self.limits.max_payload)

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
            edge=self.edge,
        )


class NatsClient(Client):
    """One client that speaks NATS; where there is `tls` it begins that once it has been greeted."""

    def __init__(
        self,
        house: House,
        number: int,
        terms: Terms,
        tls: IOpenSSLServerConnectionCreator | None = None,
    ) -> None:
        super().__init__(house, number)
        self._terms = terms
        self._tls = tls
        self._session: Session | None = None
        self._reader: Reader | None = None
        self._login: Deferred[Permissions | None] | None = None
        self._heard = False
        self._pings = 0
        self._user = ""
        self._due = 0.0  # when the client has to have done something, or is asked for it

    def connectionMade(self) -> None:
        """Join, or greet the client and begin TLS first."""
        self._watch(self._terms.limits.login_timeout)
        if self._tls is not None:
            self.transport.write(writing.info(self._info()))
            cast("ITLSTransport", self.transport).startTLS(self._tls)
        super().connectionMade()

    def shakes_hands(self) -> bool:
        """Return whether the handshake of TLS is still to come."""
        return self._tls is not None or super().shakes_hands()

    def begin(self) -> None:
        """Say who we are, where that is not done, and listen."""
        limits, door = self._terms.limits, self.house.door
        self._session = Session(
            self.house.broker,
            self,
            stranger=door.locked,
            permissions=door.permissions(),
            common=self._terms.common,
        )
        self._reader = Reader(self._terms.grammar, self.source)
        self._watch(limits.login_timeout if door.locked else limits.ping_interval)
        if self._tls is None:
            self.deliver(writing.info(self._info()))

    def finish(self) -> None:
        """End the subscriptions."""
        if self._session is not None:
            self._session.end()
            self._session = None
        if self._login is not None:
            self._login.cancel()
        self._watch(LINGER_SECONDS)

    def refusal(self, most: int) -> bytes:  # noqa: ARG002 (NATS has no place for it)
        """Return what the client hears who is one too many."""
        greeting = writing.info(self._info()) if self._tls is None else b""
        return greeting + writing.refusal(TOO_MANY_CLIENTS)

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Forget a subscription that has had as many messages as it was for."""
        if self._session is not None:
            self._session.forget(subscription)

    def warn(self) -> bool:
        """Tell the client that it should go to another server: lame duck mode."""
        self.deliver(writing.info(evolve(self._info(), ldm=True)))
        return True

    def wants(self) -> list[bytes]:
        """Return some of the subjects that the client has subscribed to."""
        return [] if self._session is None else self._session.wants(_SOME)

    @property
    def wanted(self) -> Collection[Subscription[Receiver]]:
        """The subscriptions of the client."""
        return () if self._session is None else self._session.wanted

    def shown(self) -> Connection:
        """Return what there is to be seen of the connection."""
        carrier = getattr(self.transport, "carrier", None)
        version, cipher = tls_of(carrier or self.transport)
        said = self._session.introduction if self._session is not None else UNKNOWN_CLIENT
        return Connection(
            kind="websocket" if carrier else "nats",
            peer=self.transport.getPeer(),
            name=said.name,
            lang=said.lang,
            version=said.version,
            user=self._user,
            tls_version=version,
            tls_cipher=cipher,
        )

    def drop(self) -> None:
        """Leave; what waits is dropped, and the client is told why."""
        self.let_go(writing.refusal(SLOW))

    def tell_missed(self, missed: Mapping[bytes, int]) -> None:
        """Tell the client which messages it went without."""
        if self._session is not None:
            self._session.tell_missed(missed)
            self.house.broker.settle()

    def dataReceived(self, data: bytes) -> None:
        """Do what the client says, and hand out what came of it."""
        session = self._session
        if session is None or self._reader is None:
            return
        self._heard = True
        events = self._reader.feed(data)
        if events:
            self.told(session.hear, events)
            self.house.broker.said(self)
            if session.state is not State.ADMITTED:
                self._turn(session)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be gone."""
        super().connectionLost(reason)
        self.house.crowd.ignore(self)

    def look(self, now: float) -> None:
        """Ask who has been silent whether it is there, and let go of who does not answer."""
        if now < self._due:
            return
        session, limits = self._session, self._terms.limits
        if session is None:
            self.transport.abortConnection()
            return
        if session.state is State.STRANGER:
            self._refuse_now(AUTHENTICATION_TIMEOUT)
            return
        self._due = now + limits.ping_interval
        if self._heard:
            self._heard, self._pings = False, 0
        elif self._pings >= limits.pings_out:
            self.house.broker.counters.stale_connections += 1
            self._refuse_now(STALE)
        else:
            self._pings += 1
            self.deliver(writing.PING)

    def _watch(self, seconds: float) -> None:
        """Look after the client in so many seconds."""
        self._due = self.house.world.clock.seconds() + seconds
        self.house.crowd.watch(self)

    def _turn(self, session: Session) -> None:
        """Do what the session has come to."""
        if session.state is State.ASKING:
            self._ask(session)
        elif session.state is State.OVER and session.why is not None:
            self._tell_why(session.why)
            self.let_go(b"")

    def _ask(self, session: Session) -> None:
        """Look into the login of a client, of which nothing is read meanwhile."""
        shown = client_name(self.transport)
        answer = self.house.door.admit(session.login, self.transport.getPeer(), shown)
        if not isinstance(answer, Deferred):
            self._answer(answer, session)
            return
        self.transport.pauseProducing()
        self._login = answer
        answer.addCallbacks(self._answer, _cancelled, (session,)).addErrback(self._failed)

    def _answer(self, permissions: Permissions | None, session: Session) -> None:
        """Let the client in, or go."""
        if self._login is not None:
            self._login = None
            self.transport.resumeProducing()
        if permissions is None:
            session.refuse(AUTHORIZATION)
        else:
            self._watch(self._terms.limits.ping_interval)
            self._user = self.house.door.name(session.login, client_name(self.transport))
            self.told(session.admit, permissions)
        self.house.broker.settle()
        if session.state is not State.ADMITTED:
            self._turn(session)

    def _failed(self, failure: Failure) -> None:
        self.house.world.log.failure("a login could not be looked into", failure)
        self.transport.abortConnection()

    def _tell_why(self, refusal: Refusal) -> None:
        self.house.world.log.info(
            "{source} is let go: {words}", source=self.source, words=refusal.words.decode()
        )

    def _refuse_now(self, refusal: Refusal) -> None:
        """Let the client go for something that it did not just say."""
        self._tell_why(refusal)
        self.let_go(writing.refusal(refusal))

    def _info(self) -> Info:
        here = self.transport.getHost()
        return evolve(
            self._terms.info,
            host=host(here),
            port=getattr(here, "port", 0),
            client_id=self.number,
            client_ip=host(self.transport.getPeer()),
            auth_required=self.house.door.locked,
            tls_required=self._tls is not None or ISSLTransport.providedBy(self.transport),
        )


def _cancelled(failure: Failure) -> None:
    """Do nothing: who wanted to know has left."""
    failure.trap(CancelledError)


class NatsFactory(ServerFactory):
    """Builds the clients of one listener; `secure` where these have TLS."""

    noisy = False

    def __init__(self, house: House, terms: Terms, options: Options) -> None:
        self._house = house
        self.secure = False
        self._terms = terms
        self._handshake_first = options.handshake_first
        self._tls: IOpenSSLServerConnectionCreator | None = None

    def take_tls(self, tls: IOpenSSLServerConnectionCreator) -> bool:
        """Begin `tls` on each connection, once its client has been greeted, if that is the way here."""
        self.secure = True
        if not self._handshake_first:
            self._tls = tls
        return not self._handshake_first

    def buildProtocol(self, addr: IAddress | None) -> NatsClient:  # noqa: ARG002 (asked for when connected)
        """Return a client for one connection."""
        return NatsClient(self._house, next(self._house.numbers), self._terms, self._tls)
