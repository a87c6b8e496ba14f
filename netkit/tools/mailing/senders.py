"""Who a message is from: the addresses of a field (RFC 5322 3.4), as people are to read them. Pure.

Rule: a field is taken apart before anything in it is decoded, so that no name can pass for an
address. What cannot be taken apart is a name.
"""

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from netkit.tools.mailing.headers import decoded, text

_TOKEN = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?\Z)'
    r"|<(?P<angle>[^<>]*)>"
    r"|(?P<end>[,;])"
    r"|(?P<group>:)"
    r'|(?P<atom>[^\s"<>,;:()]+)'
    r"|\s+|.",
    re.DOTALL,
)
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,"]')  # which stand in quotes only (RFC 5322 3.2.3)
_TO_ESCAPE = re.compile(r'["\\]')


@frozen
class Mailbox:
    """A person, or a group, whose name ends in a colon; `address` is as it was written."""

    name: str
    address: str = ""

    def __str__(self) -> str:
        if not (self.name and self.address):
            return self.name or self.address
        name = self.name
        if _SPECIALS.search(name):
            name = '"' + _TO_ESCAPE.sub(r"\\\g<0>", name) + '"'
        return f"{name} <{self.address}>"

    @property
    def brief(self) -> str:
        """The name; the address where there is none, and both where the name looks like one."""
        return str(self) if "@" in self.name else self.name or self.address


def mailboxes(field: bytes) -> tuple[Mailbox, ...]:
    """Return who stands in a field; a group stands before its members."""
    reading = _Reading()
    for kind, token in _tokens(text(field)):
        reading.take(kind, token)
    reading.take("end", "")
    return tuple(reading.found)


def listed(texts: Iterable[str]) -> str:
    """Return the texts of mailboxes as one."""
    return ", ".join(texts).replace(":, ", ": ")


def _tokens(written: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(written):
        if written[at] == "(":
            begun, at = at + 1, _end_of_comment(written, at)
            yield "comment", written[begun : at - 1]
        elif token := _TOKEN.match(written, at):
            at = token.end()
            if token.lastgroup:
                yield token.lastgroup, token[token.lastgroup]


def _end_of_comment(written: str, begun: int) -> int:
    """Return where the comment ends that begins with a parenthesis; there may be others in it."""
    depth = 0
    for mark in _PARENTHESIS.finditer(written, begun):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if not depth:
            return mark.end()
    return len(written) + 1


class _Reading:
    """What has been read, and of the next mailbox the words so far."""

    def __init__(self) -> None:
        self.found: list[Mailbox] = []
        self._words: list[str] = []
        self._comments: list[str] = []
        self._address = ""

    def take(self, kind: str, token: str) -> None:
        """Take the next token."""
        match kind:
            case "atom":
                self._words.append(token)
            case "quoted":
                self._words.append(re.sub(r"\\(.)", r"\1", token, flags=re.DOTALL))
            case "angle":
                self._address = token.rpartition(":")[2].strip()  # behind a route (RFC 5322 4.4)
            case "comment":
                self._comments.append(token)
            case "group":
                self._found(f"{self._name()}:", "")
            case "end":
                self._end()

    def _end(self) -> None:
        if not self._address and self._words and _ADDRESS.fullmatch(self._words[-1]):
            self._address = self._words.pop()
        elif not self._address and _ADDRESS.fullmatch("".join(self._words)):
            self._address, self._words = "".join(self._words), []
        name = self._name() or decoded(" ".join(self._comments)).strip()
        if name or self._address:
            self._found(name, self._address)
        self._words, self._comments, self._address = [], [], ""

    def _name(self) -> str:
        return decoded(" ".join(self._words)).strip()

    def _found(self, name: str, address: str) -> None:
        self.found.append(Mailbox(name, address))
        self._words, self._comments, self._address = [], [], ""
