"""The newest messages of a mailbox: one library call, from the connection to the last of them.

Rule: nothing in the mailbox changes, so that what was unread stays so, and the memory that it takes
does not grow with the mailbox.
"""

from collections.abc import Callable, Iterator
from enum import Enum

from attrs import field, frozen

from netkit.net.connect import Connector
from netkit.net.dial import TcpWay, TlsWay, Way
from netkit.net.tlsclient import DEFAULT_TERMS, TlsTerms
from netkit.tools.mailing.connection import MailError, connect
from netkit.tools.mailing.conversation import Conversation, check, unheard
from netkit.tools.mailing.message import ITEMS, Message, read, told
from netkit.tools.mailing.starttls import StartTlsWay
from netkit.tools.mailing.wire import Data, Value
from netkit.tools.outcome import TroubleError

BATCH = 50
"""So many messages are asked for by one command."""


class Security(Enum):
    """When TLS begins."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"

    @property
    def port(self) -> int:
        """Where servers listen for it (RFC 8314 3.2, RFC 3501 2.1)."""
        return 993 if self is Security.TLS else 143


@frozen
class Server:
    """An IMAP server: a host, which is a name in ASCII or an address, and how to talk to it."""

    host: str
    port: int = 993
    security: Security = Security.TLS
    terms: TlsTerms = DEFAULT_TERMS

    def way(self, connector: Connector) -> Way:
        """Return the way there."""
        way: Way = TcpWay(self.host, self.port, connector)
        if self.security is Security.NONE:
            return way
        if self.security is Security.STARTTLS:
            way = StartTlsWay(way, connector.clock, connector.timeout)
        return TlsWay(way, self.host, connector.clock, self.terms)


@frozen
class Account:
    """Who to be."""

    user: str
    password: str = field(repr=False)


@frozen
class Wanted:
    """Which messages: so many, the newest, of a mailbox."""

    mailbox: str = "INBOX"
    count: int = 10


async def newest(  # noqa: PLR0913 (who, what, where, and who hears of it)
    server: Server,
    account: Account,
    wanted: Wanted,
    connector: Connector,
    *,
    show: Callable[[Message], None],
    alert: Callable[[str], None] = unheard,
) -> int:
    """Call `show` with each of the messages that are wanted, the newest first; return how many.

    `alert` is called with what a server wants a user to know. A server may say nothing for as long as
    `connector` may take. Raises NoConnectionError, and TroubleError where the server does not do its
    part.
    """
    way = server.way(connector)
    connection = await connect(way, connector.clock, connector.timeout)
    try:
        conversation = Conversation(connection, alert)
        # Behind STARTTLS there is no greeting: there was one before, which is forgotten.
        greets = server.security is not Security.STARTTLS
        if not (greets and await conversation.greeting()):
            await conversation.log_in(account.user, account.password)
        shown = await _show(conversation, wanted, show)
        conversation.say_goodbye()
        await connection.leave()
    except MailError as error:
        raise TroubleError(f"{way}: the server {error}") from None
    finally:
        await connection.abort()
    return shown


async def _show(conversation: Conversation, wanted: Wanted, show: Callable[[Message], None]) -> int:
    shown = 0
    exists = await conversation.examine(wanted.mailbox)
    for numbers in _batches(exists, wanted.count):
        for message in await _fetch(conversation, numbers):
            show(message)
            shown += 1
    return shown


def _batches(exists: int, count: int) -> Iterator[range]:
    """Yield the numbers of the last `count` messages of so many, the highest first.

    They stay the same meanwhile: nothing may vanish while messages are fetched (RFC 3501 7.4.1).
    """
    lowest = max(exists - count, 0) + 1
    for highest in range(exists, lowest - 1, -BATCH):
        yield range(max(highest - BATCH + 1, lowest), highest + 1)


async def _fetch(conversation: Conversation, numbers: range) -> list[Message]:
    """Return the messages of those numbers that are there, the newest first."""
    found: dict[int, dict[str, Value]] = {number: {} for number in numbers}

    def hear(data: Data) -> None:
        # What is told of a message may come in parts, and among things that nobody asked for.
        if data.name == "FETCH" and data.number in found:
            found[data.number].update(told(data.attributes))

    status = await conversation.command(
        b"FETCH %d:%d %b" % (numbers[0], numbers[-1], ITEMS), hear=hear
    )
    if status.code != "EXPUNGEISSUED":  # somebody else has deleted one of them (RFC 5530 3)
        check(status, "does not show the messages")
    messages = [read(attributes) for attributes in found.values()]
    return sorted(filter(None, messages), key=lambda message: message.uid, reverse=True)
