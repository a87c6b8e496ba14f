"""A plan: what the daemon shall be, as one value.

Two plans can be compared, so that a reload knows what has changed. This file owns the checks
between tables: names that must exist, sockets that only one listener may have.
"""

from collections.abc import Container, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Any

from attrs import frozen

from netkit.config.schema import Daemon, Log, Tls
from netkit.document.lines import KeyPath
from netkit.document.values import Network, did_you_mean, quoted
from netkit.net.endpoint import Endpoint
from netkit.net.limits import Limits
from netkit.services.kind import Kind, Reference


@frozen
class ListenerPlan:
    """One socket to listen on; `options` are those of the service's kind."""

    path: KeyPath
    endpoint: Endpoint
    tls: str | None
    proxies: tuple[Network, ...]
    limits: Limits
    options: Any

    def __str__(self) -> str:
        tls = f" with TLS {quoted(self.tls)}" if self.tls else ""
        proxies = f" behind {', '.join(map(str, self.proxies))}" if self.proxies else ""
        return f"{self.endpoint}{tls}{proxies}"


@frozen
class ServicePlan:
    """One service: its kind, its settings and its listeners."""

    name: str
    kind: Kind[Any, Any]
    settings: Any
    listeners: tuple[ListenerPlan, ...]

    @property
    def path(self) -> KeyPath:
        """Where the service's table stands in the file."""
        return ("service", self.name)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The other services that this one names."""
        return tuple(self.kind.references(self.settings))


@frozen
class Plan:
    """What a configuration file asks for; `file` is the file as the operator wrote it."""

    file: str
    daemon: Daemon
    log: Log
    tls: Mapping[str, Tls]
    services: tuple[ServicePlan, ...]

    def in_order(self) -> tuple[ServicePlan, ...]:
        """Return the services so that each comes after those it names."""
        named = {plan.name: plan for plan in self.services}
        return tuple(named[name] for name in self._graph().static_order() if name in named)

    def circle(self) -> list[str]:
        """Return the names of services that name each other in a circle, if there are any."""
        try:
            self._graph().prepare()
        except CycleError as error:
            return list(error.args[1])
        return []

    def _graph(self) -> TopologicalSorter[str]:
        return TopologicalSorter(
            {plan.name: [named.service for named in plan.references] for plan in self.services}
        )


def checks(plan: Plan, spoilt: Container[KeyPath] = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is wrong between the tables of `plan`: the place, and the text.

    `spoilt` are the tables that stand in the file but, for their own problems, not in the plan.
    """
    yield from _tls_names(plan, spoilt)
    for name, store in plan.tls.items():
        if store.client_certificates and not store.client_ca:
            text = 'needs client_ca beside it; as in client_ca = "clients.pem"'
            yield ("tls", name, "client_certificates"), text
    yield from _sockets(plan)
    astray = tuple(_references(plan, spoilt))
    yield from astray
    circle = [] if astray else plan.circle()
    if circle:
        yield ("service", circle[0]), f"name each other in a circle: {' -> '.join(circle)}"
    if plan.daemon.group and not plan.daemon.user:
        yield ("daemon", "group"), 'needs a user beside it; as in user = "netkit"'


def _tls_names(plan: Plan, spoilt: Container[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    for service in plan.services:
        for listener in service.listeners:
            name = listener.tls
            if name is None or name in plan.tls or ("tls", name) in spoilt:
                continue
            advice = did_you_mean(name, plan.tls) if plan.tls else "write that table"
            yield (*listener.path, "tls"), f"there is no table [tls.{name}]; {advice}"


def _sockets(plan: Plan) -> Iterator[tuple[KeyPath, str]]:
    every = [(service, listener) for service in plan.services for listener in service.listeners]
    for (first, one), (_, other) in combinations(every, 2):
        if one.endpoint.clashes(other.endpoint):
            taken = f"[service.{first.name}] listens on {quoted(str(one.endpoint))}"
            yield (
                other.path,
                f"{quoted(str(other.endpoint))} is taken: {taken}; give each its own",
            )


def _references(plan: Plan, spoilt: Container[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    kinds = {service.name: service.kind.name for service in plan.services}
    for service in plan.services:
        for reference in service.references:
            if ("service", reference.service) in spoilt:
                continue
            path = (*service.path, *reference.path)
            right = [name for name, kind in kinds.items() if kind == reference.kind]
            if reference.service not in kinds:
                advice = did_you_mean(reference.service, right)
                yield path, f"there is no service {quoted(reference.service)}; {advice}"
            elif reference.service not in right:
                kind = kinds[reference.service]
                yield path, f"{quoted(reference.service)} is a {kind}; name a {reference.kind}"
