"""A sixth kind of service, as its author would write it: the time of day (RFC 867), in one folder."""

from datetime import UTC, datetime

from attrs import frozen
from twisted.internet.interfaces import IAddress, IProtocolFactory, ITransport
from twisted.internet.protocol import Factory, Protocol

from netkit.services.kind import Kind, NoOptions, References, Running, World


@frozen
class Settings:
    """`format` is as in strftime(3)."""

    format: str = "%A, %d %B %Y %H:%M:%S UTC"


class Daytime(Running[NoOptions]):
    """Tells every caller the time."""

    def __init__(self, settings: Settings, world: World) -> None:
        self._settings = settings
        self._world = world

    def now(self) -> bytes:
        """Return the line that a caller gets."""
        time = datetime.fromtimestamp(self._world.clock.seconds(), UTC)
        return time.strftime(self._settings.format).encode() + b"\r\n"

    def factory(self, options: NoOptions) -> IProtocolFactory:
        return DaytimeFactory(self)


class DaytimeProtocol(Protocol):
    """Says the time and closes."""

    transport: ITransport

    def __init__(self, daytime: Daytime) -> None:
        self._daytime = daytime

    def connectionMade(self) -> None:
        self.transport.write(self._daytime.now())
        self.transport.loseConnection()


class DaytimeFactory(Factory):
    """Makes a protocol for each caller."""

    def __init__(self, daytime: Daytime) -> None:
        self._daytime = daytime

    def buildProtocol(self, addr: IAddress | None) -> DaytimeProtocol:
        return DaytimeProtocol(self._daytime)


def _build(settings: Settings, references: References, world: World) -> Daytime:
    return Daytime(settings, world)


KIND = Kind(name="daytime", settings=Settings, options=NoOptions, build=_build)
