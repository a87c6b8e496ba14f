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
from netkit.values import frozen

_METHOD_CHARACTERS = 20
_TARGET_CHARACTERS = 300


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
    """One request of `client`, which began at `began` in seconds, and what was decided of it so far.

    `target` is the host and port asked for, where that is known. `why` is what failed in the end.
    `tunnelled`: a tunnel has begun, whose end ends the request too.
    """

    request: Request
    client: str
    began: float
    user: str = ""
    target: object = None
    rule: str = ""
    refused: bool = False
    why: str = ""
    tunnelled: bool = False

    def __str__(self) -> str:
        """Return who wanted to go where, and what was decided by which rule."""
        head = self.request.head
        user = f'"{shown_user(self.user)}"' if self.user else "-"
        method = _shown(head.method[:_METHOD_CHARACTERS])
        target = self.target or _shown(head.authority[:_TARGET_CHARACTERS]) or "-"
        verdict = f"{'refused' if self.refused else 'allowed'} by {self.rule}"
        asked = f"{self.client} {user} {method} {target}"
        return f"{asked}: {verdict if self.rule else 'undecided'}"


def _shown(value: bytes) -> str:
    return printable(value.decode("latin-1"))


@frozen
class Served:
    """The line about a request that has ended; made when somebody reads it."""

    decision: Decision
    exchange: Exchange

    def __str__(self) -> str:
        done = self.exchange
        end = self.decision.why + ("" if done.whole else "; cut")
        return f"{self.decision}; {done.status}, {done.sent} bytes, {done.seconds:.3f} s{end}"


@frozen
class Tunnelled:
    """The line about a tunnel that has ended after so many `seconds`."""

    decision: Decision
    outcome: Outcome
    seconds: float

    def __str__(self) -> str:
        ended = self.outcome
        moved = f"{ended.near_to_far} bytes out, {ended.far_to_near} bytes back"
        return f"{self.decision}; 200, {moved}, {self.seconds:.3f} s; {ended.reason.value}"


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
        decision = Decision(request, host(request.client.peer), now)
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
        self._log.info("{line}", line=Served(decision, exchange))

    def tunnelled(self, decision: Decision, outcome: Outcome, now: float) -> None:
        """Note the end of a tunnel, at `now` in seconds."""
        self._log.info("{line}", line=Tunnelled(decision, outcome, now - decision.began))
