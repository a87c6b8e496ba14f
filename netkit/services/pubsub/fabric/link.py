"""The node's link to its cluster: to one server at a time, and to the next one when that is gone.

Rule: while there is none the node goes on by itself; attempts are made for ever, and never faster than
the settings say.
"""

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import IDelayedCall

from netkit.net.connect import Connector
from netkit.net.dial import TcpWay, TlsWay, Way
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.tlsclient import TlsTerms, trusted
from netkit.services.kind import World
from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.fabric.attachment import Attachment, Calls, Ground
from netkit.services.pubsub.fabric.counters import FabricFigures
from netkit.services.pubsub.fabric.edge import Edge, State
from netkit.services.pubsub.fabric.settings import Fabric, WhenCutOff
from netkit.services.pubsub.nats.grammar import CLIENT, Grammar
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.line import Terms
from netkit.services.pubsub.nats.servers import Roster, Server, parse, wait
from netkit.services.pubsub.seldom import Seldom

STEADY = 5.0
"""Seconds; a link that lasted for so long is a success, and one that did not a failure."""

_LINE_BYTES = 64 * 1024  # a server's first line names all servers of its cluster


class Link:
    """Keeps the node whose broker is `broker` connected, by `ways` to servers.

    `chance` returns a number from 0 to 1.
    """

    def __init__(
        self,
        broker: Broker,
        fabric: Fabric,
        world: World,
        *,
        chance: Callable[[], float],
        ways: Callable[[Server], Way] | None = None,
    ) -> None:
        buffers = fabric.when_cut_off is WhenCutOff.BUFFER
        self._world = world
        self._fabric = fabric
        self._chance = chance
        self._tls = _tls(fabric)
        self._ways = ways or _ways(fabric, world, self._tls)
        self._edge = Edge(broker, fabric.buffer_bytes, buffers=buffers, stir=self._stir)
        self._ground = Ground(broker, self._edge, fabric, world.clock)
        own = tuple(map(parse, fabric.servers))
        self._roster = Roster(own, lambda servers: int(chance() * servers) % servers)
        self._grammar = Grammar(CLIENT, _LINE_BYTES, fabric.message_bytes)
        self._server = own[0]
        self._attachment: Attachment | None = None
        self._flushing: IDelayedCall | None = None
        self._next: IDelayedCall | None = None
        self._failures = 0
        self._complaints = Seldom(world.clock)  # there may be one for each message of a client
        self._linked_at: float | None = None

    def start(self) -> None:
        """Connect, and stay connected."""
        self._attempt()

    def stop(self) -> None:
        """Be connected no more, once the server has what was published until now."""
        for call in (self._flushing, self._next):
            if call is not None:
                call.cancel()
        self._flushing = self._next = None
        attachment, self._attachment = self._attachment, None
        if attachment is not None:
            attachment.leave()

    def figures(self) -> FabricFigures:
        """Return what goes on between the node and its cluster, and what has gone on, in figures."""
        linked = self._edge.state is State.LINKED
        return self._edge.figures(str(self._server) if linked else "")

    def _attempt(self) -> None:
        self._next = None
        self._linked_at = None
        self._server = server = self._roster.next()
        terms = Terms(
            server,
            self._grammar,
            self._tls,
            self._greeting(server),
            self._world.clock,
            secure=self._fabric.tls_first and server.tls,
        )
        calls = Calls(self._linked, self._informed, self._complained, self._over)
        self._attachment = Attachment(self._ground, terms, self._ways(server), calls)
        self._attachment.begin()

    def _greeting(self, server: Server) -> Connect:
        own = bool(server.user or server.token)
        login = server if own else self._fabric
        return Connect(
            verbose=False,
            pedantic=False,
            echo=False,
            headers=True,
            no_responders=True,
            tls_required=server.tls,
            protocol=1,  # tell us of other servers, and of a lame duck
            name="netkit",
            lang="netkit",
            user=login.user,
            password=login.password,
            token=login.token,
        )

    def _linked(self) -> None:
        self._linked_at = self._world.clock.seconds()
        self._world.log.info("fabric: linked to {server}", server=str(self._server))

    def _informed(self, info: Info) -> None:
        if self._fabric.discover and info.connect_urls:
            self._roster.learn(self._server, info.connect_urls)
        if info.ldm and len(self._roster) > 1 and self._attachment is not None:
            self._attachment.leave()
            self._over("it is about to go")

    def _complained(self, words: str) -> None:
        complaints = self._complaints.sum()
        if complaints:
            self._world.log.warn(
                "fabric: {server} says: {words}; complaints: {complaints}",
                server=str(self._server),
                words=words,
                complaints=complaints,
            )

    def _over(self, why: str) -> None:
        now = self._world.clock.seconds()
        linked_at, self._linked_at, self._attachment = self._linked_at, None, None
        steady = linked_at is not None and now - linked_at >= STEADY
        self._failures = 0 if steady else self._failures + 1
        seconds = wait(
            self._failures,
            len(self._roster),
            self._fabric.reconnect_wait,
            self._fabric.reconnect_wait_most,
            self._chance(),
        )
        self._next = self._world.clock.callLater(seconds, self._attempt)
        self._world.log.warn(
            "fabric: {what} {server}: {why}; the next attempt is in {seconds:.1f} s",
            what="no link to" if linked_at is None else "cut off from",
            server=str(self._server),
            why=why.removeprefix(f"{self._server}: "),
            seconds=seconds,
        )

    def _stir(self) -> None:
        if self._flushing is None:
            self._flushing = self._world.clock.callLater(0, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        self._edge.flush()


def _tls(fabric: Fabric) -> TlsTerms:
    found = trusted(fabric.ca).certificates if fabric.ca else ()
    return TlsTerms(found, verify=fabric.verify, handshake_timeout=fabric.connect_timeout)


def _ways(fabric: Fabric, world: World, tls: TlsTerms) -> Callable[[Server], Way]:
    """Return what leads to servers; names are looked up by the reactor's resolver."""
    names = Names(cast("Any", world.network).nameResolver)
    connector = Connector(world.clock, world.network, names, ANYWHERE, fabric.connect_timeout)

    def way(server: Server) -> Way:
        below = TcpWay(server.host, server.port, connector)
        if fabric.tls_first and server.tls:
            return TlsWay(below, server.name, world.clock, tls)
        return below

    return way
