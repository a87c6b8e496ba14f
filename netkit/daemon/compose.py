"""A plan becomes a daemon.

`prepare` does everything that a start does short of opening a socket, so that `--check` is a start
that stops there; `Daemon` binds, sheds root and serves. Rule: the daemon has every listener of the
plan and is who the plan says, or it does not start.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from attrs import frozen
from twisted.application.service import IProcess, MultiService
from twisted.logger import ILogObserver

from netkit.config.load import Kinds, load
from netkit.config.plan import Plan
from netkit.config.schema import Tls
from netkit.daemon.garbage import look_seldom
from netkit.daemon.listen import Listener
from netkit.daemon.logs import LeveledLogger, observer
from netkit.daemon.privileges import (
    ROOT,
    Identity,
    PrivilegeError,
    Target,
    look_up,
    prove_no_way_back,
    shed,
    verify,
)
from netkit.daemon.readable import Reader, obstacles
from netkit.document.typed import Document
from netkit.net.addresses import SocketAddress
from netkit.net.clients import ClientCertificates
from netkit.net.listener import Gate, behind
from netkit.net.pemfiles import Signature, signature
from netkit.net.reloading import Watch
from netkit.net.tls import Content, Source, Store, Terms
from netkit.services.kind import Running, TakesTLS, World
from netkit.services.kinds import KINDS


class StartError(SystemExit, Exception):
    """The daemon cannot start; the text is for the operator, who has been told.

    A SystemExit, so that a process in the foreground ends with status 1 and no traceback, and an
    Exception, so that a twistd in the background tells its parent and removes its pid file.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 1


@frozen
class Opened:
    """The store of one table `[tls.*]`: `seen` is what its source looked like before it was read."""

    source: Source
    seen: Signature
    store: Store


@frozen
class Prepared:
    """Everything that a start needs and that an operator can get wrong."""

    plan: Plan
    target: Target | None
    stores: Mapping[str, Opened]

    def listing(self) -> Iterator[str]:
        """Yield a line a listener: service, endpoint, TLS or not."""
        width = max(len(service.name) for service in self.plan.services)
        for service in self.plan.services:
            for listener in service.listeners:
                yield f"{service.name:<{width}}  {listener}"

    def remarks(self) -> Iterator[str]:
        """Yield a line for each file or folder whose keys cannot be read again once root is shed."""
        if self.target is None:
            return
        reader = Reader.like(self.target)
        who = self.target.login or f"user {self.target.uid}"
        for name, opened in self.stores.items():
            for path in obstacles(opened.source.paths, reader):
                what = f"what is in {path}" if path.is_dir() else path
                yield (
                    f"tls.{name}: {what} is read before root is shed, and cannot be read again:"
                    f" not reloadable as {who}"
                )


def prepare(name: str, kinds: Kinds = KINDS) -> Prepared:
    """Return what the configuration file `name` asks for; raise ConfigError with every problem."""
    plan, document = load(name, kinds)
    target = _target(plan, document)
    opened = {name: _opened(plan, name, document) for name in plan.tls}
    document.raise_problems()
    return Prepared(plan, target, {name: each for name, each in opened.items() if each})


def _target(plan: Plan, document: Document) -> Target | None:
    try:
        return look_up(plan.daemon)
    except ValueError as error:
        document.complain(("daemon", "user"), str(error))
        return None


def _opened(plan: Plan, name: str, document: Document) -> Opened | None:
    table = plan.tls[name]
    source = Source(table.certificates, table.client_ca)
    seen = signature(source.paths)
    content = source.read(datetime.now(UTC))
    for key, faults in (
        ("certificates", content.found.faults),
        ("client_ca", content.authorities.faults),
    ):
        for fault in faults:
            document.complain(("tls", name, key), f"{fault.file} {fault.text}")
    if content.faults:
        return None
    return Opened(source, seen, Store(content.found.identities, _terms(table, content)))


def _terms(table: Tls, content: Content) -> Terms:
    certificates = table.client_certificates or ClientCertificates.OPTIONAL
    return Terms(table.unknown_names, content.authorities.certificates, certificates)


