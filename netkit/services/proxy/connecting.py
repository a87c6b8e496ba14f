"""CONNECT: a connection to a server, or one through the parent, becomes a tunnel (RFC 9110 9.3.6).

Rule: what has been connected is either joined to the client or closed; the count of a client's tunnels
ends when that is over, however it ends.
"""

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol, IReactorTime, ITransport
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from netkit.http.asking import Answer, AskError, Asks, Handover, Problem, Question
from netkit.http.framing import request_opening
from netkit.http.messages import Response, Takeover
from netkit.http.problems import not_connected
from netkit.net.addresses import plain
from netkit.net.dial import Way
from netkit.net.failures import NoConnectionError
from netkit.net.sides import Side, join
from netkit.net.tunnel import Outcome, Tunnels
from netkit.services.proxy.access import Verdict
from netkit.services.proxy.decisions import Decision, Decisions, DeniedError
from netkit.services.proxy.relay import Errand
from netkit.services.proxy.routing import Plan

_PASSED_ON = frozenset((403, 404, 429, 502, 503, 504, 508))
"""The statuses of a parent's refusal that mean the same of us."""


class Connecting:
    """Opens tunnels: `at_once` for one client. `through_parent`: the errand's way leads to a proxy."""

    def __init__(  # noqa: PLR0913 (all by keyword)
        self,
        *,
        asks: Asks,
        tunnels: Tunnels,
        decisions: Decisions,
        clock: IReactorTime,
        at_once: int,
        through_parent: bool,
    ) -> None:
        self._asks = asks
        self._tunnels = tunnels
        self._decisions = decisions
        self._clock = clock
        self._at_once = at_once
        self._through_parent = through_parent
        self._open: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many tunnels there are, those being made included."""
        return self._open.total()

    def connect(self, plan: Plan, who: str, decision: Decision) -> Deferred[Response]:
        """Return the answer to a CONNECT of `who`; what follows it is a tunnel.

        Fails with AskError. Raise DeniedError where `who` has too many. Whoever cancels gets
        CancelledError, and no connection stays.
        """
        if self._open[who] >= self._at_once:
            raise DeniedError(
                "tunnels_per_client",
                f"You have {self._at_once} tunnels open already.",
                HTTPStatus.TOO_MANY_REQUESTS,
                problem=Problem.CONNECTION_LIMIT_REACHED,
            )
        self._open[who] += 1
        far = Side()
        reached = self._reached(plan.errand, far)

        def opened(_: object) -> Response:
            if not self._through_parent:
                decision.rule = _passed_by(plan.verdict, far.transport)
            return self._opened(far, decision, over)

        def failed(failure: Failure) -> Failure:
            over()
            return failure

        def over() -> None:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

        return reached.addCallbacks(opened, failed)

    def _opened(self, far: Side, decision: Decision, over: Callable[[], None]) -> Response:
        near = Side()

        def joined(_: object) -> None:
            decision.tunnelled = True
            join(self._tunnels, near, far).finished.addCallback(ended)

        def ended(outcome: Outcome) -> None:
            over()
            self._decisions.tunnelled(decision, outcome, self._clock.seconds())

        def ending() -> None:
            """Close what nobody takes: the client has left at the last moment."""
            if not decision.tunnelled:
                far.close()
                over()

        near.connected.addCallback(joined)
        return Response(HTTPStatus.OK, (), Takeover(near, ending))

    def _reached(self, errand: Errand, far: Side) -> Deferred[object]:
        return self._asked(errand, far) if self._through_parent else _dialled(errand.way, far)

    def _asked(self, errand: Errand, far: Side) -> Deferred[object]:
        opening = request_opening(b"CONNECT", errand.target, errand.headers)
        asking = self._asks.ask(errand.way, Question(method=b"CONNECT", opening=opening))
        return cast("Deferred[object]", asking.addCallback(_handed_over, far))


def _passed_by(verdict: Verdict, connected: ITransport) -> str:
    """Return which rule has let the connection pass that there is now."""
    peer = connected.getPeer()
    return verdict.passed_by(
        plain(peer.host) if isinstance(peer, IPv4Address | IPv6Address) else ""
    )


def _handed_over(answer: Answer, far: Side) -> None:
    if isinstance(answer.body, Handover) and answer.head.status != HTTPStatus.SWITCHING_PROTOCOLS:
        answer.body.hand_over(far)
        return
    answer.close()
    raise _refused(answer.head.status)


def _refused(status: int) -> Exception:
    words = f"the next proxy answered {status}"
    if status in _PASSED_ON:
        return DeniedError("the next proxy", f"{words[:1].upper()}{words[1:]}.", HTTPStatus(status))
    return AskError(Problem.HTTP_PROTOCOL_ERROR, words)


def _dialled(way: Way, far: Side) -> Deferred[object]:
    connecting = way.connect(_Only(far))
    connecting.addErrback(_explained)
    return cast("Deferred[object]", connecting)


def _explained(failure: Failure) -> Failure:
    """Return why there is no connection, in the words of those who ask."""
    error = failure.value
    return Failure(not_connected(error)) if isinstance(error, NoConnectionError) else failure


class _Only(Factory[Any]):
    """Has one protocol for one connection."""

    noisy = False

    def __init__(self, protocol: Side) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> IProtocol:  # noqa: ARG002 (Twisted's)
        """Return it."""
        return self._protocol
