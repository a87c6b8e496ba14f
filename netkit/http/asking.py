"""The client's side of HTTP as values: what a server is asked, what it answers, why it does not.

Whoever asks knows nothing else of the connections under it. Rule: an error says whether the server
can have acted on the request, so that nobody who repeats it does so by guess.
"""

from collections.abc import Callable
from enum import Enum
from http import HTTPStatus
from typing import Protocol, runtime_checkable

from attrs import field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol

from netkit.http.messages import ResponseHead, Stream
from netkit.net.dial import Way
from netkit.values import frozen

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))
"""The methods that may be repeated (RFC 9110 9.2.2)."""


class Problem(Enum):
    """Why there is no answer: the error types of RFC 9209 2.3, and the status that goes with each."""

    DNS_ERROR = "dns_error", HTTPStatus.BAD_GATEWAY
    DESTINATION_UNAVAILABLE = "destination_unavailable", HTTPStatus.SERVICE_UNAVAILABLE
    DESTINATION_IP_PROHIBITED = "destination_ip_prohibited", HTTPStatus.FORBIDDEN
    DESTINATION_IP_UNROUTABLE = "destination_ip_unroutable", HTTPStatus.BAD_GATEWAY
    CONNECTION_REFUSED = "connection_refused", HTTPStatus.BAD_GATEWAY
    CONNECTION_TERMINATED = "connection_terminated", HTTPStatus.BAD_GATEWAY
    CONNECTION_TIMEOUT = "connection_timeout", HTTPStatus.GATEWAY_TIMEOUT
    CONNECTION_READ_TIMEOUT = "connection_read_timeout", HTTPStatus.GATEWAY_TIMEOUT
    CONNECTION_WRITE_TIMEOUT = "connection_write_timeout", HTTPStatus.GATEWAY_TIMEOUT
    CONNECTION_LIMIT_REACHED = "connection_limit_reached", HTTPStatus.SERVICE_UNAVAILABLE
    TLS_PROTOCOL_ERROR = "tls_protocol_error", HTTPStatus.BAD_GATEWAY
    TLS_CERTIFICATE_ERROR = "tls_certificate_error", HTTPStatus.BAD_GATEWAY
    HTTP_REQUEST_ERROR = "http_request_error", HTTPStatus.BAD_REQUEST
    HTTP_REQUEST_DENIED = "http_request_denied", HTTPStatus.FORBIDDEN
    HTTP_RESPONSE_INCOMPLETE = "http_response_incomplete", HTTPStatus.BAD_GATEWAY
    HTTP_RESPONSE_HEADER_SECTION_SIZE = (
        "http_response_header_section_size",
        HTTPStatus.BAD_GATEWAY,
    )
    HTTP_RESPONSE_TRANSFER_CODING = "http_response_transfer_coding", HTTPStatus.BAD_GATEWAY
    HTTP_RESPONSE_TIMEOUT = "http_response_timeout", HTTPStatus.GATEWAY_TIMEOUT
    HTTP_UPGRADE_FAILED = "http_upgrade_failed", HTTPStatus.BAD_GATEWAY
    HTTP_PROTOCOL_ERROR = "http_protocol_error", HTTPStatus.BAD_GATEWAY
    PROXY_INTERNAL_ERROR = "proxy_internal_error", HTTPStatus.INTERNAL_SERVER_ERROR
    PROXY_LOOP_DETECTED = "proxy_loop_detected", HTTPStatus.LOOP_DETECTED

    @property
    def token(self) -> str:
        """The name in the parameter `error` of Proxy-Status."""
        return self.value[0]

    @property
    def status(self) -> HTTPStatus:
        """The status that RFC 9209 recommends for a response that the proxy makes; 508 for loops."""
        return self.value[1]


class AskError(Exception):
    """There is no answer. The text says why, on one line for a log, what a peer wrote quoted.

    `untouched`: the server has seen nothing of the request, so that any method may be tried again.
    """

    def __init__(self, problem: Problem, words: str, *, untouched: bool = False) -> None:
        super().__init__(words)
        self.problem = problem
        self.untouched = untouched


@frozen(kw_only=True)
class Question:
    """A request, as it is given to a client.

    `opening` is the request line and the field lines, without those that frame the message and
    without Connection, Expect and Upgrade (see `framing.request_opening`). With `expects` the body is
    not read before the server said 100, or said nothing for a while (RFC 9110 10.1.1). `upgrade` is
    what the client would rather speak: the answer may be a 101. `informed` hears of every 1xx but
    100 and 101. `last`: the connection is nobody's afterwards, as where the request logs it in (RFC 4559 6).
    """

    method: bytes
    opening: bytes
    body: bytes | Stream = field(default=b"", repr=False)
    expects: bool = False
    upgrade: bytes = b""
    informed: Callable[[ResponseHead], None] | None = None
    last: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be asked again where nobody knows what became of it (RFC 9110 9.2.2)."""
        return isinstance(self.body, bytes) and self.method in IDEMPOTENT


@runtime_checkable
class Handover(Protocol):
    """A connection that is HTTP no longer, behind a 101 or the 2xx to a CONNECT."""

    def hand_over(self, successor: IProtocol) -> None:
        """Give the transport to `successor`, and then what has come already.

        The transport reads and has no producer. Where the connection is lost by now, `successor` hears
        that right after.
        """

    def close(self) -> None:
        """Close the connection, where nobody was given it; harmless when repeated."""


@frozen(kw_only=True)
class Answer:
    """What a server answered. A short body is there at once, as bytes; a Stream has to be closed."""

    head: ResponseHead
    body: bytes | Stream | Handover = field(default=b"", repr=False)

    def close(self) -> None:
        """Let go of the body, and of the connection where that was not read to its end."""
        if not isinstance(self.body, bytes):
            self.body.close()


class Asks(Protocol):
    """Asks servers: a pool of connections, or what stands for one in a test."""

    def ask(self, way: Way, question: Question) -> Deferred[Answer]:
        """Return the answer of the server at the end of `way`.

        Fails with AskError, or with what the question's stream raised; whoever cancels ends the
        exchange, and its connection. A stream is closed by whoever has begun to read it.
        """
