"""What becomes of a request: which way it takes, and what is asked at the end of that.

Rule: a plan is made of the head alone, so that equal heads share one; who asks is settled before.
"""

from collections.abc import Callable

from attrs import field, frozen

from netkit.http.asking import Problem
from netkit.http.messages import Headers, RequestHead
from netkit.net.addresses import SocketAddress
from netkit.net.connect import Connector, is_local
from netkit.net.dial import TcpWay, Way
from netkit.net.policy import Order, Policy
from netkit.services.proxy.access import Access, Verdict
from netkit.services.proxy.decisions import DeniedError
from netkit.services.proxy.passing import hops_left, one_hop_less, onward
from netkit.services.proxy.recent import Recent
from netkit.services.proxy.relay import Errand
from netkit.services.proxy.targets import Target, target

CONNECTORS = 512
"""So many connectors are remembered, one for each set of rules that fitted a destination."""


@frozen
class Plan:
    """What is to be done about requests with one head.

    `errand` is what is asked of the origin, or of the parent; of an origin a CONNECT asks nothing, and
    is a connection by the errand's way. `verdict` has the rules that let it pass, `rule` says which. `is_last`: it may go no further.
    """

    target: Target
    errand: Errand
    verdict: Verdict
    rule: str
    is_last: bool


@frozen
class Parent:
    """Another proxy, which is asked for everything; `headers` tell it who asks."""

    way: Way
    headers: Headers = field(default=(), repr=False)


class Routing:
    """Makes plans, by the rules of `access`.

    `connector` returns what connects by a policy; `own` are the addresses where the proxy listens.
    `name` is the proxy's in Via.
    """

    def __init__(
        self,
        access: Access,
        connector: Callable[[Policy], Connector],
        own: Callable[[], frozenset[SocketAddress]],
        name: str,
        parent: Parent | None = None,
    ) -> None:
        self._access = access
        self._connector = connector
        self._own = own
        self._name = name
        self._parent = parent
        self._plans: Recent[RequestHead, Plan] = Recent()
        self._connectors: dict[tuple[Order, ...], Connector] = {}

    def forget(self) -> None:
        """Make every plan anew: the proxy may listen elsewhere by now."""
        self._plans.forget()
        self._connectors.clear()

    def plan(self, head: RequestHead) -> Plan:
        """Return what is to be done.

        Raise DeniedError where a rule forbids it, AskError where there is no such thing or it goes
        round in a circle, and NotForProxyError.
        """
        plan = self._plans.get(head)
        if plan is None:
            plan = self._planned(head, target(head))
            size = sum(len(name) + len(value) for name, value in plan.errand.headers)
            self._plans.keep(head, plan, size + len(head.target))
        return plan

    def _planned(self, head: RequestHead, to: Target) -> Plan:
        headers = onward(head, self._name)
        hops = hops_left(head)
        if hops is not None:
            headers = one_hop_less(headers)
        headers = ((b"Host", to.authority), *headers)
        tunnel = head.method == b"CONNECT"
        if self._parent is None:
            verdict = self._judged(to, tunnel=tunnel)
            way = self._way(to, verdict.orders)
            errand = Errand(method=head.method, way=way, target=to.path, headers=headers)
        else:
            verdict = self._judged_for_parent(to, tunnel=tunnel)
            asked = to.authority if tunnel else b"http://" + to.authority + to.path.strip(b"*")
            headers = (*headers, *self._parent.headers)
            way = self._parent.way
            errand = Errand(method=head.method, way=way, target=asked, headers=headers)
        return Plan(to, errand, verdict, verdict.passed_by(to.host), is_last=hops == 0)

    def _judged(self, to: Target, *, tunnel: bool, by_address: bool = True) -> Verdict:
        verdict = self._access.judge(to, tunnel=tunnel, by_address=by_address)
        if verdict.refused_by:
            words = f"This proxy does not go to {to}."
            raise DeniedError(verdict.refused_by, words, target=str(to))
        return verdict

    def _judged_for_parent(self, to: Target, *, tunnel: bool) -> Verdict:
        """Return the verdict on what the parent is to be asked for, which looks names up itself."""
        literal = not isinstance(to.host, str)
        verdict = self._judged(to, tunnel=tunnel, by_address=literal)
        if not isinstance(to.host, str):
            policy = Policy(orders=verdict.orders, own=self._own())
            rule = policy.refusal(SocketAddress(to.host, to.port), is_local)
            if rule:
                words = f"This proxy does not go to {to}: {rule}."
                problem = Problem.DESTINATION_IP_PROHIBITED
                raise DeniedError(rule, words, problem=problem, target=str(to))
        return verdict

    def _way(self, to: Target, orders: tuple[Order, ...]) -> Way:
        connector = self._connectors.get(orders)
        if connector is None:
            if len(self._connectors) >= CONNECTORS:
                self.forget()
            connector = self._connector(Policy(orders=orders, own=self._own()))
            self._connectors[orders] = connector
        return TcpWay(str(to.host), to.port, connector)