class Daemon(MultiService):
    """All that one process serves, as one Twisted service; add it to an Application.

    `reactor` is what everything in it runs on; `log_to` is where log lines go, or None where
    whoever starts the daemon has a log of its own.
    """

    def __init__(self, prepared: Prepared, reactor: Any, log_to: Any = None) -> None:  # noqa: ANN401
        super().__init__()
        self._prepared = prepared
        self._log_to = log_to
        self._log = LeveledLogger("netkit", prepared.plan.log)
        self._bound = False
        self._owns_process = False
        self._remarks = tuple(prepared.remarks())
        self._listeners: tuple[Listener, ...] = ()
        running = _build(prepared.plan, reactor, self._addresses)
        for service in running.values():
            service.setServiceParent(self)
        self._listeners = tuple(_listeners(prepared, running, reactor))
        for listener in self._listeners:
            listener.setServiceParent(self)
        for watch in _watches(prepared, reactor):
            watch.setServiceParent(self)

    def setServiceParent(self, parent: Any) -> None:  # noqa: ANN401
        """Tell twistd's Application whom to become and where to log."""
        target = self._prepared.target
        process = IProcess(parent, None)
        self._owns_process = process is not None
        if process is not None and target is not None and target.login and os.geteuid() == ROOT:
            process.uid, process.gid = target.uid, target.gid
        if process is not None and self._log_to is not None:
            log = observer(self._prepared.plan.log, self._log_to)
            parent.setComponent(ILogObserver, log)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        """Bind every listener, as root where the process is root; raise StartError if one fails."""
        refusals = [refusal for refusal in (each.bind() for each in self._listeners) if refusal]
        if refusals:
            self._refuse("\n".join(f"netkit: {refusal}" for refusal in refusals))
        self._bound = True
        target = self._prepared.target
        if target is not None and not target.login and os.geteuid() == ROOT:
            shed(target)
        super().privilegedStartService()

    def startService(self) -> None:
        """Serve; raise StartError where the process is not who it should be by now."""
        try:
            self._prove_identity()
        except PrivilegeError as error:
            self._refuse(f"netkit: refuses to serve: {error}")
        if not self._bound:
            self.privilegedStartService()
        super().startService()
        if self._owns_process:
            look_seldom()
        for remark in self._remarks:
            self._log.warn("{remark}", remark=remark)
        self._log.info("serves what {file} says", file=self._prepared.plan.file)

    def _addresses(self, service: str) -> frozenset[SocketAddress]:
        """Return where the service listens on IP by now."""
        found = (each.address for each in self._listeners if each.service == service)
        return frozenset(address for address in found if address is not None)

    def _prove_identity(self) -> None:
        if not self._bound and os.geteuid() == ROOT:
            raise PrivilegeError("twist never sheds root; start it with twistd")
        verify(self._prepared.target, Identity.of_this_process())
        prove_no_way_back()

    def _refuse(self, text: str) -> NoReturn:
        """Tell the operator: in the log, and on the terminal, which twistd has taken for the log."""
        if self._log_to is not sys.__stdout__:
            self._log.critical("{text}", text=text)
        if sys.__stderr__ is not None:
            print(text, file=sys.__stderr__)
        raise StartError(text)


def _build(
    plan: Plan,
    reactor: Any,  # noqa: ANN401
    addresses: Callable[[str], frozenset[SocketAddress]],
) -> Mapping[str, Running[Any]]:
    """Build the services of `plan`, each after those that it names."""
    running: dict[str, Running[Any]] = {}
    for service in plan.in_order():
        log = LeveledLogger(f"netkit.{service.name}", plan.log)
        world = World(reactor, reactor, log, partial(addresses, service.name))
        named = {each.service: running[each.service] for each in service.references}
        running[service.name] = service.kind.build(service.settings, named, world)
    return running


def _listeners(
    prepared: Prepared,
    running: Mapping[str, Running[Any]],
    reactor: Any,  # noqa: ANN401
) -> Iterator[Listener]:
    for service in prepared.plan.services:
        log = LeveledLogger(f"netkit.{service.name}", prepared.plan.log)
        for plan in service.listeners:
            inner = running[service.name].factory(plan.options)
            opened = prepared.stores[plan.tls] if plan.tls is not None else None
            tls = opened.store.creator(service.kind.alpn) if opened is not None else None
            if tls is not None and isinstance(inner, TakesTLS) and inner.take_tls(tls):
                tls = None
            gate = Gate(inner, plan.limits, reactor, log, tls)
            outermost = behind(plan.proxies, gate) if plan.proxies else gate
            yield Listener(service.name, plan, outermost, reactor, log)


def _watches(prepared: Prepared, clock: Any) -> Iterator[Watch]:  # noqa: ANN401
    """Yield what reads each store again; a service named as its table, such as `tls.main`."""
    log = LeveledLogger("netkit.tls", prepared.plan.log)
    for name, opened in prepared.stores.items():
        yield Watch(
            f"tls.{name}",
            opened.source,
            opened.store,
            opened.seen,
            clock=clock,
            wall=partial(datetime.now, UTC),
            log=log,
        )
