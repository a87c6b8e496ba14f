"""What is said to an IMAP server and what it answers: a command at a time (RFC 3501 6).

Rule: a server may remark on what it likes between a command and its answer, so many times and no
more; and a command is not given while the one before it is not answered.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from netkit.document.values import quoted
from netkit.tools.mailing import writing
from netkit.tools.mailing.connection import MailError
from netkit.tools.mailing.wire import Condition, Continuation, Data, Response, Status, WireError

RESPONSES = 1000
"""So many responses a server may send to one command."""

Hear = Callable[[Data], None]
"""Called with what a server tells; raises WireError where that is not right."""


class Talking(Protocol):
    """The other end, as far as a conversation needs it: see Connection."""

    def say(self, line: bytes) -> None:
        """Send a line."""

    async def response(self) -> Response:
        """Return the next response."""


def unheard(_: object) -> None:
    """Hear what a server tells, and forget it."""


class Conversation:
    """Commands and answers; `alert` is called with what a server wants the user to know."""

    def __init__(self, other: Talking, alert: Callable[[str], None] = unheard) -> None:
        self._other = other
        self._alert = alert
        self._commands = 0

    async def greeting(self) -> bool:
        """Return whether the server takes the user for logged in, by its first words."""
        match await self._other.response():
            case Status("*", Condition.OK | Condition.PREAUTH as condition):
                return condition is Condition.PREAUTH
            case Status("*", Condition.BYE) as status:
                raise MailError(f"does not want to talk: {said(status)}")
        raise MailError("greets as no IMAP server does")

    async def command(self, *parts: bytes, hear: Hear = unheard) -> Status:
        """Give a command, in `parts`, of which each but the first waits for the server; return its end.

        Raises MailError.
        """
        self._commands += 1
        tag = f"n{self._commands}"
        waiting = deque(parts)
        self._other.say(tag.encode() + b" " + waiting.popleft())
        for _ in range(RESPONSES):
            match await self._other.response():
                case Data() as data:
                    _heard(data, hear)
                case Continuation():
                    if not waiting:
                        raise MailError("waits for more of a command than there is")
                    self._other.say(waiting.popleft())
                case Status("*") as status:
                    self._remark(status)
                case status:
                    return _answer(status, tag)
        raise MailError(f"sends more than {RESPONSES} responses to a command")

    async def capabilities(self) -> frozenset[str]:
        """Return what the server can do (RFC 3501 6.1.1), in capitals."""
        found: frozenset[str] = frozenset()

        def hear(data: Data) -> None:
            nonlocal found
            if data.name == "CAPABILITY":
                found = frozenset(each.upper() for each in data.values if isinstance(each, str))

        check(await self.command(b"CAPABILITY", hear=hear), "does not say what it can do")
        return found

    async def log_in(self, user: str, password: str) -> None:
        """Be `user` from here on (RFC 3501 6.2.2, 6.2.3)."""
        offered = await self.capabilities()
        if "AUTH=PLAIN" in offered:
            plain = writing.plain(user, password)
            first = b"AUTHENTICATE PLAIN"
            parts: tuple[bytes, ...] = (
                (first + b" " + plain,) if "SASL-IR" in offered else (first, plain)
            )
        elif "LOGINDISABLED" in offered:
            raise MailError("offers no way of logging in, or none without TLS")
        else:
            parts = writing.login(user, password)
        check(await self.command(*parts), f"does not let {quoted(user)} log in")

    async def examine(self, mailbox: str) -> int:
        """Open `mailbox`, for reading only (RFC 3501 6.3.2); return how many messages it has."""
        exists: int | None = None

        def hear(data: Data) -> None:
            nonlocal exists
            if data.name == "EXISTS" and data.number is not None:
                exists = data.number

        parts = writing.command(b"EXAMINE", writing.mailbox(mailbox))
        check(await self.command(*parts, hear=hear), f"does not open {quoted(mailbox)}")
        if exists is None:
            raise MailError(f"does not say how many messages are in {quoted(mailbox)}")
        return exists

    def say_goodbye(self) -> None:
        """Ask the server to close the connection (RFC 3501 6.1.3)."""
        self._other.say(b"n%d LOGOUT" % (self._commands + 1))

    def _remark(self, status: Status) -> None:
        if status.condition is Condition.BYE:
            raise MailError(f"ends the conversation: {said(status)}")
        if status.code == "ALERT":
            self._alert(said(status))


def _heard(data: Data, hear: Hear) -> None:
    try:
        hear(data)
    except WireError as error:
        raise MailError(f"sent {error}") from None


def check(status: Status, otherwise: str) -> None:
    """Raise MailError where a command did not end well."""
    if status.condition is not Condition.OK:
        raise MailError(f"{otherwise}: {said(status)}")


def said(status: Status) -> str:
    """Return the words of a server for a user to read: what it wrote, quoted."""
    return quoted(status.text.strip()) if status.text.strip() else "it does not say why"


def _answer(status: Response, tag: str) -> Status:
    if not isinstance(status, Status) or status.tag != tag:
        raise MailError("answers a command that was not given")
    return status
