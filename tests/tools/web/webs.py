"""A web in memory, which answers as a test says."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

from twisted.internet.defer import Deferred

from netkit.http.framing import Framing
from netkit.http.messages import Pieces, ResponseHead
from netkit.net.coroutines import start
from netkit.tools.web.fetching import CutError, Got, Wanted
from netkit.tools.web.urls import parse

T = TypeVar("T")

Answering: TypeAlias = Callable[[Wanted], "Got | Deferred[Got]"]


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what comes of a coroutine that waits for nothing."""
    result = start(coroutine)
    assert not isinstance(result, Deferred)
    return result


class Web:
    """An Agent for pages that are not there: `pages` answer by their URLs, `asked` has what was wanted.

    `bodies` counts the bodies that nobody has closed.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Answering] = {}
        self.asked: list[Wanted] = []
        self.bodies = 0
        self.closed = False

    async def fetch(self, wanted: Wanted) -> Got:
        """See `fetching.Agent`."""
        self.asked.append(wanted)
        answer = self.pages[str(wanted.url)](wanted)
        got = answer if isinstance(answer, Got) else await answer
        self.bodies += 1
        return got

    def close(self) -> None:
        """See `fetching.Agent`."""
        self.closed = True

    def got(
        self,
        url: str,
        body: bytes = b"",
        status: int = 200,
        *headers: tuple[bytes, bytes],
        cut: bool = False,
    ) -> Got:
        """Return an answer, whose body is `cut` off at its end."""

        async def pieces() -> AsyncIterator[bytes]:
            for each in body:
                yield bytes((each,))
            if cut:
                raise CutError(f"{url}: the server left")

        def closed() -> None:
            self.bodies -= 1

        content = Pieces(pieces(), len(body), closed)
        head = ResponseHead(status=status, reason=b"Reason", headers=headers)
        return Got(url=parse(url), head=head, body=content, framing=Framing.LENGTH)

    def page(self, url: str, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        """Have a page that knows conditions by its entity tag alone."""
        fields = {name.lower(): value for name, value in headers}

        def answer(wanted: Wanted) -> Got:
            tag = dict(wanted.headers).get(b"If-None-Match")
            if tag is not None and tag == fields.get(b"etag"):
                return self.got(url, b"", 304, *headers)
            return self.got(url, body, 200, *headers)

        self.pages[url] = answer

    def says(
        self, url: str, body: bytes = b"", status: int = 200, *headers: tuple[bytes, bytes]
    ) -> None:
        """Have a page that knows no conditions."""
        self.pages[url] = lambda _: self.got(url, body, status, *headers)
