"""The configuration file becomes a plan.

Rule: the file is read to its end whatever is wrong with it, so that one run tells an operator
everything. The document that comes back holds the problems; whoever starts from the plan raises them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import attrs

from netkit.config.plan import ListenerPlan, Plan, ServicePlan, checks
from netkit.config.schema import (
    Account,
    Daemon,
    Listen,
    Log,
    MountTable,
    Override,
    ServiceTable,
    Tls,
    account,
    destination,
    endpoint,
    override,
)
from netkit.document.lines import KeyPath
from netkit.document.typed import BelowError, Document, Reader, open_document
from netkit.document.values import did_you_mean, quoted
from netkit.errors import ConfigError
from netkit.net.destination import Destination
from netkit.net.endpoint import Endpoint
from netkit.net.limits import Limits
from netkit.services.kind import Kind, Mount, MountKind
from netkit.services.kinds import KINDS

Kinds = Iterable[Kind[Any, Any]]
Table = TypeVar("Table")


def load(name: str, kinds: Kinds = KINDS) -> tuple[Plan, Document]:
    """Return the plan in the file `name`, and the document with every problem found in it.

    Where there are problems the plan lacks the parts they are in. Raise ConfigError where the file
    cannot be read or is not TOML.
    """
    kinds = tuple(kinds)
    mounts = {mount.name: mount for kind in kinds for mount in kind.mounts}
    hooks = {
        Account: account,
        Destination: destination,
        Endpoint: endpoint,
        Override: override,
        Mount: lambda written, reader: _mount(written, reader, mounts),
    }
    document = open_document(name, hooks)
    plan = _plan(document, {kind.name: kind for kind in kinds})
    for path, text in checks(plan, _spoilt(document, plan)):
        document.complain(path, text)
    for service in plan.services:
        _ask_kind(document, service)
    return plan, document


def _spoilt(document: Document, plan: Plan) -> set[KeyPath]:
    """Return the tables that stand in the file and, for their problems, not in the plan."""
    stores = document.tables_below("tls") - plan.tls.keys()
    services = document.tables_below("service") - {service.name for service in plan.services}
    return {*(("tls", name) for name in stores), *(("service", name) for name in services)}


def _plan(document: Document, kinds: Mapping[str, Kind[Any, Any]]) -> Plan:
    known = {"daemon", "log", "limits", "tls", "service"}
    for key in document.tables.keys() - known:
        document.complain((key,), f"is not known; {did_you_mean(key, known)}")
    limits = _read(document, Limits, "limits")
    if not document.table("service"):
        document.complain((), "has no service; write at least one table [service.NAME]")
    services = [_service(document, name, kinds, limits) for name in document.table("service")]
    stores = {
        name: document.read(Tls, table, ("tls", name))
        for name, table in document.table("tls").items()
    }
    return Plan(
        file=document.name,
        daemon=_read(document, Daemon, "daemon"),
        log=_read(document, Log, "log"),
        tls={name: store for name, store in stores.items() if store},
        services=tuple(service for service in services if service),
    )


def _read(document: Document, kind: type[Table], *path: str) -> Table:
    """Return a table of the file; one with its defaults where it has problems."""
    table = document.read(kind, document.table(*path), path)
    return table if table is not None else kind()


def _service(
    document: Document,
    name: str,
    kinds: Mapping[str, Kind[Any, Any]],
    limits: Limits,
) -> ServicePlan | None:
    path = ("service", name)
    table = document.table(*path)
    kind = kinds.get(str(table.get("kind", name)))
    if kind is None:
        _complain_kind(document, path, table, kinds)
        return None
    parts = document.read_apart(table, path, ServiceTable, kind.settings)
    if not table.get("listen", True):
        document.complain((*path, "listen"), 'is empty; as in "tcp:8080"')
    own = parts[0].limits.given if parts else {}
    limits = attrs.evolve(limits, **{**kind.limits, **own})
    listen = table.get("listen", [])
    listeners = tuple(_listeners(document, (*path, "listen"), listen, kind, limits))
    return ServicePlan(name, kind, parts[1], listeners) if parts else None


def _complain_kind(
    document: Document, path: KeyPath, table: Mapping[str, Any], kinds: Iterable[str]
) -> None:
    if "kind" in table:
        kind = str(table["kind"])
        text = f"there is no kind of service {quoted(kind)}; {did_you_mean(kind, kinds)}"
        document.complain((*path, "kind"), text)
    else:
        name = str(path[-1])
        text = f"{quoted(name)} is no kind of service; {did_you_mean(name, kinds)}"
        document.complain(path, f"{text} or add the key kind")


def _listeners(
    document: Document, path: KeyPath, written: object, kind: Kind[Any, Any], limits: Limits
) -> Iterable[ListenerPlan]:
    entries = written if isinstance(written, list) else [written]
    for index, entry in enumerate(entries):
        place = (*path, index) if isinstance(written, list) else path
        parts = _entry(document, place, entry, kind)
        if parts is not None:
            common, options = parts
            own = attrs.evolve(limits, **common.limits.given)
            yield ListenerPlan(
                place, common.endpoint, common.tls, common.proxy_protocol, own, options
            )


def _entry(
    document: Document, path: KeyPath, entry: object, kind: Kind[Any, Any]
) -> tuple[Any, ...] | None:
    if isinstance(entry, dict):
        return document.read_apart(entry, path, Listen, kind.options)
    if not isinstance(entry, str):
        document.complain(path, 'is no listener; as in "tcp:80" or { endpoint = "tcp:80" }')
        return None
    place = document.read(Endpoint, entry, path)
    options = document.read(kind.options, {}, path)
    return None if place is None or options is None else (Listen(place), options)


def _mount(written: object, reader: Reader, mounts: Mapping[str, MountKind[Any, Any]]) -> Mount:
    name = written.get("kind") if isinstance(written, dict) else None
    kind = mounts.get(str(name))
    if kind is None and name is not None:
        advice = did_you_mean(str(name), mounts)
        raise BelowError(("kind",), f"there is no mount {quoted(str(name))}; {advice}")
    if kind is None:
        raise BelowError((), f"names no kind; {did_you_mean('', mounts)}")
    common, settings = reader.read_apart(written, MountTable, kind.settings)
    return Mount(common.path, kind, settings, common.service)


def _ask_kind(document: Document, service: ServicePlan) -> None:
    """Let the service's kind look at its own settings."""
    try:
        for complaint in service.kind.complaints(service.settings):
            document.complain((*service.path, *complaint.path), complaint.text)
    except ConfigError as error:  # mistakes in a file that the settings name
        document.problems.extend(error.problems)
