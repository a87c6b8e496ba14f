"""What a protocol may ask of the transport under it, whatever the transport is made of."""

from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport


class IStream(ITransport, IConsumer, IPushProducer):
    """A connection: TCP, UNIX or TLS.

    As a consumer it pauses its producer while its write buffer is full; as a producer it reads
    from the peer, and stops reading while it is paused itself.
    """

    def loseWriteConnection() -> None:
        """Send a FIN once everything is sent, and go on reading; not to be asked of TLS."""

    def abortConnection() -> None:
        """Close at once; what has not been sent is dropped."""
