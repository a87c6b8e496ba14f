"""What `-v` tells: both header sections of every exchange, as curl marks them.

Rule: what a server wrote is made harmless before it reaches a terminal; of what is sent, passwords are
left out.
"""

from collections.abc import Callable, Iterator

from attrs import frozen

from netkit.document.values import printable
from netkit.http.messages import ResponseHead
from netkit.tools.web.urls import Url


def head_lines(head: ResponseHead) -> Iterator[str]:
    """Yield the lines of an answer's header section, harmless."""
    yield _line(head.version + b" %d " % head.status + head.reason).rstrip()
    for name, value in head.headers:
        yield _line(name + b": " + value)


def status_words(head: ResponseHead) -> str:
    """Return the status of an answer and its phrase, harmless."""
    return _line(b"%d %b" % (head.status, head.reason)).rstrip()


def _line(octets: bytes) -> str:
    return printable(octets.decode("utf-8", "replace"))


@frozen
class Telling:
    """Tells by `write`, a line at a time. It is a `fetching.Watch`."""

    write: Callable[[str], object]

    def asks(self, url: Url, opening: bytes) -> None:
        """See Watch."""
        self.write(f"* {url}")
        for line in opening.rstrip(b"\r\n").split(b"\r\n"):
            self.write(f"> {_line(line)}")

    def answered(self, url: Url, head: ResponseHead) -> None:  # noqa: ARG002 (it was told before)
        """See Watch."""
        for line in head_lines(head):
            self.write(f"< {line}")

    def waits(self, seconds: float, why: str) -> None:
        """See Watch."""
        self.write(f"* {printable(why)}; trying again in {seconds:.1f} s")
