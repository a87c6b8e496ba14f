"""What was decided of each request, one line a request in the daemon's log.

Rule: a line says who wanted to go where, which rule decided and how it ended; never a path, a query or
anything else of what was asked there. What a peer wrote stands in it printable and cut.
"""

from http import HTTPStatus

from attrs import define
from twisted.logger import Logger

from netkit.document.values import printable
from netkit.http.accesslog import Exchange
from netkit.http.asking import AskError, Problem
from netkit.http.messages import Headers, Request, Response
from netkit.http.pages import error_page
from netkit.net.failures import ForbiddenError
from netkit.net.logins import shown_user
from netkit.net.peer import host
from netkit.net.tunnel import Outcome
from netkit.services.proxy.passing import proxy_status, refusal

_METHOD_CHARACTERS = 20
_TARGET_CHARACTERS = 300
_REQUEST = (
    "{client} {user} {method} {target}: {verdict}; {status}, {sent} bytes, {seconds:.3f} s{why}"
)
_TUNNEL = (
    "{client} {user} {method} {target}: {verdict}; 200, {out} bytes out, {back} bytes back,"
    " {seconds:.3f} s; {why}"
)


class DeniedError(Exception):
    """The rule named `rule` forbids a request; the text tells the client, as a sentence.

    `target` is the host and port asked for, where they are known to be such.
    """

    def __init__(  # noqa: PLR0913 (all but three by keyword)
        self,
        rule: str,
        words: str,
        status: HTTPStatus = HTTPStatus.FORBIDDEN,
        *,
        problem: Problem = Problem.HTTP_REQUEST_DENIED,
        headers: Headers = (),
        target: str = "",
    ) -> None:
        super().__init__(words)
        self.target = target
        self.rule = rule
        self.status = status
        self.problem = problem
        self.headers = headers


@define(eq=False)
class Decision:
    """One request: who asks, for what, and what was decided so far. `why` is what failed then.

    `tunnelled`: a tunnel has begun, whose end ends the request too.
    """

    client: str
    method: str
    target: str
    began: float
    user: str = "-"
    rule: str = ""
    refused: bool = False
    why: str = ""
    tunnelled: bool = False

    @property
    def verdict(self) -> str:
        """What was decided, and by which rule."""
        if not self.rule:
            return "undecided"
        return f"{'refused' if self.refused else 'allowed'} by {self.rule}"


class Decisions:
    """The requests that a proxy named `name` has under way, and the lines about those that end."""

    def __init__(self, name: str, log: Logger) -> None:
        self._name = name
        self._log = log
        self._open: dict[int, Decision] = {}

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, request: Request, now: float) -> Decision:
        """Return what is to be filled in about `request`, at `now` in seconds, until `served`."""
        method = printable(request.method[:_METHOD_CHARACTERS].decode("latin-1"))
        target = printable(request.head.authority[:_TARGET_CHARACTERS].decode("latin-1"))
        decision = Decision(host(request.client.peer), method, target or "-", now)
        self._open[id(request)] = decision
        return decision

    def page(self, error: Exception, decision: Decision) -> Response:
        """Return what the client is told of an AskError or a DeniedError; others are raised."""
        if isinstance(error, DeniedError):
            decision.rule, decision.refused = error.rule, True
            decision.target = error.target or decision.target
            told = AskError(error.problem, str(error))
            status = proxy_status(told, self._name)
            return error_page(error.status, str(error), (*error.headers, status))
        if not isinstance(error, AskError):
            raise error
        if isinstance(error.__cause__, ForbiddenError):
            decision.rule, decision.refused = error.__cause__.rule, True
        elif error.problem is Problem.PROXY_LOOP_DETECTED:
            decision.rule, decision.refused = "Via", True
        decision.why = f"; {error.problem.token}: {error}"
        return refusal(error, self._name, details=True)

    def served(self, exchange: Exchange) -> None:
        """Note the end of a request; that of one that became a tunnel comes later."""
        decision = self._open.pop(id(exchange.request), None)
        if decision is None or decision.tunnelled:
            return
        self._log.info(
            _REQUEST,
            client=decision.client,
            user=decision.user,
            method=decision.method,
            target=decision.target,
            verdict=decision.verdict,
            status=exchange.status,
            sent=exchange.sent,
            seconds=exchange.seconds,
            why=decision.why + ("" if exchange.whole else "; cut"),
        )

    def tunnelled(self, decision: Decision, outcome: Outcome, now: float) -> None:
        """Note the end of a tunnel, at `now` in seconds."""
        self._log.info(
            _TUNNEL,
            client=decision.client,
            user=decision.user,
            method=decision.method,
            target=decision.target,
            verdict=decision.verdict,
            out=outcome.near_to_far,
            back=outcome.far_to_near,
            seconds=now - decision.began,
            why=outcome.reason.value,
        )


def shown(user: str) -> str:
    """Return a user as a line has one."""
    return f'"{shown_user(user)}"' if user else "-"
