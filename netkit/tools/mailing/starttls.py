"""The way to an IMAP server that is to use TLS after a few words in the clear (RFC 3501 6.2.1).

Rule: without TLS there is no way. Nothing that a server says before the handshake is of any use
behind it (CVE-2021-33515 and its like), and what comes too early for that ends the connection.
"""

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime

from netkit.net.dial import Way
from netkit.net.failures import TlsError
from netkit.tools.mailing.connection import Connection, MailError, connect
from netkit.tools.mailing.conversation import Conversation, check


@frozen(cache_hash=True)
class StartTlsWay:
    """The way `below` to where TLS begins: a TlsWay's. What it leads to will not greet again."""

    below: Way
    clock: IReactorTime = field(eq=id, repr=False)
    timeout: float

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        return Deferred.fromCoroutine(self._connect(factory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        connection = await connect(self.below, self.clock, self.timeout)
        try:
            await _agree(connection)
            return connection.hand_over(factory)
        except MailError as error:
            await connection.abort()
            raise TlsError(f"{self}: the server {error}") from None
        except BaseException:
            await connection.abort()
            raise

    def __str__(self) -> str:
        return str(self.below)


async def _agree(connection: Connection) -> None:
    conversation = Conversation(connection)
    if await conversation.greeting():
        raise MailError("takes anybody for logged in before there is TLS")
    if "STARTTLS" not in await conversation.capabilities():
        raise MailError("does not offer STARTTLS")
    check(await conversation.command(b"STARTTLS"), "does not begin TLS")
    if connection.held:
        raise MailError("goes on in the clear after it has agreed to TLS")
