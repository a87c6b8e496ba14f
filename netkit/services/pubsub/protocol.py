"""The line protocol on a transport: whoever is there says lines on one subject, and hears them all."""

from collections.abc import Collection, Mapping

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory

from netkit.net.lines import LineSplitter
from netkit.services.pubsub import lines
from netkit.services.pubsub.client import Client, House
from netkit.services.pubsub.connected import Connection, tls_of
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.subscriptions import Subscription


class LineClient(Client):
    """One client that sends and gets lines."""

    def __init__(self, house: House, number: int) -> None:
        super().__init__(house, number)
        self._splitter = LineSplitter(house.settings.line_bytes)
        self._subject = house.settings.lines.encode()
        self._subscription: Subscription[Receiver] | None = None

    def begin(self) -> None:
        """Hear what is said from now on."""
        self._subscription = Subscription(self._subject, lines.written, self)
        self.house.broker.interest.insert(self._subscription)

    def finish(self) -> None:
        """Hear nothing more."""
        if self._subscription is not None:
            self.house.broker.interest.remove(self._subscription)

    @property
    def wanted(self) -> Collection[Subscription[Receiver]]:
        """The one subscription."""
        return () if self._subscription is None else (self._subscription,)

    def shown(self) -> Connection:
        """Return what there is to be seen of the connection."""
        version, cipher = tls_of(self.transport)
        peer = self.transport.getPeer()
        return Connection(kind="line", peer=peer, tls_version=version, tls_cipher=cipher)

    def refusal(self, most: int) -> bytes:
        """Return what the client hears who is one too many."""
        return lines.full(most)

    def wants(self) -> list[bytes]:
        """Return the subject of the lines."""
        return [self._subject]

    def tell_missed(self, missed: Mapping[bytes, int]) -> None:
        """Tell the client how many messages it went without."""
        self.deliver(lines.missed(sum(missed.values())))

    def dataReceived(self, data: bytes) -> None:
        """Publish the lines that `data` ends."""
        if self.outlet is None:
            return
        said = self._splitter.feed(data)
        if said:
            run = Published(self._subject, list(said), source=self.source)
            self.told(self.house.broker.publish, run)
            self.house.broker.said(self)
        if self._splitter.too_long and self.outlet is not None:  # its own lines may be too many
            self._let_go_long()

    def _let_go_long(self) -> None:
        limit = self.house.settings.line_bytes
        self.house.world.log.warn(
            "{source} is let go: its line is longer than {limit} bytes",
            source=self.source,
            limit=limit,
        )
        self.let_go(lines.too_long(limit))


class LineFactory(ServerFactory):
    """Builds the clients of one listener."""

    noisy = False

    def __init__(self, house: House) -> None:
        self._house = house

    def buildProtocol(self, addr: IAddress | None) -> LineClient:  # noqa: ARG002 (asked for when connected)
        """Return a client for one connection."""
        return LineClient(self._house, next(self._house.numbers))
