"""Finger as it stands on the wire (RFC 1288): a query's bytes in, an answer's bytes out.

Rule: nothing here knows who the users are, and nothing leaves that a terminal could act on.
"""

from attrs import frozen

from netkit.document.values import printable, quoted

QUERY_BYTES = 1024
ANSWER_BYTES = 256 * 1024

_VERBOSE = "/W"  # 2.5.4
_CUT = "[the answer is cut here]"


class QueryTooLongError(Exception):
    """The query's line did not end within the bytes it may have."""


@frozen
class Query:
    """What a client asks for: {Q1}, or {Q2} where `hosts` names where it is to be forwarded.

    An empty `name` asks for the list of users ({C}). `name` may hold blanks, one between two words,
    and characters that are not printable, in which case nobody can be called so.
    """

    name: str = ""
    verbose: bool = False
    hosts: tuple[str, ...] = ()

    def __str__(self) -> str:
        token = _VERBOSE if self.verbose else ""
        return " ".join(filter(None, (token, "@".join((self.name, *self.hosts)))))


def parse(written: bytes) -> Query:
    """Return the query that `written`, a line without its end, spells (RFC 1288 2.3).

    Any line is a query. Blanks count wherever the grammar has {S}, and tabs as blanks; bytes that
    are not UTF-8 become escapes.
    """
    text = written.decode("utf-8", "backslashreplace").replace("\t", " ")
    words = [word for word in text.split(" ") if word]
    verbose = bool(words) and words[0].upper() == _VERBOSE
    name, *hosts = " ".join(words[verbose:]).split("@")
    return Query(name.strip(" "), verbose, tuple(host.strip(" ") for host in hosts))


def line(query: Query) -> bytes:
    """Return `query` as a client sends it (RFC 1288 2.3).

    Raises ValueError where it has a character that is not printable, which could end the line.
    """
    text = str(query)
    if printable(text) != text:
        raise ValueError(f"{quoted(text)} cannot be asked for; only printable characters can")
    return f"{text}\r\n".encode()


class QueryReader:
    """Finds the query in bytes that come in any pieces.

    The line ends in CRLF or in a bare LF, and has at most `at_most` bytes with its end.
    """

    def __init__(self, at_most: int = QUERY_BYTES) -> None:
        self._at_most = at_most
        self._line = bytearray()

    def feed(self, data: bytes) -> Query | None:
        """Return the query once it is complete, and None before; what follows it is dropped.

        Raises QueryTooLongError.
        """
        known = len(self._line)
        self._line += data[: self._at_most - known]
        end = self._line.find(b"\n", known)
        if end >= 0:
            return parse(bytes(self._line[:end]).removesuffix(b"\r"))
        if len(self._line) >= self._at_most:
            raise QueryTooLongError
        return None


def render(text: str, at_most: int = ANSWER_BYTES) -> bytes:
    """Return `text` as an answer's bytes: UTF-8, lines ending in CRLF, printable characters only.

    Of a text that needs more than `at_most` bytes only the first lines are taken; a line that says
    so stands behind them.
    """
    taken: list[bytes] = []
    room = at_most
    for each in _lines(text):
        data = _line(each)
        room -= len(data)
        if room < 0:
            taken.append(_line(_CUT))
            break
        taken.append(data)
    return b"".join(taken)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _line(text: str) -> bytes:
    return printable(text.expandtabs()).encode() + b"\r\n"
