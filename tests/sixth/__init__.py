"""A sixth kind of service, as its author would write it: how long it has run, in one folder."""

from attrs import frozen
from twisted.internet.interfaces import IAddress, IProtocolFactory, ITransport
from twisted.internet.protocol import Factory, Protocol

from netkit.services.kind import Kind, NoOptions, References, Running, World


@frozen
class Settings:
    """`words` stand before the number of seconds."""

    words: str = "up for"


class Uptime(Running[NoOptions]):
    """Tells every caller how long it has run."""

    def __init__(self, settings: Settings, world: World) -> None:
        self._settings = settings
        self._world = world
        self._since = world.clock.seconds()

    def told(self) -> bytes:
        """Return the line that a caller gets."""
        seconds = self._world.clock.seconds() - self._since
        return f"{self._settings.words} {seconds:.0f} s\r\n".encode()

    def factory(self, options: NoOptions) -> IProtocolFactory:
        return UptimeFactory(self)


class UptimeProtocol(Protocol):
    """Says it and closes."""

    transport: ITransport

    def __init__(self, uptime: Uptime) -> None:
        self._uptime = uptime

    def connectionMade(self) -> None:
        self.transport.write(self._uptime.told())
        self.transport.loseConnection()


class UptimeFactory(Factory):
    """Makes a protocol for each caller."""

    def __init__(self, uptime: Uptime) -> None:
        self._uptime = uptime

    def buildProtocol(self, addr: IAddress | None) -> UptimeProtocol:
        return UptimeProtocol(self._uptime)


def _build(settings: Settings, references: References, world: World) -> Uptime:
    return Uptime(settings, world)


KIND = Kind(name="uptime", settings=Settings, options=NoOptions, build=_build)
