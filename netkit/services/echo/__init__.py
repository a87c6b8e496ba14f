"""Echo: a peer gets back what it sends, as bytes (RFC 862) or line by line."""

from netkit.services.echo.protocol import EchoFactory
from netkit.services.echo.settings import Settings
from netkit.services.kind import Kind, NoOptions, References, Running, World


class Echo(Running[NoOptions]):
    """One echo service."""

    def __init__(self, settings: Settings, world: World) -> None:
        self._settings = settings
        self._world = world

    def factory(self, options: NoOptions) -> EchoFactory:  # noqa: ARG002 (there are none)
        """Return what serves a listener's connections."""
        return EchoFactory(self._settings, self._world.clock)


def _build(settings: Settings, _references: References, world: World) -> Echo:
    return Echo(settings, world)


KIND = Kind(name="echo", settings=Settings, options=NoOptions, build=_build)
