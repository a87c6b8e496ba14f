"""A resolver for tests, whose answers are given beforehand or when the test says so."""

from collections.abc import Mapping, Sequence

from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer


@implementer(IHostResolution)
class Resolution:
    """One look-up, which cannot be cancelled, as Twisted's own cannot."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        raise NotImplementedError


@implementer(IHostnameResolver)
class Resolver:
    """Answers with `known`; where a name is not in it the test answers with `answer`."""

    def __init__(self, known: Mapping[str, Sequence[IAddress]] | None = None) -> None:
        self.known = dict(known or {})
        self.asked: list[str] = []
        self.waiting: dict[str, IResolutionReceiver] = {}

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self.asked.append(hostName)
        resolution = Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        self.waiting[hostName] = resolutionReceiver
        if hostName in self.known:
            self.answer(hostName, *self.known[hostName])
        return resolution

    def answer(self, name: str, *addresses: IAddress) -> None:
        """Give the answer to whoever has asked for `name` last."""
        receiver = self.waiting.pop(name)
        for address in addresses:
            receiver.addressResolved(address)
        receiver.resolutionComplete()
