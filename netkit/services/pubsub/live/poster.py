"""Who publishes one message by HTTP: the answer waits as other clients do while a cluster is slow.

Rule: whoever leaves meanwhile is waited for no more; what was published stays published.
"""

from twisted.internet.defer import Deferred

from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.messages import Published


class Poster:
    """Publishes to `broker`, as a `broker.Publisher`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._held: Deferred[None] | None = None

    async def publish(self, run: Published) -> None:
        """Publish `run`; return once there is room for more."""
        self._broker.publish(run)
        self._broker.said(self)
        if self._held is not None:
            await self._held

    def hold(self) -> None:
        """Wait."""
        self._held = Deferred(lambda _: self._broker.forget(self))

    def release(self) -> None:
        """Go on, unless the client has left."""
        held, self._held = self._held, None
        if held is not None and not held.called:
            held.callback(None)
