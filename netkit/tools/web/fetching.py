"""What the commands ask of a user agent, and what they get, as values.

Rule: a command knows nothing else of redirects, passwords, cookies, proxies and codings. What goes
wrong is a FetchError, whose one line names the URL and is safe to show.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeAlias

from attrs import field, frozen

from netkit.http.asking import Problem
from netkit.http.basicauth import Credentials
from netkit.http.framing import Framing
from netkit.http.messages import BodyCutError, Headers, ResponseHead, Stream
from netkit.net.tlsclient import DEFAULT_TERMS, TlsTerms
from netkit.tools.outcome import TroubleError
from netkit.tools.web.urls import Url

REDIRECTS = 20


LASTING = frozenset(
    (
        Problem.TLS_CERTIFICATE_ERROR,
        Problem.HTTP_REQUEST_ERROR,
        Problem.HTTP_RESPONSE_HEADER_SECTION_SIZE,
        Problem.HTTP_PROTOCOL_ERROR,
    )
)
"""What will not be another time what it was the first."""


class FetchError(TroubleError):
    """There is no answer. `problem`: what the connection or the server did, if it was one of these.

    `untouched`: the server has seen nothing of the request.
    """

    def __init__(
        self, words: str, problem: Problem | None = None, *, untouched: bool = False
    ) -> None:
        super().__init__(words)
        self.problem = problem
        self.untouched = untouched

    @property
    def may_pass(self) -> bool:
        """Whether another time may be better."""
        return self.problem is not None and self.problem not in LASTING


class CutError(FetchError, BodyCutError):
    """The rest of an answer's body will never come, or is not in the coding that it claims."""


Body: TypeAlias = bytes | Callable[[], Stream]
"""A body of a request: bytes, or what makes a new stream of it each time that it is sent."""


@frozen(kw_only=True)
class Wanted:
    """What is asked for.

    `headers` are those that the caller wants beside the agent's own (Host, User-Agent, Accept,
    Accept-Encoding, Authorization, Cookie): a field of the same name replaces the agent's, and one
    with the value b"" leaves it out. What is said in Authorization or Cookie goes to this origin
    alone. Those that frame a message may not be in it. `expects`: the body is sent once the server
    wants it (RFC 9110 10.1.1). Where not `decode` the body stays in the coding it came in.
    """

    url: Url
    method: bytes = b"GET"
    headers: Headers = ()
    body: Body = field(default=b"", repr=False)
    expects: bool = False
    decode: bool = True


@frozen
class Step:
    """An exchange that led elsewhere: a redirect, or a 401 that was answered with a password."""

    url: Url
    head: ResponseHead


@frozen(kw_only=True)
class Got:
    """What was got from `url`, the last of the way there; `history` has the steps before.

    `body` is decoded, and iterating raises CutError where the rest will never come; its `length` is
    None where nobody knows it, as with content that is decoded. `coding` is the coding that was taken
    away, `framing` how the end of the body was, or is to be, told.
    """

    url: Url
    head: ResponseHead
    body: Stream = field(repr=False)
    framing: Framing
    coding: bytes = b""
    history: tuple[Step, ...] = ()

    def close(self) -> None:
        """Let go of the body, and of the connection where that was not read to its end."""
        self.body.close()

    async def read(self, at_most: int) -> bytes:
        """Return the first `at_most` bytes of the body, or all where it is shorter, and close it."""
        pieces = bytearray()
        try:
            async for piece in self.body:
                pieces += piece
                if len(pieces) >= at_most:
                    break
        finally:
            self.close()
        return bytes(pieces[:at_most])


class Watch(Protocol):
    """Hears what an agent does, as `-v` shows it."""

    def asks(self, url: Url, opening: bytes) -> None:
        """Hear what is sent: the request line and the field lines, passwords left out."""

    def answered(self, url: Url, head: ResponseHead) -> None:
        """Hear what the server answered, be it an answer that leads elsewhere."""

    def waits(self, seconds: float, why: str) -> None:
        """Hear that the same will be tried again in so many seconds, and why."""


class Unwatched:
    """Hears nothing."""

    def asks(self, url: Url, opening: bytes) -> None:
        """See Watch."""

    def answered(self, url: Url, head: ResponseHead) -> None:
        """See Watch."""

    def waits(self, seconds: float, why: str) -> None:
        """See Watch."""


Login: TypeAlias = Callable[[Url, str, int], Credentials | None]
"""Returns who to be for the server of a URL, which asks for a login to the realm of that name, or None.

The number says how many were refused before, for the same realm.
"""


def nobody(_: Url, __: str, ___: int) -> Credentials | None:
    """Know no login."""
    return None


class Proxying(Enum):
    """Which proxy is used, where none is given."""

    ENVIRONMENT = "environment"
    NONE = "none"


@frozen(kw_only=True)
class Terms:
    """How an agent behaves.

    It follows at most `redirects` (0: it follows none and returns them), and tries again `retries`
    times what is safe to try again. `login` knows passwords, and `own_login` those for the server that is
    asked first, before that. A `proxy` is a URL of scheme http;
    `environment` has the variables that name one otherwise. `codings` are those it asks for.
    """

    redirects: int = REDIRECTS
    retries: int = 0
    login: Login = field(default=nobody, repr=False)
    own_login: Login = field(default=nobody, repr=False)
    cookies: bool = True
    proxy: Url | Proxying = Proxying.ENVIRONMENT
    codings: bool = True
    tls: TlsTerms = DEFAULT_TERMS
    watch: Watch = field(factory=Unwatched, repr=False)


DEFAULTS = Terms()


class Agent(Protocol):
    """Fetches; `netkit.tools.web.agent.UserAgent(here, terms)` is the one there is."""

    async def fetch(self, wanted: Wanted) -> Got:
        """Return the final answer to `wanted`, whatever its status; raise FetchError.

        Whoever is cancelled leaves no connection. `Got.close` has to be called.
        """

    def close(self) -> None:
        """End every connection; harmless when repeated."""
